"""What a picture is of, besides its pixels: depth, normals, albedo and parts, drawn through the middle of each pixel.

One more draw of the batch's faces, without supersampling, so that nothing is mixed: a pixel that shows two surfaces has
the truth of the one that the ray through its middle meets, and zeros where that ray meets none. What depends on light,
visibility and specular, comes from the picture's own shading (shaders/shade.frag), averaged over what the pixel shows;
landmarks are geometry alone (landmarks.py).
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32
from dcign.data.schema import BACKGROUND, BATCH_SIZE, LANDMARKS, PARTS, TRUTH_LAYERS
from dcign.errors import RenderError
from dcign.render.draw.mesh import Mesh
from dcign.render.gl.framebuffers import make_framebuffer, read_pictures
from dcign.render.gl.programs import add_attribute, compiled, set_uniforms

DRAWN = ("depth", "normals", "albedo", "parts")
LIGHT = ("visibility", "specular")
ATTRIBUTE = 9  # of the vertex array, in shaders/truth.vert
MOST_PARTS = 12  # whose shares fit into shaders/truth.vert's SHARES
DEPTH_STEPS = 64.0  # a millimetre: a depth of .016 mm is enough, and compresses to half

Truth = dict[str, NDArray[Any]]


def checked_truth(names: Sequence[str]) -> tuple[str, ...]:
    """The layers asked for, each once, in the order of the format. Raises RenderError for what is none."""
    unknown = [name for name in names if name not in TRUTH_LAYERS]
    if unknown:
        raise RenderError(f"truth {unknown[0]!r} asked for; give --truth some of {','.join(TRUTH_LAYERS)}, or all.")
    return tuple(name for name in TRUTH_LAYERS if name in names)


def parse_truth(text: str) -> tuple[str, ...]:
    """The layers that a comma-separated list names; "all" names all. Raises RenderError for what is none."""
    return TRUTH_LAYERS if text.strip() == "all" else checked_truth([name.strip() for name in text.split(",") if name])


def truth_names(mesh: Mesh, truth: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """What the numbers of parts and the rows of landmarks are called, where these are asked for."""
    names = {PARTS: (BACKGROUND, *mesh.part_names), LANDMARKS: tuple(mesh.landmarks)}
    return {name: names[name] for name in truth if name in names}


def check_drawable_truth(truth: tuple[str, ...], part_names: Sequence[str], landmarks: Mapping[str, int]) -> None:
    """Raise RenderError if a layer is asked for that what is drawn has not, or not as the shaders can draw it."""
    if LANDMARKS in truth and not landmarks:
        raise RenderError("landmarks asked for, and what is drawn here has none; leave them out of --truth.")
    if PARTS in truth and len(part_names) > MOST_PARTS:
        raise RenderError(
            f"truth/{PARTS} asked for, and the model has {len(part_names)} parts; at most {MOST_PARTS} can be told "
            f"apart: leave {PARTS} out of --truth, or merge some."
        )


class TruthPass:
    """Draws the layers of `DRAWN` into an atlas of one column, in the current OpenGL context.

    vertex_array holds the faces that the pictures are drawn from, one after another, and the triangles of all of them.
    """

    def __init__(self, mesh: Mesh, vertex_array: int, pictures: int, size: int, paint: int | None) -> None:
        """pictures: at once; paint: the texture unit of painted faces' textures."""
        self._size = size
        self._program = compiled("truth", *(("TEXTURED",) if paint is not None else ()))
        self._target = make_framebuffer(np.array([1, pictures]) * size, (16, 4), depth=24)
        set_uniforms(self._program, faces_a_vertex=1.0 / mesh.vertices, paint=paint or 0)
        parts = np.tile(mesh.parts.astype(np.float32), BATCH_SIZE)
        add_attribute(vertex_array, ATTRIBUTE, parts[:, None])
        self._vertex_array = vertex_array

    def draw(self, views: Float32, seen: Float32, *, instanced: bool, corners: int) -> Truth:
        """Draw N pictures: views, seen (N, 4, 4), model space to camera and to clip space -> all of `DRAWN`.

        instanced: whether all show the first face, or each its own; corners: of a face's triangles. Depth test, culling
        and clip planes are on.
        """
        from OpenGL import GL

        count = len(views)
        self._target.start()
        GL.glViewport(0, 0, self._size, self._size * count)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        set_uniforms(self._program, views=views, seen=seen, pictures=float(count))
        GL.glBindVertexArray(self._vertex_array)
        copies, faces = (count, 1) if instanced else (1, count)
        GL.glDrawElementsInstanced(GL.GL_TRIANGLES, corners * faces, GL.GL_UNSIGNED_INT, ctypes.c_void_p(0), copies)
        geometry = read_pictures(0, np.empty((count, self._size, self._size, 4), np.float32))[:, ::-1]
        surface = read_pictures(1, np.empty(geometry.shape, np.uint8))[:, ::-1]  # row 0 is at the top from here on
        return {
            "depth": np.round(geometry[..., 3] * DEPTH_STEPS) / np.float32(DEPTH_STEPS),
            "normals": geometry[..., :3].astype(np.float16),
            "albedo": np.ascontiguousarray(surface[..., :3]),
            "parts": np.ascontiguousarray(surface[..., 3]),
        }
