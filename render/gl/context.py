"""An off-screen OpenGL context through EGL, made by pyrender's platform class."""

from __future__ import annotations

import contextlib
import ctypes
import os
from dataclasses import dataclass
from typing import Any

from dcign.errors import RenderError

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software rasterizer", "swiftshader")


@dataclass(frozen=True)
class Renderer:
    """The strings by which OpenGL names its renderer. Pixels are identical only if these are."""

    vendor: str
    name: str
    version: str

    @property
    def software(self) -> bool:
        """Whether the renderer draws on the CPU."""
        return any(word in self.name.lower() for word in SOFTWARE)

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"


class Context:
    """One EGL context, owned through pyrender's platform class.

    The display stays open when a context is closed: other contexts of the process share it.
    """

    def __init__(self, platform: Any) -> None:  # Any: pyrender has no types
        self._platform = platform

    def make_current(self) -> None:
        """Let this thread's OpenGL calls go to this context.

        Raises RenderError if the context is closed, or gone with its display.
        """
        from OpenGL.error import Error

        try:
            self._platform.make_current()
        except (Error, AssertionError):
            raise RenderError(
                "expected an open OpenGL context, found that it was closed, or that other code in this process closed "
                "the display that all contexts share, as pyrender's OffscreenRenderer does when it is deleted: make a "
                "new renderer, and keep theirs until you are done."
            ) from None

    def close(self) -> None:
        """Release the context and everything in it. May be called again, and after the display was closed."""
        from OpenGL.EGL import eglDestroyContext
        from OpenGL.error import Error

        if self._platform._egl_context is not None:
            with contextlib.suppress(Error):  # closing the display has closed this, too
                eglDestroyContext(self._platform._egl_display, self._platform._egl_context)
        # When pyrender's platform is collected it closes its display. Take the display away, as other contexts need it.
        self._platform._egl_context = self._platform._egl_display = None


def choose_egl() -> None:
    """Make PyOpenGL, and the window library that pyrender imports, look for EGL instead of X11.

    Both read the environment once, when they are first imported. It also prepares PyOpenGL for Python 3.12 and later.
    """
    os.environ["PYOPENGL_PLATFORM"] = "egl"
    os.environ["PYGLET_HEADLESS"] = "True"
    _accept_references()


def open_context() -> Context:
    """Make an EGL context and make it current in this thread.

    The environment variable EGL_DEVICE_ID names the device (default 0), as in pyrender.

    Raises RenderError where there is no EGL or no driver behind it.
    """
    try:
        choose_egl()
        from pyrender.platforms import egl

        platform = egl.EGLPlatform(16, 16, device=egl.get_device_by_index(int(os.environ.get("EGL_DEVICE_ID", 0))))
        platform.init_context()
    except Exception as error:  # PyOpenGL fails in many ways: ImportError, AttributeError, its own, IndexError
        raise RenderError(
            f"no off-screen OpenGL here ({type(error).__name__}: {str(error) or 'EGL did not start'}); rendering "
            "needs EGL and a driver: run `make setup`, or install libegl1 and libgl1-mesa-dri (Debian, Ubuntu) or "
            "mesa-libEGL and mesa-dri-drivers (Fedora)."
        ) from None
    return Context(platform)


def describe_renderer() -> Renderer:
    """Return the current context's vendor, renderer and version strings."""
    from OpenGL.GL import GL_RENDERER, GL_VENDOR, GL_VERSION, glGetString

    return Renderer(*(glGetString(key).decode() for key in (GL_VENDOR, GL_RENDERER, GL_VERSION)))


def _accept_references() -> None:
    """Let PyOpenGL accept what `ctypes.byref` returns, by which it passes the numbers that OpenGL fills in.

    It knows types by name, and Python 3.12 moved this one to another module. PyOpenGL 3.1.7 and later know the new
    name, but pyrender asks for 3.1.0.
    """
    from OpenGL.plugins import FormatHandler

    reference = type(ctypes.byref(ctypes.c_int()))
    if FormatHandler.match(reference) is None:
        FormatHandler(
            "reference",
            "OpenGL.arrays.ctypesparameters.CtypesParameterHandler",
            [f"{reference.__module__}.{reference.__name__}"],
            isOutput=True,
        )


if __name__ == "__main__":  # `make setup` asks whether rendering works here
    import sys

    try:
        open_context()
    except RenderError as error:
        sys.exit(str(error))
    print(f"Off-screen OpenGL: {describe_renderer().name}")
