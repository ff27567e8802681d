"""Framebuffers that are drawn into and then read as textures."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Int64
from dcign.render.gl.textures import make_texture


@dataclass(frozen=True)
class Framebuffer:
    """A framebuffer of `width` x `height` pixels, its colour textures in order, and its depth texture if it has one."""

    framebuffer: int
    width: int
    height: int
    colours: tuple[int, ...]
    depth: int | None

    def start(self) -> None:
        """Make it the framebuffer that is drawn into."""
        from OpenGL import GL

        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self.framebuffer)
        GL.glViewport(0, 0, self.width, self.height)


def make_framebuffer(extent: Int64, colours: tuple[int, ...] = (), *, depth: int | None = None) -> Framebuffer:
    """Make a framebuffer.

    extent (2,) width and height; colours: bytes of each texture's pixels, 1, 2, 4 or 16 (floats); depth: bits, or None.
    """
    from OpenGL import GL

    width, height = (int(side) for side in extent)
    formats = {
        1: (GL.GL_R8, GL.GL_RED, GL.GL_UNSIGNED_BYTE),
        2: (GL.GL_RG8, GL.GL_RG, GL.GL_UNSIGNED_BYTE),
        4: (GL.GL_RGBA8, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE),
        16: (GL.GL_RGBA32F, GL.GL_RGBA, GL.GL_FLOAT),
    }
    depths = {16: GL.GL_DEPTH_COMPONENT16, 24: GL.GL_DEPTH_COMPONENT24}
    textures = [make_texture((width, height), *formats[size]) for size in colours]
    framebuffer = GL.glGenFramebuffers(1)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
    for number, texture in enumerate(textures):
        GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_COLOR_ATTACHMENT0 + number, GL.GL_TEXTURE_2D, texture, 0)
    GL.glDrawBuffers(max(len(textures), 1), [GL.GL_COLOR_ATTACHMENT0 + i for i in range(len(textures))] or [GL.GL_NONE])
    depth_texture = None
    if depth is not None:
        depth_texture = make_texture((width, height), depths[depth], GL.GL_DEPTH_COMPONENT, GL.GL_FLOAT)
        GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_TEXTURE_2D, depth_texture, 0)
    return Framebuffer(framebuffer, width, height, tuple(textures), depth_texture)


def read_pictures(attachment: int, out: NDArray[Any]) -> NDArray[Any]:  # uint8 or float32
    """Fill `out` (N, H, W, 1, 2 or 4) from a colour attachment of the bound framebuffer, lowest row first."""
    from OpenGL import GL

    count, height, width, channels = out.shape
    layout = {1: GL.GL_RED, 2: GL.GL_RG, 4: GL.GL_RGBA}[channels]
    kind = GL.GL_FLOAT if out.dtype == np.float32 else GL.GL_UNSIGNED_BYTE
    GL.glReadBuffer(GL.GL_COLOR_ATTACHMENT0 + attachment)
    GL.glReadPixels(0, 0, width, height * count, layout, kind, ctypes.c_void_p(out.ctypes.data))
    return out


def bind_textures(*textures: int | None) -> None:
    """Bind the i-th texture to texture unit i."""
    from OpenGL import GL

    for unit, texture in enumerate(textures):
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        GL.glBindTexture(GL.GL_TEXTURE_2D, texture or 0)
    GL.glActiveTexture(GL.GL_TEXTURE0)
