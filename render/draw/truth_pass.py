"""Layers of truth besides the image: depth, normals, albedo and parts at the middle of each pixel.

They are one more draw of the batch's faces, without supersampling, so that no surfaces are mixed: a pixel has the truth
of the surface that the ray through its middle meets, and zeros if it meets none. The layers that depend on light,
visibility and specular, are in light_pass.py. Landmarks are computed from geometry (landmarks.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32
from dcign.data.schema import BACKGROUND, BATCH_SIZE, LANDMARKS, PARTS, TRUTH_LAYERS
from dcign.errors import RenderError
from dcign.render.draw.mesh import Mesh
from dcign.render.gl.framebuffers import make_framebuffer, read_pictures
from dcign.render.gl.programs import add_attribute, compiled, draw_instances, set_uniforms

DRAWN = ("depth", "normals", "albedo", "parts")
ATTRIBUTE = 9  # of the vertex array, in shaders/truth.vert
MOST_PARTS = 12  # their shares fit into SHARES of shaders/truth.vert
DEPTH_STEPS = 64.0  # per millimetre: steps of 0.016 mm are enough, and compress to half the size

Truth = dict[str, NDArray[Any]]


def checked_truth(names: Sequence[str]) -> tuple[str, ...]:
    """Return the layers asked for, each once, in the order of the format. Raises RenderError for an unknown one."""
    unknown = [name for name in names if name not in TRUTH_LAYERS]
    if unknown:
        raise RenderError(
            f"expected layers of {','.join(TRUTH_LAYERS)}, or all, found truth {unknown[0]!r}: give --truth some of "
            "them."
        )
    return tuple(name for name in TRUTH_LAYERS if name in names)


def parse_truth(text: str) -> tuple[str, ...]:
    """Return the layers in a comma-separated list; "all" means all. Raises RenderError for an unknown one."""
    return TRUTH_LAYERS if text.strip() == "all" else checked_truth([name.strip() for name in text.split(",") if name])


def truth_names(mesh: Mesh, truth: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the names of the numbers of parts and of the rows of landmarks, if these are asked for."""
    names = {PARTS: (BACKGROUND, *mesh.part_names), LANDMARKS: tuple(mesh.landmarks)}
    return {name: names[name] for name in truth if name in names}


def check_drawable_truth(truth: tuple[str, ...], part_names: Sequence[str], landmarks: Mapping[str, int]) -> None:
    """Raise RenderError if what is drawn lacks a layer asked for, or has more parts than the shaders can draw."""
    if LANDMARKS in truth and not landmarks:
        raise RenderError(
            "expected landmarks for --truth landmarks, found a model without them: leave them out of --truth."
        )
    if PARTS in truth and len(part_names) > MOST_PARTS:
        raise RenderError(
            f"expected at most {MOST_PARTS} parts for truth/{PARTS}, found a model with {len(part_names)}: leave "
            f"{PARTS} out of --truth, or merge some."
        )


class TruthPass:
    """Draws the layers of `DRAWN` into an atlas of one column, in the current OpenGL context.

    vertex_array holds the faces of the pictures, one after another, and the triangles of all of them.
    """

    def __init__(self, mesh: Mesh, vertex_array: int, pictures: int, size: int, paint: int | None) -> None:
        """pictures: most at once; paint: the texture unit of the faces' textures, if they have any."""
        self._size = size
        self._program = compiled("truth", *(("TEXTURED",) if paint is not None else ()))
        self._target = make_framebuffer(np.array([1, pictures]) * size, (16, 4), depth=24)
        set_uniforms(self._program, faces_a_vertex=1.0 / mesh.vertices, paint=paint or 0)
        parts = np.tile(mesh.parts.astype(np.float32), BATCH_SIZE)
        add_attribute(vertex_array, ATTRIBUTE, parts[:, None])
        self._vertex_array = vertex_array

    def draw(self, views: Float32, seen: Float32, *, instanced: bool, corners: int) -> Truth:
        """Draw all layers of `DRAWN`. Expects depth test, culling and clip planes to be on.

        views, seen (N, 4, 4): model space to camera and to clip space; instanced: whether all pictures show the first
        face, or each its own; corners: of one face's triangles.
        """
        from OpenGL import GL

        count = len(views)
        self._target.start()
        GL.glViewport(0, 0, self._size, self._size * count)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        set_uniforms(self._program, views=views, seen=seen, pictures=float(count))
        GL.glBindVertexArray(self._vertex_array)
        draw_instances(corners, count, instanced=instanced)
        geometry = read_pictures(0, np.empty((count, self._size, self._size, 4), np.float32))[:, ::-1]
        surface = read_pictures(1, np.empty(geometry.shape, np.uint8))[:, ::-1]  # row 0 is at the top from here on
        return {
            "depth": np.round(geometry[..., 3] * DEPTH_STEPS) / np.float32(DEPTH_STEPS),
            "normals": geometry[..., :3].astype(np.float16),
            "albedo": np.ascontiguousarray(surface[..., :3]),
            "parts": np.ascontiguousarray(surface[..., 3]),
        }
