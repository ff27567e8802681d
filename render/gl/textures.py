"""Textures of the faces of one pass: a layer a person, decoded from sRGB and averaged to coarser levels by OpenGL."""

from __future__ import annotations

import ctypes

import numpy as np

from dcign.arrays import Float32, UInt8
from dcign.errors import RenderError
from dcign.render.gl.programs import add_attribute

UNIT = 4  # the texture unit that they stay bound to; 0 to 3 are the atlas's
ATTRIBUTE = 8  # of the vertex array, in shaders/face.vert: pyrender keeps those before to itself


class FaceTextures:
    """An array of as many textures as a pass has pictures; sized by the first ones that it is given."""

    def __init__(self, vertex_array: int, uv: Float32, pictures: int) -> None:
        """uv (V, 2), v up, becomes an attribute of the vertex array, once for each picture's face."""
        self._layers, self._texture, self._side = pictures, 0, 0
        places = np.tile(np.asarray(uv, np.float32) * (1, -1) + (0, 1), (pictures, 1)).astype(np.float32)
        add_attribute(vertex_array, ATTRIBUTE, places)

    def upload(self, textures: UInt8) -> None:
        """Textures (P, S, S, 3) sRGB, row 0 at the top (v = 1), of the first P faces of the pass."""
        from OpenGL import GL

        people, side = len(textures), textures.shape[1]
        if textures.shape[1:] != (side, side, 3) or textures.dtype != np.uint8:
            raise RenderError(f"textures are {textures.shape} {textures.dtype}; wanted (P, S, S, 3) uint8.")
        GL.glActiveTexture(GL.GL_TEXTURE0 + UNIT)
        if side != self._side:
            self._allocate(side)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        pixels = np.ascontiguousarray(textures)
        GL.glTexSubImage3D(
            GL.GL_TEXTURE_2D_ARRAY, 0, 0, 0, 0, side, side, people, GL.GL_RGB, GL.GL_UNSIGNED_BYTE,
            ctypes.c_void_p(pixels.ctypes.data),
        )  # fmt: skip
        GL.glGenerateMipmap(GL.GL_TEXTURE_2D_ARRAY)
        GL.glActiveTexture(GL.GL_TEXTURE0)

    def _allocate(self, side: int) -> None:
        from OpenGL import GL

        if self._texture:
            GL.glDeleteTextures(1, [self._texture])
        self._texture, self._side = int(GL.glGenTextures(1)), side
        GL.glBindTexture(GL.GL_TEXTURE_2D_ARRAY, self._texture)
        GL.glTexImage3D(
            GL.GL_TEXTURE_2D_ARRAY, 0, GL.GL_SRGB8_ALPHA8, side, side, self._layers, 0, GL.GL_RGB,
            GL.GL_UNSIGNED_BYTE, None,
        )  # fmt: skip
        for key, value in (
            (GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR_MIPMAP_LINEAR),
            (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_WRAP_S, GL.GL_CLAMP_TO_EDGE),
            (GL.GL_TEXTURE_WRAP_T, GL.GL_CLAMP_TO_EDGE),
        ):
            GL.glTexParameteri(GL.GL_TEXTURE_2D_ARRAY, key, value)
