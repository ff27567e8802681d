"""Textures: made with the filters that we need, and filled with the faces or the backgrounds of one pass."""

from __future__ import annotations

import ctypes

import numpy as np

from dcign.arrays import Float32, UInt8
from dcign.errors import RenderError
from dcign.render.gl.programs import add_attribute

FACES_UNIT, BACKGROUND_UNIT = 4, 5  # texture units that stay bound; 0 to 3 are the atlas's
ATTRIBUTE = 8  # of the vertex array, in shaders/face.vert: pyrender uses those before it


def make_texture(extent: tuple[int, ...], inner: int, outer: int, kind: int, *, mipmaps: bool = False) -> int:
    """Make an empty texture and leave it bound to the active unit.

    extent: width and height, and the number of layers of an array; inner: the format on the device; outer, kind: format
    and type of what is uploaded; mipmaps: whether shaders look up averages, or else the nearest texel.
    """
    from OpenGL import GL

    array = len(extent) == 3
    target = GL.GL_TEXTURE_2D_ARRAY if array else GL.GL_TEXTURE_2D
    texture = int(GL.glGenTextures(1))
    GL.glBindTexture(target, texture)
    (GL.glTexImage3D if array else GL.glTexImage2D)(target, 0, inner, *extent, 0, outer, kind, None)
    for key, value in (
        (GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR_MIPMAP_LINEAR if mipmaps else GL.GL_NEAREST),
        (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR if mipmaps else GL.GL_NEAREST),
        (GL.GL_TEXTURE_WRAP_S, GL.GL_CLAMP_TO_EDGE),
        (GL.GL_TEXTURE_WRAP_T, GL.GL_CLAMP_TO_EDGE),
    ):
        GL.glTexParameteri(target, key, value)
    return texture


class FaceTextures:
    """One texture per face of a pass, in sRGB; OpenGL decodes them and averages them to coarser levels.

    The first upload decides the size.
    """

    def __init__(self, vertex_array: int, uv: Float32, pictures: int) -> None:
        """uv (V, 2), v up, becomes an attribute of the vertex array, once for each picture's face."""
        self._layers, self._texture, self._side = pictures, 0, 0
        downwards = np.tile(np.asarray(uv, np.float32) * (1, -1) + (0, 1), (pictures, 1)).astype(np.float32)
        add_attribute(vertex_array, ATTRIBUTE, downwards)

    def upload(self, textures: UInt8) -> None:
        """Upload textures (P, S, S, 3) sRGB, row 0 at the top (v = 1), of the first P faces of the pass."""
        from OpenGL import GL

        people, side = len(textures), textures.shape[1]
        if textures.shape[1:] != (side, side, 3) or textures.dtype != np.uint8:
            raise RenderError(
                f"expected textures (P, S, S, 3) uint8, found {textures.shape} {textures.dtype}: convert them."
            )
        GL.glActiveTexture(GL.GL_TEXTURE0 + FACES_UNIT)
        if side != self._side:
            if self._texture:
                GL.glDeleteTextures(1, [self._texture])
            extent, self._side = (side, side, self._layers), side
            self._texture = make_texture(extent, GL.GL_SRGB8_ALPHA8, GL.GL_RGB, GL.GL_UNSIGNED_BYTE, mipmaps=True)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        pixels = np.ascontiguousarray(textures)
        GL.glTexSubImage3D(
            GL.GL_TEXTURE_2D_ARRAY, 0, 0, 0, 0, side, side, people, GL.GL_RGB, GL.GL_UNSIGNED_BYTE,
            ctypes.c_void_p(pixels.ctypes.data),
        )  # fmt: skip
        GL.glGenerateMipmap(GL.GL_TEXTURE_2D_ARRAY)
        GL.glActiveTexture(GL.GL_TEXTURE0)


class BackgroundTexture:
    """The backgrounds of `pictures` pictures of `size` pixels, one below another; OpenGL decodes them from sRGB."""

    def __init__(self, size: int, pictures: int) -> None:
        from OpenGL import GL

        self._size = size
        GL.glActiveTexture(GL.GL_TEXTURE0 + BACKGROUND_UNIT)
        make_texture((size, size * pictures), GL.GL_SRGB8_ALPHA8, GL.GL_RGB, GL.GL_UNSIGNED_BYTE)
        GL.glActiveTexture(GL.GL_TEXTURE0)

    def upload(self, backgrounds: UInt8) -> None:
        """Upload backgrounds (N, S, S, 3) sRGB, row 0 at the top, of the pictures of the pass."""
        from OpenGL import GL

        pixels = np.ascontiguousarray(backgrounds)
        GL.glActiveTexture(GL.GL_TEXTURE0 + BACKGROUND_UNIT)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        GL.glTexSubImage2D(
            GL.GL_TEXTURE_2D, 0, 0, 0, self._size, self._size * len(pixels), GL.GL_RGB, GL.GL_UNSIGNED_BYTE,
            ctypes.c_void_p(pixels.ctypes.data),
        )  # fmt: skip
        GL.glActiveTexture(GL.GL_TEXTURE0)
