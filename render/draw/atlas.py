"""The atlas renderer: the 20 pictures of a batch in one atlas, with three draws and one read-back.

pyrender supplies the context, the vertex array (`Primitive`) and the shader cache. This module adds framebuffers for
the whole batch, GLSL that gives each picture its own view, light and tile, and updates of the vertex buffer in place.
The draws are the faces as the light sees them (shaders/shadow), as the camera sees them (face), and the shading
(shade). 2 x 2 supersampling is faster and better than MSAA on software GL.
"""

from __future__ import annotations

import ctypes
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dcign.arrays import Float32, Int32, Int64, UInt8
from dcign.data.schema import BATCH_SIZE, LANDMARKS
from dcign.errors import RenderError
from dcign.render.draw.landmarks import place_landmarks
from dcign.render.draw.light_pass import LIGHT, LightPass
from dcign.render.draw.mesh import Mesh, gloss_rows
from dcign.render.draw.scene import FINE_SHADOW_BIAS, SHADOW_BIAS, SHADOW_REACH, HeadFrame, Scene
from dcign.render.draw.shadows import FINE_APART, ShadowMaps, VertexBuffers, casters, is_fine, map_slope, map_texels
from dcign.render.draw.truth_pass import DRAWN, Truth, TruthPass, check_drawable_truth
from dcign.render.draw.views import Labels, Views, make_views
from dcign.render.gl.context import Renderer, describe_renderer, open_context
from dcign.render.gl.framebuffers import bind_textures, make_framebuffer, read_pictures
from dcign.render.gl.programs import compiled, draw_instances, set_uniforms
from dcign.render.gl.textures import BACKGROUND_UNIT, FACES_UNIT, BackgroundTexture, FaceTextures

