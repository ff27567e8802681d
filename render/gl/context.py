"""An off-screen OpenGL context through EGL, made by pyrender's own platform class."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from dcign.errors import RenderError

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software rasterizer", "swiftshader")


@dataclass(frozen=True)
class Renderer:
    """Who draws: the strings that OpenGL gives. Pixels are identical only where these are."""

    vendor: str
    name: str
    version: str

    @property
    def software(self) -> bool:
        """Whether the CPU draws."""
        return any(word in self.name.lower() for word in SOFTWARE)

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"


class Closeable(ABC):
    """Closed when its `with` ends."""

    @abstractmethod
    def close(self) -> None:
        """Give everything back. May be called again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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
                "this renderer's OpenGL context is gone: it was closed, or something else in this process closed the "
                "display that all share, as pyrender's OffscreenRenderer does when it is deleted; make the renderer "
                "anew, and keep theirs until you are done."
            ) from None

    def close(self) -> None:
        """Give the context and all that lives in it back. May be called again, and after the display was closed."""
        from OpenGL.EGL import eglDestroyContext
        from OpenGL.error import Error

        if self._platform._egl_context is not None:
            with contextlib.suppress(Error):  # whoever closed the display closed this, too
                eglDestroyContext(self._platform._egl_display, self._platform._egl_context)
        # pyrender's platform would close the display when it is collected; without one it leaves it alone.
        self._platform._egl_context = self._platform._egl_display = None


def choose_egl() -> None:
    """Have PyOpenGL, and the window library that importing pyrender imports, look for EGL and not for X11.

    Both read the environment once, when they are first imported.
    """
    os.environ["PYOPENGL_PLATFORM"] = "egl"
    os.environ["PYGLET_HEADLESS"] = "True"


def open_context() -> Context:
    """Make an EGL context and make it current in this thread.

    The device is EGL_DEVICE_ID (default 0), pyrender's own convention.

    Raises RenderError where there is no EGL or no driver behind it.
    """
    choose_egl()
    try:
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
    """The current context's vendor, renderer and version strings."""
    from OpenGL.GL import GL_RENDERER, GL_VENDOR, GL_VERSION, glGetString

    return Renderer(*(glGetString(key).decode() for key in (GL_VENDOR, GL_RENDERER, GL_VERSION)))


if __name__ == "__main__":  # `make setup` asks whether rendering works here
    import sys

    try:
        open_context()
    except RenderError as error:
        sys.exit(str(error))
    print(f"Off-screen OpenGL: {describe_renderer().name}")
