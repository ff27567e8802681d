"""Layers of truth that depend on light: visibility and specular, averaged over the face in each pixel.

The picture's own shadows are made for speed. This pass casts shadows again, from all triangles into finer maps, and
looks each of a pixel's samples up at its own place (shaders/light.frag). It changes no picture, and costs nothing where
these layers are not asked for.
"""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float32, Int64
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import SHADOW_REACH, HeadFrame
from dcign.render.draw.shadows import ShadowMaps, VertexBuffers
from dcign.render.draw.truth_pass import Truth
from dcign.render.draw.views import Views
from dcign.render.gl.framebuffers import Framebuffer, bind_textures, make_framebuffer, read_pictures
from dcign.render.gl.programs import compiled, set_uniforms

VISIBILITY = "visibility"
LIGHT = (VISIBILITY, "specular")
TEXELS = (256, 2048)  # of a map's side, at least and at most
TEXELS_PER_PIXEL = 5.0
BIAS = 0.05  # mm towards the light before a lookup: depths are rounded to half of that
LIT_BIAS = -0.3  # the same where n.l >= 0, unless meshes have sheets without thickness
SLOPE = 2.0  # of maps of own triangles: a comparison reaches one texel in both directions
AROUND = 1.5  # texels: farther than a comparison reaches


class LightPass:
    """Draws the layers of `LIGHT` into an atlas of one column, in the current OpenGL context."""

    def __init__(
        self,
        mesh: Mesh,
        buffers: VertexBuffers,
        tiles: Int64,
        tile_positions: Float32,
        size: int,
        *,
        gray: bool,
        shadows: bool,
        head: HeadFrame,
    ) -> None:
        """tiles, tile_positions: of the samples' atlas; gray: whether they are; shadows: whether any are cast."""
        defines = (*(("GRAY",) if gray else ()), *(("SHADOWS",) if shadows else ()))
        self._program, self._size, self._maps = compiled("light", *defines, vertex="shade"), size, None
        self._target = make_framebuffer(np.array([1, tiles.prod()]) * size, (2,))
        texels = light_texels(size)
        if shadows:
            slope = SLOPE if mesh.own_triangles else 0.0
            self._maps = ShadowMaps(mesh, buffers, tiles, tile_positions, texels=texels, casters=None, slope=slope)
        set_uniforms(
            self._program,
            surface=0,
            sheen=1,
            depths=2,
            shadow_map=3,
            size=size,
            tile_positions=tile_positions,
            shadow_tiles=1.0 / tiles,
            shadow_texel=1.0 / texels,
            bias=np.array([BIAS if mesh.own_triangles else LIT_BIAS, BIAS]) / (2 * SHADOW_REACH * head.radius),
            around=AROUND,
        )

    def draw_maps(self, views: Views, *, instanced: bool, corners: int) -> None:
        """Draw the shadow maps. Expects depth test, culling and clip planes to be on."""
        if self._maps is not None:
            self._maps.draw(views.light_spaces, instanced=instanced, corners=corners)

    def draw(self, views: Views, samples: Framebuffer, spans: Float32) -> Truth:
        """Draw the layers of `LIGHT` (N, H, W) uint8. Expects depth test, culling and clip planes to be off.

        samples: the pictures' samples; spans (N, 2): left and right end of each face, in a picture of width 1.
        """
        from OpenGL import GL

        self._target.start()
        GL.glViewport(0, 0, self._size, self._size * len(views))
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        set_uniforms(self._program, pictures=len(views), light_spaces=views.from_clip, spans=spans)
        shadow_map = self._maps.texture if self._maps else None
        bind_textures(samples.colours[0], samples.colours[-1], samples.depth, shadow_map)
        GL.glDrawArraysInstanced(GL.GL_TRIANGLE_STRIP, 0, 4, len(views))
        bind_textures(None, None, None, None)  # a texture must not be read and drawn into at once
        light = read_pictures(0, np.empty((len(views), self._size, self._size, 2), np.uint8))
        return {name: np.ascontiguousarray(light[..., number]) for number, name in enumerate(LIGHT)}


def light_texels(size: int) -> int:
    """Return the side in texels of the shadow map with which the truth of a picture of `size` pixels is drawn."""
    return min(max(round(TEXELS_PER_PIXEL * size), TEXELS[0]), TEXELS[1])
