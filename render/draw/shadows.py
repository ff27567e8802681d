"""Shadow maps: the depths that the light sees of each picture's face, all in one atlas of their own.

Only what faces away from the light is drawn: of a closed surface, what is lit has nothing of it close by, so that no
point of a lit surface shades itself. In small pictures a quarter of the triangles casts the shadow: see
`mesh.shadow_triangles`. Where each face brings its own triangles some may be sheets without thickness, whose backs are
where their fronts are: there the map is moved away from the light by as much as a surface falls from texel to texel.
"""

from __future__ import annotations

import ctypes

import numpy as np

from dcign.arrays import Float32, Float64, Int32, Int64
from dcign.data.schema import BATCH_SIZE
from dcign.render.draw.mesh import Mesh, shadow_triangles
from dcign.render.gl.framebuffers import make_framebuffer
from dcign.render.gl.programs import compiled, set_uniforms

LARGE = 256  # pixels: larger pictures are few at a time, and their shadows as fine as can be
LARGE_IF_PAINTED = 200  # a gallery's
TEXELS = (64, 1024)  # of a map's side, at least and at most
TEXELS_A_PIXEL = 0.75  # between them: a soft edge is then about two pixels wide
TEXELS_A_FINE_PICTURES_PIXEL = 1.5
FINE_APART = 1.5  # texels between the 4 x 4 lookups of a fine shadow: its edge is then about four pixels wide
# Texels' worth of a surface's fall that a map of own triangles is moved by: at least as far as a lookup reaches.
SLOPE, FINE_SLOPE = 2.0, 3.5


def is_fine(mesh: Mesh, size: int) -> bool:
    """Whether pictures of `size` pixels get the fine shadows that cost more; of painted faces smaller ones do."""
    return size > LARGE or (mesh.uv is not None and size >= LARGE_IF_PAINTED)


def map_texels(size: int, *, fine: bool) -> int:
    """Texels of a side of the shadow map of a picture of `size` pixels."""
    wanted = round((TEXELS_A_FINE_PICTURES_PIXEL if fine else TEXELS_A_PIXEL) * size)
    return min(max(wanted, TEXELS[0]), TEXELS[1])


def casters(mesh: Mesh, *, fine: bool) -> Int32:
    """The triangles (T, 3) that cast the shadow; all where each face has its own."""
    return mesh.triangles if fine or mesh.own_triangles else shadow_triangles(mesh)


def map_slope(mesh: Mesh, *, fine: bool) -> float:
    """How many texels' worth of its fall each surface in the map is moved away from the light by."""
    if not mesh.own_triangles:
        return 0.0
    return FINE_SLOPE if fine else SLOPE


class ShadowMaps:
    """The atlas of shadow maps in the current OpenGL context, as many tiles as the pictures have.

    vertex_buffer holds faces one after another, `stride` bytes a vertex, that start with its position; index_buffer
    their triangles, which cast the shadows where each face brings its own.
    """

    def __init__(
        self,
        mesh: Mesh,
        vertex_buffer: int,
        index_buffer: int,
        stride: int,
        tiles: Int64,
        places: Float32,
        size: int,
    ) -> None:
        from OpenGL import GL

        fine = is_fine(mesh, size)
        self._own_corners, self._slope = None, map_slope(mesh, fine=fine)
        self._program = compiled("shadow")
        set_uniforms(self._program, faces_a_vertex=1.0 / mesh.vertices, tiles=tiles.astype(np.float32), places=places)
        self._target = make_framebuffer(tiles * map_texels(size, fine=fine), depth=16)
        for key, value in (
            (GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_COMPARE_MODE, GL.GL_COMPARE_REF_TO_TEXTURE),
            (GL.GL_TEXTURE_COMPARE_FUNC, GL.GL_LEQUAL),
        ):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, key, value)
        self._vertex_array = GL.glGenVertexArrays(1)
        GL.glBindVertexArray(self._vertex_array)
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, vertex_buffer)
        GL.glEnableVertexAttribArray(0)
        GL.glVertexAttribPointer(0, 3, GL.GL_FLOAT, False, stride, ctypes.c_void_p(0))
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, index_buffer if mesh.own_triangles else GL.glGenBuffers(1))
        if not mesh.own_triangles:
            triangles = casters(mesh, fine=fine)
            self._own_corners = triangles.size
            indices = np.concatenate([triangles + mesh.vertices * face for face in range(BATCH_SIZE)]).astype(np.uint32)
            GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, indices.nbytes, indices, GL.GL_STATIC_DRAW)
        GL.glBindVertexArray(0)

    @property
    def texture(self) -> int | None:
        """Compares when it is looked up."""
        return self._target.depth

    def draw(self, matrices: Float64, *, instanced: bool, corners: int) -> None:
        """Fill the atlas. matrices (N, 4, 4): each picture's model space to the space of its map; corners: of a face in
        the index buffer.

        Depth test, culling and clip planes are on.
        """
        from OpenGL import GL

        self._target.start()
        GL.glClear(GL.GL_DEPTH_BUFFER_BIT)
        set_uniforms(self._program, light_spaces=matrices)
        copies, faces = (len(matrices), 1) if instanced else (1, len(matrices))
        GL.glBindVertexArray(self._vertex_array)
        GL.glCullFace(GL.GL_FRONT)
        if self._slope:
            GL.glEnable(GL.GL_POLYGON_OFFSET_FILL)
            GL.glPolygonOffset(self._slope, 0.0)
        GL.glDrawElementsInstanced(
            GL.GL_TRIANGLES, (self._own_corners or corners) * faces, GL.GL_UNSIGNED_INT, ctypes.c_void_p(0), copies
        )
        GL.glDisable(GL.GL_POLYGON_OFFSET_FILL)
        GL.glCullFace(GL.GL_BACK)
        GL.glBindVertexArray(0)
