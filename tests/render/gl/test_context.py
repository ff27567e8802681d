"""OpenGL contexts beside someone else's: pyrender's own renderer closes the display that all contexts share."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from benchmarks.render.stock_pyrender import stock_renderer
from dcign.errors import RenderError
from dcign.render.gl.context import choose_egl, describe_renderer, open_context

# In a process of its own: what it does to the display would close every renderer of the tests beside it.
BESIDE_PYRENDER = """
from dcign.render.gl.context import describe_renderer, open_context
from dcign.errors import RenderError
open_context()
from pyrender import OffscreenRenderer

ours, other = open_context(), open_context()
OffscreenRenderer(16, 16).delete()
{after}
try:
    ours.make_current()
except RenderError as error:
    print(error)
ours.close()
ours.close()
other.close()
anew = open_context()
anew.make_current()
print(describe_renderer().name)
"""


def beside_pyrender(after: str = "") -> list[str]:
    program = BESIDE_PYRENDER.format(after=after)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_display_closed_by_pyrender_is_told_and_what_was_in_it_closes() -> None:
    told, name = beside_pyrender()
    assert "expected an open OpenGL context" in told
    assert "make a new renderer" in told
    assert name


def test_a_display_closed_and_opened_again_has_other_contexts() -> None:
    told, name = beside_pyrender(after="another = open_context()")
    assert "expected an open OpenGL context" in told
    assert name


def test_the_benchmarks_own_pyrender_leaves_other_contexts_alone() -> None:
    ours = open_context()
    with stock_renderer(16) as stock:
        assert stock.viewport_width == 16
    ours.make_current()
    assert describe_renderer().name
    ours.close()
    with pytest.raises(RenderError, match="expected an open OpenGL context, found that it was closed"):
        ours.make_current()


def test_pyopengl_accepts_references_under_every_name_that_python_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from OpenGL.plugins import FormatHandler

    reference = type(ctypes.byref(ctypes.c_int()))
    unaware = [handler for handler in FormatHandler.registry if FormatHandler.match(reference) is not handler]
    monkeypatch.setattr(FormatHandler, "registry", unaware)
    assert FormatHandler.match(reference) is None
    choose_egl()
    choose_egl()
    assert FormatHandler.match(reference).load().HANDLED_TYPES[0] is reference
    assert len(unaware) == len({handler.name for handler in unaware})
