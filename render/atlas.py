"""The batch renderer: one atlas, one draw, one read-back for the 20 pictures of a batch.

pyrender supplies the context, the vertex array (`Primitive`) and the shader cache; what is ours is one
framebuffer for the whole batch, GLSL that gives each picture its own view, light and tile, and updates of
the vertex buffer in place. 2 x 2 supersampling is faster than MSAA on software GL, and better.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.schema import BATCH_SIZE
from render.context import Closing, Renderer, describe_renderer, open_context
from render.scene import HeadFrame, RenderError, Scene, Skin, light_directions, projection_matrix, view_matrices

SUPERSAMPLING = 2
PIXELS_A_PASS = 1_400_000  # 20 pictures up to 264 px; larger ones take several passes and bounded memory
FLOATS_A_VERTEX = 10  # position 3, normal 3, colour 4: pyrender's interleaved layout
POSITION, NORMAL, ALBEDO = slice(0, 3), slice(3, 6), slice(6, 9)

Float = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces of a batch: one for all pictures, or one for each.

    positions (P, V, 3) mm, normals (P, V, 3), albedos (P, V, 3) linear light 0..1, with P = 1 or N.
    """

    positions: Float
    normals: Float
    albedos: Float


@dataclass(frozen=True, eq=False)
class Pictures:
    """images (N, H, W, C) uint8; mask (N, H, W) uint8, the head's coverage of each pixel, 255 for all of it."""

    images: Bytes
    mask: Bytes