SUPERSAMPLING = 2
PIXELS_PER_PASS = 1_400_000  # 20 pictures up to 264 px; larger ones take several passes and bounded memory
TEXTURES_PER_PASS = 5  # 28 MB of 1,024 texels a side
FLOATS_PER_VERTEX = 10  # position 3, normal 3, colour 4: pyrender's interleaved layout
POSITION, NORMAL, ALBEDO, PART = slice(0, 3), slice(3, 6), slice(6, 9), 9


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces of a batch: one for all pictures, or one per picture.

    positions (P, V, 3) mm, normals (P, V, 3), albedos (P, V, 3) linear light 0..1, with P = 1 or N; textures
    (P, S, S, 3) sRGB, row 0 at the top, if the mesh has uv: they replace the albedos; triangles (P, T, 3) if each face
    has its own, padded with (0, 0, 0).
    """

    positions: Float32
    normals: Float32
    albedos: Float32
    textures: UInt8 | None = None
    triangles: Int32 | None = None


@dataclass(frozen=True, eq=False)
class Pictures:
    """images (N, H, W, C) uint8; mask (N, H, W) uint8, the head's coverage of each pixel, 255 for all of it.

    truth: the layers asked for, name -> (N, H, W) or (N, H, W, 3), but landmarks (N, L, 4).
    """

    images: UInt8
    mask: UInt8
    truth: Truth = field(default_factory=dict)


class AtlasRenderer(AbstractContextManager["AtlasRenderer"]):
    """Draws up to 20 pictures of faces of one mesh at once. Use as a context manager.

    size: pixels of a side; channels: 1 (gray) or 3; background: whether each draw brings backgrounds, or else they are
    black; truth: names of the layers to return.
    """

    def __init__(
        self,
        *,
        size: int,
        channels: int,
        mesh: Mesh,
        head: HeadFrame,
        scene: Scene,
        background: bool = False,
        truth: tuple[str, ...] = (),
    ) -> None:
        if channels not in (1, 3):
            raise RenderError(f"expected 1 channel (gray) or 3 (colour), found {channels}: give one of these.")
        self._size, self._channels, self._head, self._scene = size, channels, head, scene
        self._mesh, self._corners, self._truth = mesh, mesh.triangles.size, truth
        self._tiles = _tiles(size, BATCH_SIZE if mesh.uv is None else TEXTURES_PER_PASS)
        self._tile_positions = np.array([divmod(i, int(self._tiles[0]))[::-1] for i in range(BATCH_SIZE)], np.float32)
        check_drawable_truth(truth, mesh.part_names, mesh.landmarks)
        self._context = open_context()
        try:
            self._prepare(background=background)
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self, *, background: bool) -> None:
        """Create the buffers, programs and textures that all draws share."""
        size, channels, mesh, scene, truth = self._size, self._channels, self._mesh, self._scene, self._truth
        self.renderer: Renderer = describe_renderer()
        self._staging = np.ones((BATCH_SIZE, mesh.vertices, FLOATS_PER_VERTEX), np.float32)
        self._staging[..., PART] = gloss_rows(mesh, scene)
        self._primitive = _add_primitive(self._staging, mesh.triangles)
        gray = ("GRAY",) if channels == 1 else ()
        self._face = compiled("face", *gray, *(("TEXTURED",) if mesh.uv is not None else ()))
        self._paint = None
        if mesh.uv is not None:
            self._paint = FaceTextures(self._primitive._vaid, mesh.uv, int(self._tiles.prod()))
        fine = ("FINE",) if is_fine(mesh, size) else ()
        behind = ("BACKGROUND",) if background else ()
        self._shade = compiled("shade", *gray, *behind, *(("SHADOWS", *fine) if scene.light.shadows else ()))
        self._background = BackgroundTexture(size, int(self._tiles.prod())) if background else None
        self._samples = make_framebuffer(self._tiles * size * SUPERSAMPLING, (4,) if gray else (4, 1), depth=16)
        self._shaded = make_framebuffer(np.array([1, self._tiles.prod()]) * size, (2 if gray else 4,))
        self._shadows = None
        buffers = VertexBuffers(self._primitive._buffers[0], self._primitive._buffers[-1], 4 * FLOATS_PER_VERTEX)
        if scene.light.shadows:
            self._shadows = ShadowMaps(
                mesh,
                buffers,
                self._tiles,
                self._tile_positions,
                texels=map_texels(size, fine=bool(fine)),
                casters=None if mesh.own_triangles else casters(mesh, fine=bool(fine)),
                slope=map_slope(mesh, fine=bool(fine)),
            )
        self._light_pass = None
        if set(truth) & set(LIGHT):
            self._light_pass = LightPass(
                mesh,
                buffers,
                self._tiles,
                self._tile_positions,
                size,
                gray=bool(gray),
                shadows=scene.light.shadows,
                head=self._head,
            )
        self._truth_pass = None
        if set(truth) & set(DRAWN):
            pictures, paint = int(self._tiles.prod()), None if self._paint is None else FACES_UNIT
            self._truth_pass = TruthPass(mesh, self._primitive._vaid, pictures, size, paint)
        self._set_constants()

    def close(self) -> None:
        """Release the context and everything in it. May be called again."""
        self._context.close()

    def draw(self, faces: Faces, labels: Labels, backgrounds: UInt8 | None = None) -> Pictures:
        """Draw N pictures, N <= 20.

        faces: one, or N; labels: name -> (N,), at least azimuth, elevation and light_azimuth: see `make_views`;
        backgrounds (N, H, W, 3) sRGB
        """
        views = make_views(labels, self._head, self._scene)
        count, people = len(views), len(faces.positions)
        if count > BATCH_SIZE or people not in (1, count):
            raise RenderError(
                f"expected 1 face or one per picture, and at most {BATCH_SIZE} pictures, found {people} faces for "
                f"{count} pictures: draw them in several calls."
            )
        for given, wanted, pair in (
            (faces.textures, self._paint is not None, "faces with textures and a mesh with uv"),
            (faces.triangles, self._mesh.own_triangles, "faces with triangles and a mesh with own_triangles"),
            (backgrounds, self._background is not None, "backgrounds and a renderer with background=True"),
        ):
            if (given is not None) != wanted:
                raise RenderError(f"expected {pair} together, found one alone: give both or neither.")
        self._context.make_current()
        drawn = np.empty((count, self._size, self._size, self._channels + 1), np.uint8)
        truth: list[Truth] = []
        per_pass = int(self._tiles.prod())
        for first in range(0, count, per_pass):
            several = slice(first, min(first + per_pass, count))
            shown = several if people > 1 else slice(1)
            if people > 1 or first == 0:
                self._upload(faces, shown)
            if self._background is not None and backgrounds is not None:
                self._background.upload(backgrounds[several])
            found = self._draw(faces.positions[shown], views.part(several), drawn[several])
            truth.append({name: found[name] for name in self._truth if name in found})
        layers = {name: np.concatenate([each[name] for each in truth]) for name in truth[0]}
        return Pictures(np.ascontiguousarray(drawn[..., :-1]), drawn[..., -1], layers)

    def _upload(self, faces: Faces, which: slice) -> None:
        """Overwrite the start of the vertex buffer with some faces."""
        from OpenGL.GL import GL_ARRAY_BUFFER, glBindBuffer, glBufferSubData

        staging = self._staging[: len(faces.positions[which])]
        staging[..., POSITION], staging[..., NORMAL] = faces.positions[which], faces.normals[which]
        staging[..., ALBEDO] = faces.albedos[which]
        glBindBuffer(GL_ARRAY_BUFFER, self._primitive._buffers[0])
        glBufferSubData(GL_ARRAY_BUFFER, 0, staging.nbytes, ctypes.c_void_p(staging.ctypes.data))
        if self._paint is not None and faces.textures is not None:
            self._paint.upload(faces.textures[which])
        if faces.triangles is not None:
            self._upload_triangles(faces.triangles[which])

    def _upload_triangles(self, triangles: Int32) -> None:
        """Overwrite the start of the index buffer, which the shadows share, with the triangles of some faces."""
        from OpenGL.GL import GL_COPY_WRITE_BUFFER, glBindBuffer, glBufferSubData

        self._corners = triangles[0].size
        firsts = self._mesh.vertices * np.arange(len(triangles), dtype=np.int32)
        indices = np.ascontiguousarray(triangles + firsts[:, None, None], np.uint32)
        glBindBuffer(GL_COPY_WRITE_BUFFER, self._primitive._buffers[-1])
        glBufferSubData(GL_COPY_WRITE_BUFFER, 0, indices.nbytes, ctypes.c_void_p(indices.ctypes.data))

    def _draw(self, positions: Float32, views: Views, out: UInt8) -> Truth:
        """Draw one pass: instances of the first face, or one face per picture. Returns their truth."""
        from OpenGL import GL

        instanced = len(positions) == 1
        switches = (GL.GL_DEPTH_TEST, GL.GL_CULL_FACE, *(GL.GL_CLIP_DISTANCE0 + plane for plane in range(4)))
        for switch in switches:
            GL.glEnable(switch)
        if self._shadows is not None:
            self._shadows.draw(views.light_spaces, instanced=instanced, corners=self._corners)
        if self._light_pass is not None:
            self._light_pass.draw_maps(views, instanced=instanced, corners=self._corners)
        self._draw_samples(views, instanced=instanced)
        truth: Truth = {}
        if self._truth_pass is not None:
            truth = self._truth_pass.draw(views.views, views.seen, instanced=instanced, corners=self._corners)
        for switch in switches:
            GL.glDisable(switch)
        spans = face_spans(positions, views.seen, self._size)
        self._shade_samples(views, spans if self._background is None else np.full_like(spans, (0.0, 1.0)))
        read_pictures(0, out)
        if self._light_pass is not None:
            truth |= self._light_pass.draw(views, self._samples, spans)
        if LANDMARKS in self._truth:
            vertices = np.array(list(self._mesh.landmarks.values()))
            truth[LANDMARKS] = place_landmarks(positions, self._mesh.triangles, vertices, views.seen, self._size)
        return truth

    def _draw_samples(self, views: Views, *, instanced: bool) -> None:
        """Draw the samples of all pictures into the atlas."""
        from OpenGL import GL

        self._samples.start()
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        set_uniforms(self._face, views=views.views, lenses=views.lenses, lights=views.lights)
        self._primitive._bind()
        draw_instances(self._corners, len(views), instanced=instanced)

    def _shade_samples(self, views: Views, spans: Float32) -> None:
        """Shade the atlas into pictures one below another. spans (N, 2): left and right end of what is shaded."""
        from OpenGL import GL

        self._shaded.start()
        GL.glViewport(0, 0, self._size, self._size * len(spans))
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        set_uniforms(
            self._shade, pictures=len(spans), light_spaces=views.from_clip, spans=spans, ambients=views.ambient[:, None]
        )
        shadow_map = self._shadows.texture if self._shadows else None
        bind_textures(self._samples.colours[0], self._samples.colours[-1], self._samples.depth, shadow_map)
        GL.glDrawArraysInstanced(GL.GL_TRIANGLE_STRIP, 0, 4, len(spans))
        bind_textures(None, None, None, None)  # a texture must not be read and drawn into at once

    def _set_constants(self) -> None:
        from OpenGL import GL

        mesh, light, skin = self._mesh, self._scene.light, self._scene.skin
        fine = is_fine(mesh, self._size)
        set_uniforms(
            self._face,
            faces_a_vertex=1.0 / mesh.vertices,
            tiles=self._tiles.astype(np.float32),
            tile_positions=self._tile_positions,
            gloss=np.array([(row.broad, row.sharp, row.strands) for row in self._scene.gloss], np.float32),
            paint=FACES_UNIT,
        )
        set_uniforms(
            self._shade,
            surface=0,
            sheen=1,
            depths=2,
            shadow_map=3,
            background=BACKGROUND_UNIT,
            size=self._size,
            tile_positions=self._tile_positions,
            shadow_tiles=1.0 / self._tiles,
            shadow_texel=1.0 / map_texels(self._size, fine=fine),
            apart=FINE_APART,
            bias=np.array(FINE_SHADOW_BIAS if fine else SHADOW_BIAS) / (2 * SHADOW_REACH * self._head.radius),
            fill=light.fill,
            diffuse=light.diffuse,
            scatter=np.array([skin.scatter_red, skin.scatter_green_blue]),
        )
        GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
        GL.glClearColor(0.0, 0.0, 0.0, 0.0)


def face_spans(positions: Float32, seen: Float32, size: int) -> Float32:
    """Return the left and right end of each face, rounded outwards to pixels, in a picture of width 1.

    positions (P, V, 3), seen (N, 4, 4): model space to clip space -> (N, 2)
    """
    across, depth = np.moveaxis(positions @ seen[:, [0, 3], :3].transpose(0, 2, 1) + seen[:, None, [0, 3], 3], -1, 0)
    ends = (0.5 + 0.5 * across / depth) * size
    left, right = np.floor(ends.min(axis=1)), np.ceil(ends.max(axis=1))
    return np.clip(np.stack([left, right], axis=1) / size, 0.0, 1.0)


def _tiles(size: int, most: int) -> Int64:
    """Return columns and rows of an atlas of at most `most` pictures of `size` pixels."""
    pictures = min(most, max(1, PIXELS_PER_PASS // size**2))
    columns = min(5, pictures)
    return np.array([columns, pictures // columns])


def _add_primitive(staging: Float32, triangles: Int32) -> Any:  # pyrender has no types
    from pyrender.primitive import Primitive

    flat = staging.reshape(-1, FLOATS_PER_VERTEX)
    vertices = staging.shape[1]
    indices = np.concatenate([triangles + vertices * face for face in range(BATCH_SIZE)])
    colours = np.ones((len(flat), 4), np.float32)
    primitive = Primitive(positions=flat[:, POSITION], normals=flat[:, NORMAL], color_0=colours, indices=indices)
    primitive._add_to_context()
    return primitive
