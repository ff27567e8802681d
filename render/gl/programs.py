"""Shader programs, compiled by pyrender's cache; their uniforms, draws, and vertex attributes that pyrender lacks."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32
from dcign.data.schema import GRAY_WEIGHTS

SHADERS = Path(__file__).parent / "shaders"
# Words in the shaders, and what they are replaced by: numbers and a function that several share.
CONSTANTS = {
    "LUMINANCE": f"vec3{GRAY_WEIGHTS}",
    "SRGB_FROM_LINEAR": (
        "vec3 srgb_from_linear(vec3 c)"
        " { return mix(12.92 * c, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c)); }"
    ),
}


def compiled(name: str, *defines: str, vertex: str | None = None) -> int:
    """Compile shaders/NAME.vert and NAME.frag with these words and the constants defined; return the program.

    vertex: the name of another vertex shader.
    """
    from pyrender.shader_program import ShaderProgramCache

    cache = ShaderProgramCache(shader_dir=str(SHADERS))
    program = cache.get_program(f"{vertex or name}.vert", f"{name}.frag", defines=dict.fromkeys(defines, 1) | CONSTANTS)
    program._add_to_context()
    return int(program._program_id)


def set_uniforms(program: int, **values: float | NDArray[np.floating[Any]]) -> None:
    """Set uniforms by name; names that the program does not use are ignored.

    A value is a float or int, a vector (2,), numbers (N, 1), vectors (N, 2), (N, 3) or (N, 4), or matrices (N, 4, 4).
    """
    from OpenGL import GL

    GL.glUseProgram(program)
    for name, value in values.items():
        at = GL.glGetUniformLocation(program, name)
        if isinstance(value, np.ndarray):
            numbers = np.ascontiguousarray(value, np.float32)
            if numbers.ndim == 3:
                GL.glUniformMatrix4fv(at, len(numbers), GL.GL_TRUE, numbers)
            elif numbers.ndim == 2:
                of_width = {1: GL.glUniform1fv, 2: GL.glUniform2fv, 3: GL.glUniform3fv, 4: GL.glUniform4fv}
                of_width[numbers.shape[1]](at, len(numbers), numbers)
            else:
                GL.glUniform2f(at, *(float(number) for number in numbers))
        elif isinstance(value, int):
            GL.glUniform1i(at, value)
        else:
            GL.glUniform1f(at, value)


def draw_instances(corners: int, pictures: int, *, instanced: bool) -> None:
    """Draw the bound vertex array: `corners` per face, its first face in all pictures, or each picture's own."""
    from OpenGL import GL

    copies, faces = (pictures, 1) if instanced else (1, pictures)
    GL.glDrawElementsInstanced(GL.GL_TRIANGLES, corners * faces, GL.GL_UNSIGNED_INT, ctypes.c_void_p(0), copies)


def add_attribute(vertex_array: int, location: int, values: Float32) -> None:
    """Add an attribute to a vertex array: values (V, 1), (V, 2), (V, 3) or (V, 4)."""
    from OpenGL import GL

    GL.glBindVertexArray(vertex_array)
    GL.glBindBuffer(GL.GL_ARRAY_BUFFER, GL.glGenBuffers(1))
    GL.glBufferData(GL.GL_ARRAY_BUFFER, values.nbytes, np.ascontiguousarray(values), GL.GL_STATIC_DRAW)
    GL.glEnableVertexAttribArray(location)
    GL.glVertexAttribPointer(location, values.shape[1], GL.GL_FLOAT, False, 0, ctypes.c_void_p(0))
    GL.glBindVertexArray(0)