class AtlasRenderer(Closing):
    """Draws up to 20 pictures of faces with the same triangles at once. Use as a context manager.

    size: pixels of a side; channels: 1 (gray) or 3; triangles (T, 3) of faces with `vertices` vertices.
    """

    def __init__(
        self, *, size: int, channels: int, triangles: NDArray[np.int32], vertices: int, head: HeadFrame, scene: Scene
    ) -> None:
        if channels not in (1, 3):
            raise RenderError(f"{channels} channels asked for; a picture has 1 (gray) or 3 (colour).")
        self._size, self._channels, self._head, self._scene = size, channels, head, scene
        self._triangles, self._vertices = len(triangles), vertices
        self._tiles = _tiles(size)
        self._context = open_context()
        self.renderer: Renderer = describe_renderer()
        self._staging = np.ones((BATCH_SIZE, vertices, FLOATS_A_VERTEX), np.float32)
        self._primitive = _add_primitive(self._staging, triangles)
        self._samples = _sample_target(self._tiles * size * SUPERSAMPLING, channels)
        self._resolved = _colour_target(np.array([1, self._tiles.prod()]) * size, channels)
        self._programs = _programs(scene.skin, gray=channels == 1)
        self._set_constants()

    def close(self) -> None:
        """Give the context and all that lives in it back."""
        self._context.close()

    def draw(self, faces: Faces, azimuth: Float, elevation: Float, light_azimuth: Float) -> Pictures:
        """Draw N pictures, N <= 20.

        azimuth, elevation, light_azimuth (N,) degrees; faces: one, or N -> (N, H, W, C), (N, H, W)
        """
        count, people = len(azimuth), len(faces.positions)
        if count > BATCH_SIZE or people not in (1, count):
            raise RenderError(f"{people} faces for {count} pictures; wanted 1 face or one each, at most {BATCH_SIZE}.")
        self._context.make_current()
        views = view_matrices(azimuth, elevation, self._head, self._scene.camera)
        lights = light_directions(light_azimuth, self._scene.light)
        drawn = np.empty((count, self._size, self._size, self._channels + 1), np.uint8)
        in_a_pass = int(self._tiles.prod())
        for first in range(0, count, in_a_pass):
            several = slice(first, min(first + in_a_pass, count))
            self._upload(faces, several if people > 1 else slice(1))
            self._draw_samples(views[several], lights[several], instanced=people == 1)
            self._read_resolved(drawn[several])
        return Pictures(np.ascontiguousarray(drawn[..., :-1]), drawn[..., -1])

    def _upload(self, faces: Faces, which: slice) -> None:
        """Overwrite the start of the vertex buffer with some of the faces."""
        from OpenGL.GL import GL_ARRAY_BUFFER, glBindBuffer, glBufferSubData

        staging = self._staging[: len(faces.positions[which])]
        staging[..., POSITION], staging[..., NORMAL] = faces.positions[which], faces.normals[which]
        staging[..., ALBEDO] = faces.albedos[which]
        glBindBuffer(GL_ARRAY_BUFFER, self._primitive._buffers[0])
        glBufferSubData(GL_ARRAY_BUFFER, 0, staging.nbytes, ctypes.c_void_p(staging.ctypes.data))

    def _draw_samples(self, views: Float, lights: Float, *, instanced: bool) -> None:
        """Fill the atlas with as many pictures as views: instances of the first face, or a face each."""
        from OpenGL import GL

        count = len(views)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._samples.framebuffer)
        GL.glViewport(0, 0, *(int(side) for side in self._tiles * self._size * SUPERSAMPLING))
        for switch in (GL.GL_DEPTH_TEST, GL.GL_CULL_FACE, *(GL.GL_CLIP_DISTANCE0 + plane for plane in range(4))):
            GL.glEnable(switch)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        program = self._programs.face
        GL.glUseProgram(program)
        GL.glUniformMatrix4fv(GL.glGetUniformLocation(program, "views"), count, GL.GL_TRUE, views)
        GL.glUniform3fv(GL.glGetUniformLocation(program, "lights"), count, lights)
        self._primitive._bind()
        copies, faces = (count, 1) if instanced else (1, count)
        GL.glDrawElementsInstanced(
            GL.GL_TRIANGLES, 3 * self._triangles * faces, GL.GL_UNSIGNED_INT, ctypes.c_void_p(0), copies
        )

    def _read_resolved(self, out: Bytes) -> None:
        from OpenGL import GL

        count = len(out)
        for switch in (GL.GL_DEPTH_TEST, GL.GL_CULL_FACE, *(GL.GL_CLIP_DISTANCE0 + plane for plane in range(4))):
            GL.glDisable(switch)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._resolved.framebuffer)
        GL.glViewport(0, 0, self._size, self._size * count)
        GL.glUseProgram(self._programs.resolve)
        GL.glUniform1i(GL.glGetUniformLocation(self._programs.resolve, "pictures"), count)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._samples.texture)
        GL.glDrawArraysInstanced(GL.GL_TRIANGLE_STRIP, 0, 4, count)
        layout = GL.GL_RG if self._channels == 1 else GL.GL_RGBA
        GL.glReadPixels(
            0, 0, self._size, self._size * count, layout, GL.GL_UNSIGNED_BYTE, ctypes.c_void_p(out.ctypes.data)
        )

    def _set_constants(self) -> None:
        from OpenGL import GL

        face, resolve = self._programs.face, self._programs.resolve
        light, skin = self._scene.light, self._scene.skin
        GL.glUseProgram(face)
        GL.glUniform1f(GL.glGetUniformLocation(face, "faces_a_vertex"), 1.0 / self._vertices)
        GL.glUniform2f(GL.glGetUniformLocation(face, "tiles"), *self._tiles)
        GL.glUniformMatrix4fv(
            GL.glGetUniformLocation(face, "projection"),
            1,
            GL.GL_TRUE,
            projection_matrix(self._head, self._scene.camera),
        )
        constants = {
            "ambient": light.ambient,
            "diffuse": light.diffuse,
            "specular": skin.specular,
        }
        for name, value in constants.items():
            GL.glUniform1f(GL.glGetUniformLocation(face, name), value)
        columns = int(self._tiles[0])
        places = np.array([divmod(picture, columns)[::-1] for picture in range(BATCH_SIZE)], np.float32)
        for program in (face, resolve):
            GL.glUseProgram(program)
            GL.glUniform2fv(GL.glGetUniformLocation(program, "places"), BATCH_SIZE, places)
        GL.glUniform1i(GL.glGetUniformLocation(resolve, "size"), self._size)
        GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
        GL.glClearColor(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class _Target:
    framebuffer: int
    texture: int


@dataclass(frozen=True)
class _Programs:
    face: int
    resolve: int


def _tiles(size: int) -> NDArray[np.int64]:
    """Columns and rows of an atlas of at most 20 pictures of `size` pixels."""
    pictures = min(BATCH_SIZE, max(1, PIXELS_A_PASS // size**2))
    columns = min(5, pictures)
    return np.array([columns, pictures // columns])


def _add_primitive(staging: Float, triangles: NDArray[np.int32]) -> Any:  # pyrender has no types
    from pyrender.primitive import Primitive

    flat = staging.reshape(-1, FLOATS_A_VERTEX)
    vertices = staging.shape[1]
    indices = np.concatenate([triangles + vertices * face for face in range(BATCH_SIZE)])
    colours = np.ones((len(flat), 4), np.float32)
    primitive = Primitive(positions=flat[:, POSITION], normals=flat[:, NORMAL], color_0=colours, indices=indices)
    primitive._add_to_context()
    return primitive


def _sample_target(extent: NDArray[np.int64], channels: int) -> _Target:
    from OpenGL import GL

    target = _colour_target(extent, channels)
    depth = GL.glGenRenderbuffers(1)
    GL.glBindRenderbuffer(GL.GL_RENDERBUFFER, depth)
    GL.glRenderbufferStorage(GL.GL_RENDERBUFFER, GL.GL_DEPTH_COMPONENT24, int(extent[0]), int(extent[1]))
    GL.glFramebufferRenderbuffer(GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_RENDERBUFFER, depth)
    return target


def _colour_target(extent: NDArray[np.int64], channels: int) -> _Target:
    """8 bits each of gray or colour, and of coverage."""
    from OpenGL import GL

    inner, outer = (GL.GL_RG8, GL.GL_RG) if channels == 1 else (GL.GL_RGBA8, GL.GL_RGBA)
    texture = GL.glGenTextures(1)
    GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
    GL.glTexImage2D(GL.GL_TEXTURE_2D, 0, inner, int(extent[0]), int(extent[1]), 0, outer, GL.GL_UNSIGNED_BYTE, None)
    for key in (GL.GL_TEXTURE_MIN_FILTER, GL.GL_TEXTURE_MAG_FILTER):
        GL.glTexParameteri(GL.GL_TEXTURE_2D, key, GL.GL_NEAREST)
    framebuffer = GL.glGenFramebuffers(1)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
    GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_COLOR_ATTACHMENT0, GL.GL_TEXTURE_2D, texture, 0)
    return _Target(framebuffer, texture)


def _programs(skin: Skin, *, gray: bool) -> _Programs:
    from pyrender.shader_program import ShaderProgramCache

    cache = ShaderProgramCache(shader_dir=str(Path(__file__).parent / "shaders"))
    defines = {"SHININESS_DOUBLINGS": skin.shininess_doublings} | ({"GRAY": 1} if gray else {})
    compiled = []
    for name in ("face", "resolve"):
        program = cache.get_program(f"{name}.vert", f"{name}.frag", defines=defines)
        program._add_to_context()
        compiled.append(program._program_id)
    return _Programs(*compiled)
