"""The texture of what is behind the heads of one pass: pictures one below another, as they are read back."""

from __future__ import annotations

import ctypes

import numpy as np

from dcign.arrays import UInt8

UNIT = 5  # the texture unit that it stays bound to; 0 to 3 are the atlas's, 4 is the paint's


class BackgroundTexture:
    """Room for the backgrounds of `pictures` pictures of `size` pixels a side, linear when a shader looks them up."""

    def __init__(self, size: int, pictures: int) -> None:
        from OpenGL import GL

        self._size = size
        self._texture = int(GL.glGenTextures(1))
        GL.glActiveTexture(GL.GL_TEXTURE0 + UNIT)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._texture)
        GL.glTexImage2D(
            GL.GL_TEXTURE_2D, 0, GL.GL_SRGB8_ALPHA8, size, size * pictures, 0, GL.GL_RGB, GL.GL_UNSIGNED_BYTE, None
        )
        for key in (GL.GL_TEXTURE_MIN_FILTER, GL.GL_TEXTURE_MAG_FILTER):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, key, GL.GL_NEAREST)
        GL.glActiveTexture(GL.GL_TEXTURE0)

    def upload(self, backgrounds: UInt8) -> None:
        """Backgrounds (N, S, S, 3) sRGB, row 0 at the top, of the pictures of the pass."""
        from OpenGL import GL

        pixels = np.ascontiguousarray(backgrounds)
        GL.glActiveTexture(GL.GL_TEXTURE0 + UNIT)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        GL.glTexSubImage2D(
            GL.GL_TEXTURE_2D, 0, 0, 0, self._size, self._size * len(pixels), GL.GL_RGB, GL.GL_UNSIGNED_BYTE,
            ctypes.c_void_p(pixels.ctypes.data),
        )  # fmt: skip
        GL.glActiveTexture(GL.GL_TEXTURE0)
