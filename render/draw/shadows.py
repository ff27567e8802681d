"""Shadow maps: the depths of each picture's face as the light sees it, all in one atlas.

Only surfaces that face away from the light are drawn. On a closed surface these are never close to a lit point, so that
no lit point shades itself. In small pictures a quarter of the triangles casts the shadow: see `mesh.shadow_triangles`.
Faces with their own triangles can contain sheets without thickness, whose fronts and backs coincide. For these the map
is moved away from the light, in proportion to a surface's change of depth from texel to texel.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float32, Float64, Int32, Int64
from dcign.data.schema import BATCH_SIZE
from dcign.render.draw.mesh import Mesh, shadow_triangles
from dcign.render.gl.framebuffers import make_framebuffer
from dcign.render.gl.programs import compiled, draw_instances, set_uniforms

LARGE = 256  # pixels: larger pictures are drawn a few at a time, and get the finest shadows
LARGE_IF_TEXTURED = 200  # as in a gallery
TEXELS = (64, 1024)  # of a map's side, at least and at most
TEXELS_PER_PIXEL = 0.75  # a soft edge is then about two pixels wide
FINE_TEXELS_PER_PIXEL = 1.5
FINE_APART = 1.5  # texels between the 4 x 4 lookups of a fine shadow: its edge is then about four pixels wide
# How far a map of own triangles is moved, in multiples of a surface's change of depth per texel: at least as far as a
# lookup reaches.
SLOPE, FINE_SLOPE = 2.0, 3.5


def is_fine(mesh: Mesh, size: int) -> bool:
    """Return whether pictures of `size` pixels get fine shadows, which cost more; textured ones do at smaller sizes."""
    return size > LARGE or (mesh.uv is not None and size >= LARGE_IF_TEXTURED)


def map_texels(size: int, *, fine: bool) -> int:
    """Return the side in texels of the shadow map of a picture of `size` pixels."""
    wanted = round((FINE_TEXELS_PER_PIXEL if fine else TEXELS_PER_PIXEL) * size)
    return min(max(wanted, TEXELS[0]), TEXELS[1])


def casters(mesh: Mesh, *, fine: bool) -> Int32:
    """Return the triangles (T, 3) that cast the shadow: all of them if each face has its own."""
    return mesh.triangles if fine or mesh.own_triangles else shadow_triangles(mesh)


def map_slope(mesh: Mesh, *, fine: bool) -> float:
    """Return how far surfaces in the map move away from the light, in multiples of their change of depth per texel."""
    if not mesh.own_triangles:
        return 0.0
    return FINE_SLOPE if fine else SLOPE


@dataclass(frozen=True)
class VertexBuffers:
    """OpenGL's names of the buffers of faces, one after another: vertices, `stride` bytes each, and triangles.

    A vertex starts with its position.
    """

    vertices: int
    triangles: int
    stride: int


class ShadowMaps:
    """The atlas of shadow maps in the current OpenGL context, one tile per picture."""

    def __init__(
        self,
        mesh: Mesh,
        buffers: VertexBuffers,
        tiles: Int64,
        tile_positions: Float32,
        *,
        texels: int,
        casters: Int32 | None,
        slope: float,
    ) -> None:
        """texels: of a map's side; casters (t, 3): triangles that cast shadows, None: those in the buffer; slope: see
        `map_slope`.
        """
        from OpenGL import GL

        self._own_corners, self._slope = None, slope
        self._program = compiled("shadow")
        set_uniforms(
            self._program,
            faces_a_vertex=1.0 / mesh.vertices,
            tiles=tiles.astype(np.float32),
            tile_positions=tile_positions,
        )
        self._target = make_framebuffer(tiles * texels, depth=16)
        for key, value in (
            (GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_COMPARE_MODE, GL.GL_COMPARE_REF_TO_TEXTURE),
            (GL.GL_TEXTURE_COMPARE_FUNC, GL.GL_LEQUAL),
        ):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, key, value)
        self._vertex_array = GL.glGenVertexArrays(1)
        GL.glBindVertexArray(self._vertex_array)
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffers.vertices)
        GL.glEnableVertexAttribArray(0)
        GL.glVertexAttribPointer(0, 3, GL.GL_FLOAT, False, buffers.stride, ctypes.c_void_p(0))
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, buffers.triangles if casters is None else GL.glGenBuffers(1))
        if casters is not None:
            self._own_corners = casters.size
            indices = np.concatenate([casters + mesh.vertices * face for face in range(BATCH_SIZE)]).astype(np.uint32)
            GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, indices.nbytes, indices, GL.GL_STATIC_DRAW)
        GL.glBindVertexArray(0)

    @property
    def texture(self) -> int | None:
        """The atlas; a lookup compares depths."""
        return self._target.depth

    def draw(self, matrices: Float64, *, instanced: bool, corners: int) -> None:
        """Fill the atlas. Expects depth test, culling and clip planes to be on.

        matrices (N, 4, 4): model space to the space of each picture's map; corners: of one face in the index buffer.
        """
        from OpenGL import GL

        self._target.start()
        GL.glClear(GL.GL_DEPTH_BUFFER_BIT)
        set_uniforms(self._program, light_spaces=matrices)
        GL.glBindVertexArray(self._vertex_array)
        GL.glCullFace(GL.GL_FRONT)
        if self._slope:
            GL.glEnable(GL.GL_POLYGON_OFFSET_FILL)
            GL.glPolygonOffset(self._slope, 0.0)
        draw_instances(self._own_corners or corners, len(matrices), instanced=instanced)
        GL.glDisable(GL.GL_POLYGON_OFFSET_FILL)
        GL.glCullFace(GL.GL_BACK)
        GL.glBindVertexArray(0)
