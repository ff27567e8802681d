"""The upper limit of rendering speed: OpenGL called directly with our shaders, without our other code."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.render.workload import Workload
from dcign.render.draw.atlas import face_spans
from dcign.render.draw.mesh import gloss_rows
from dcign.render.draw.scene import FINE_SHADOW_BIAS, SHADOW_BIAS, SHADOW_REACH
from dcign.render.draw.shadows import FINE_APART, casters, is_fine, map_texels
from dcign.render.gl.context import choose_egl
from dcign.render.gl.programs import CONSTANTS, set_uniforms

COLUMNS, ROWS = 5, 4
SHADERS = Path(__file__).parents[2] / "render" / "gl" / "shaders"


def raw_loop(work: Workload) -> Callable[[int], object]:
    """Set everything up once, and return a function that draws one batch and reads it back.

    This is one long function on purpose: it shows the whole path, and no layer adds overhead.
    """
    choose_egl()
    from OpenGL import GL
    from pyrender.platforms import egl

    platform = egl.EGLPlatform(16, 16, device=egl.get_device_by_index(int(os.environ.get("EGL_DEVICE_ID", 0))))
    platform.init_context()
    size, scene = work.configuration.size, work.configuration.scene
    width, height = 2 * COLUMNS * size, 2 * ROWS * size
    fine = is_fine(work.mesh, size)
    texels, triangles = map_texels(size, fine=fine), casters(work.mesh, fine=fine)
    defines = ("GRAY 1", "SHADOWS 1", *(("FINE 1",) if fine else ()))
    shadow, face, shade = (compiled(SHADERS, name, *defines) for name in ("shadow", "face", "shade"))

    vertices = work.model.vertices
    gloss = gloss_rows(work.mesh, scene)[:, None]
    interleaved = [
        np.ascontiguousarray(
            np.concatenate([f.positions, f.normals, f.albedos, np.broadcast_to(gloss, (*f.albedos.shape[:2], 1))], -1)
        )
        for f in work.faces
    ]
    buffer = GL.glGenBuffers(1)
    GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
    GL.glBufferData(GL.GL_ARRAY_BUFFER, max(data.nbytes for data in interleaved), None, GL.GL_DYNAMIC_DRAW)
    arrays = []
    for corners in (triangles, work.triangles):
        arrays.append(GL.glGenVertexArrays(1))
        GL.glBindVertexArray(arrays[-1])
        for location, (count, offset) in enumerate(((3, 0), (3, 12), (4, 24))):
            GL.glEnableVertexAttribArray(location)
            GL.glVertexAttribPointer(location, count, GL.GL_FLOAT, False, 40, ctypes.c_void_p(offset))
        indices = np.concatenate([corners + vertices * copy for copy in range(20)]).astype(np.uint32)
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, GL.glGenBuffers(1))
        GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, indices.nbytes, indices, GL.GL_STATIC_DRAW)

    GL.glActiveTexture(GL.GL_TEXTURE1)
    shadow_map, _ = depth_target(COLUMNS * texels, ROWS * texels, compare=True)
    GL.glActiveTexture(GL.GL_TEXTURE0)
    samples, _ = colour_target(GL.GL_RGBA8, GL.GL_RGBA, width, height)
    GL.glActiveTexture(GL.GL_TEXTURE2)
    _, depths = depth_target(width, height, compare=False)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, samples)
    GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_TEXTURE_2D, depths, 0)
    GL.glActiveTexture(GL.GL_TEXTURE3)
    shaded, _ = colour_target(GL.GL_RG8, GL.GL_RG, size, 20 * size)

    light, skin = scene.light, scene.skin
    places = np.array([(tile % COLUMNS, tile // COLUMNS) for tile in range(20)], np.float32)
    table = np.array([(row.broad, row.sharp, row.strands) for row in scene.gloss], np.float32)
    for program in (shadow, face, shade):
        set_uniforms(program, faces_a_vertex=1 / vertices, tiles=np.array([COLUMNS, ROWS]), places=places)
    set_uniforms(face, gloss=table)
    set_uniforms(
        shade, surface=0, shadow_map=1, depths=2, size=size, pictures=20,
        shadow_tiles=np.array([1 / COLUMNS, 1 / ROWS]), shadow_texel=1 / texels,
        apart=FINE_APART, fill=light.fill, diffuse=light.diffuse,
        bias=np.array(FINE_SHADOW_BIAS if fine else SHADOW_BIAS) / (2 * SHADOW_REACH * work.head.radius),
        scatter=np.array([skin.scatter_red, skin.scatter_green_blue]),
    )  # fmt: skip
    GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
    GL.glClearColor(0, 0, 0, 0)
    out = np.empty((20, size, size, 2), np.uint8)
    views = [work.make_views(kind) for kind in range(len(work.plans))]
    from_clip = [each.from_clip for each in views]
    spans = [face_spans(f.positions, each.seen, size) for f, each in zip(work.faces, views, strict=True)]
    switches = (GL.GL_DEPTH_TEST, GL.GL_CULL_FACE, *(GL.GL_CLIP_DISTANCE0 + plane for plane in range(4)))

    def draw(batch: int) -> object:
        kind = batch % len(views)
        data = interleaved[kind]
        people = len(data)
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
        GL.glBufferSubData(GL.GL_ARRAY_BUFFER, 0, data.nbytes, ctypes.c_void_p(data.ctypes.data))
        for switch in switches:
            GL.glEnable(switch)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, shadow_map)
        GL.glViewport(0, 0, COLUMNS * texels, ROWS * texels)
        GL.glClear(GL.GL_DEPTH_BUFFER_BIT)
        set_uniforms(shadow, light_spaces=views[kind].light_spaces)
        GL.glBindVertexArray(arrays[0])
        GL.glCullFace(GL.GL_FRONT)
        GL.glDrawElementsInstanced(GL.GL_TRIANGLES, triangles.size * people, GL.GL_UNSIGNED_INT, None, 20 // people)
        GL.glCullFace(GL.GL_BACK)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, samples)
        GL.glViewport(0, 0, width, height)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        set_uniforms(face, views=views[kind].views, lenses=views[kind].lenses, lights=views[kind].lights)
        GL.glBindVertexArray(arrays[1])
        GL.glDrawElementsInstanced(
            GL.GL_TRIANGLES, work.triangles.size * people, GL.GL_UNSIGNED_INT, None, 20 // people
        )
        for switch in switches:
            GL.glDisable(switch)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, shaded)
        GL.glViewport(0, 0, size, 20 * size)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        set_uniforms(shade, light_spaces=from_clip[kind], spans=spans[kind], ambients=views[kind].ambient[:, None])
        GL.glDrawArraysInstanced(GL.GL_TRIANGLE_STRIP, 0, 4, 20)
        GL.glReadPixels(0, 0, size, 20 * size, GL.GL_RG, GL.GL_UNSIGNED_BYTE, ctypes.c_void_p(out.ctypes.data))
        return out

    return draw


def compiled(folder: Path, name: str, *defines: str) -> int:
    """Compile FOLDER/NAME.vert and NAME.frag, with a line `#define ...` added for each define."""
    from OpenGL import GL
    from OpenGL.GL import shaders

    GL.glBindVertexArray(GL.glGenVertexArrays(1))  # validation needs a bound vertex array
    constants = [*defines, *(f"{name} {value}" for name, value in CONSTANTS.items())]
    lines = "".join(f"#define {each}\n" for each in constants)
    sources = [(folder / f"{name}.{stage}").read_text().replace("\n", f"\n{lines}", 1) for stage in ("vert", "frag")]
    return int(
        shaders.compileProgram(
            shaders.compileShader(sources[0], GL.GL_VERTEX_SHADER),
            shaders.compileShader(sources[1], GL.GL_FRAGMENT_SHADER),
            validate=False,  # fails until the samplers for shadows and for colours have different texture units
        )
    )


def colour_target(inner: int, outer: int, width: int, height: int) -> tuple[int, int]:
    """Return a framebuffer and its colour texture."""
    from OpenGL import GL

    texture, framebuffer = GL.glGenTextures(1), GL.glGenFramebuffers(1)
    GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
    GL.glTexImage2D(GL.GL_TEXTURE_2D, 0, inner, width, height, 0, outer, GL.GL_UNSIGNED_BYTE, None)
    GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MIN_FILTER, GL.GL_NEAREST)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
    GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_COLOR_ATTACHMENT0, GL.GL_TEXTURE_2D, texture, 0)
    return framebuffer, texture


def depth_target(width: int, height: int, *, compare: bool) -> tuple[int, int]:
    """Return a framebuffer without colours and its depth texture. compare: a look-up returns a depth comparison."""
    from OpenGL import GL

    texture, framebuffer = GL.glGenTextures(1), GL.glGenFramebuffers(1)
    GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
    GL.glTexImage2D(
        GL.GL_TEXTURE_2D, 0, GL.GL_DEPTH_COMPONENT16, width, height, 0, GL.GL_DEPTH_COMPONENT, GL.GL_FLOAT, None
    )
    for key in (GL.GL_TEXTURE_MIN_FILTER, GL.GL_TEXTURE_MAG_FILTER):
        GL.glTexParameteri(GL.GL_TEXTURE_2D, key, GL.GL_LINEAR if compare else GL.GL_NEAREST)
    if compare:
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_COMPARE_MODE, GL.GL_COMPARE_REF_TO_TEXTURE)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
    GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_TEXTURE_2D, texture, 0)
    GL.glDrawBuffer(GL.GL_NONE)
    return framebuffer, texture
