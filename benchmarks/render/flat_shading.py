"""The renderer before shadows and skin shading were added, in raw OpenGL: Lambert's law, one highlight, no shadows.

The shaders beside this file are those of that time. They show what the newer shading costs.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.render.raw_opengl import COLUMNS, ROWS, colour_target, compiled
from benchmarks.render.workload import Workload
from dcign.render.gl.context import choose_egl

SHADERS = Path(__file__).parent / "shaders"
SPECULAR, SHININESS_DOUBLINGS = 0.05, 4


def flat_loop(work: Workload) -> Callable[[int], object]:
    """Return a function that draws one batch and reads it back: the work of `raw_loop` without the newer shading."""
    choose_egl()
    from OpenGL import GL
    from pyrender.platforms import egl

    platform = egl.EGLPlatform(16, 16, device=egl.get_device_by_index(int(os.environ.get("EGL_DEVICE_ID", 0))))
    platform.init_context()
    size, scene = work.configuration.size, work.configuration.scene
    width, height = 2 * COLUMNS * size, 2 * ROWS * size
    face, resolve = (
        compiled(SHADERS, name, "GRAY 1", f"SHININESS_DOUBLINGS {SHININESS_DOUBLINGS}") for name in ("face", "resolve")
    )

    vertex_array = GL.glGenVertexArrays(1)
    GL.glBindVertexArray(vertex_array)
    buffer, elements = GL.glGenBuffers(2)
    interleaved = [
        np.ascontiguousarray(np.concatenate([f.positions, f.normals, f.albedos, np.ones_like(f.albedos[..., :1])], -1))
        for f in work.faces
    ]
    GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
    GL.glBufferData(GL.GL_ARRAY_BUFFER, max(data.nbytes for data in interleaved), None, GL.GL_DYNAMIC_DRAW)
    for location, (count, offset) in enumerate(((3, 0), (3, 12), (4, 24))):
        GL.glEnableVertexAttribArray(location)
        GL.glVertexAttribPointer(location, count, GL.GL_FLOAT, False, 40, ctypes.c_void_p(offset))
    vertices = work.model.vertices
    indices = np.concatenate([work.triangles + vertices * copy for copy in range(20)]).astype(np.uint32)
    GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, elements)
    GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, indices.nbytes, indices, GL.GL_STATIC_DRAW)

    samples, samples_texture = colour_target(GL.GL_RG8, GL.GL_RG, width, height)
    depth = GL.glGenRenderbuffers(1)
    GL.glBindRenderbuffer(GL.GL_RENDERBUFFER, depth)
    GL.glRenderbufferStorage(GL.GL_RENDERBUFFER, GL.GL_DEPTH_COMPONENT24, width, height)
    GL.glFramebufferRenderbuffer(GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_RENDERBUFFER, depth)
    resolved, _ = colour_target(GL.GL_RG8, GL.GL_RG, size, 20 * size)
    GL.glBindTexture(GL.GL_TEXTURE_2D, samples_texture)

    views = [work.make_views(kind) for kind in range(len(work.plans))]
    GL.glUseProgram(face)
    at = {
        name: GL.glGetUniformLocation(face, name)
        for name in ("faces_a_vertex", "tiles", "projection", "views", "lights", "ambient", "diffuse", "specular")
    }
    GL.glUniform1f(at["faces_a_vertex"], 1 / vertices)
    GL.glUniform2f(at["tiles"], COLUMNS, ROWS)
    GL.glUniformMatrix4fv(at["projection"], 1, True, views[0].projections[0])
    GL.glUniform1f(at["ambient"], scene.light.ambient)
    GL.glUniform1f(at["diffuse"], scene.light.diffuse)
    GL.glUniform1f(at["specular"], SPECULAR)
    places = np.array([(tile % COLUMNS, tile // COLUMNS) for tile in range(20)], np.float32)
    for program in (face, resolve):
        GL.glUseProgram(program)
        GL.glUniform2fv(GL.glGetUniformLocation(program, "places"), 20, places)
    GL.glUniform1i(GL.glGetUniformLocation(resolve, "pictures"), 20)
    GL.glUniform1i(GL.glGetUniformLocation(resolve, "size"), size)
    GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
    GL.glClearColor(0, 0, 0, 0)
    out = np.empty((20, size, size, 2), np.uint8)
    switches = (GL.GL_DEPTH_TEST, GL.GL_CULL_FACE, *(GL.GL_CLIP_DISTANCE0 + plane for plane in range(4)))

    def draw(batch: int) -> object:
        kind = batch % len(views)
        data = interleaved[kind]
        GL.glBufferSubData(GL.GL_ARRAY_BUFFER, 0, data.nbytes, ctypes.c_void_p(data.ctypes.data))
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, samples)
        GL.glViewport(0, 0, width, height)
        for switch in switches:
            GL.glEnable(switch)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        GL.glUseProgram(face)
        GL.glUniformMatrix4fv(at["views"], 20, True, views[kind].views)
        GL.glUniform3fv(at["lights"], 20, views[kind].lights)
        people = len(data)
        GL.glDrawElementsInstanced(
            GL.GL_TRIANGLES, 3 * len(work.triangles) * people, GL.GL_UNSIGNED_INT, None, 20 // people
        )
        for switch in switches:
            GL.glDisable(switch)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, resolved)
        GL.glViewport(0, 0, size, 20 * size)
        GL.glUseProgram(resolve)
        GL.glDrawArraysInstanced(GL.GL_TRIANGLE_STRIP, 0, 4, 20)
        GL.glReadPixels(0, 0, size, 20 * size, GL.GL_RG, GL.GL_UNSIGNED_BYTE, ctypes.c_void_p(out.ctypes.data))
        return out

    return draw
