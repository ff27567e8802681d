"""The style of charts, and their output: a PNG, or an SVG that takes its colours from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind readers can tell apart. On a page each is a variable of the style sheet,
# so that dark mode can change it.
COLOURS = {
    "ink": "#19191c",
    "pale": "#6e6e75",
    "rule": "#b5b5bb",
    "run": "#0072b2",
    "other": "#d55e00",
    "third": "#009e73",
    "fourth": "#cc79a7",
}
INK, PALE, RULE, RUN, OTHER, THIRD, FOURTH = COLOURS.values()
SERIES = (RUN, OTHER, THIRD, FOURTH)

STYLE: Any = {  # the names and values of matplotlib's own settings
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": PALE,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": PALE,
    "ytick.labelcolor": PALE,
    "axes.unicode_minus": True,
    "svg.fonttype": "none",  # text stays text: it can be searched, and needs few bytes
    "svg.hashsalt": "dcign",  # the same chart gives the same bytes
}


@contextmanager
def chart_style() -> Iterator[None]:
    """Use the style of charts while drawing."""
    with mpl.rc_context(STYLE):
        yield


def as_png(figure: Figure) -> bytes:
    """Return a figure as a PNG on white."""
    content = io.BytesIO()
    with chart_style():
        figure.savefig(content, dpi=130, format="png", facecolor="white")
    return content.getvalue()


def as_svg(figure: Figure) -> str:
    """Return a figure as an SVG element without a background, with the page's variables as colours."""
    content = io.StringIO()
    with chart_style():
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None})
    text = content.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)  # it contains web addresses
    text = re.sub(r'<g id="[^"]*">', "<g>", text)  # unused, and not unique on a page with several charts
    text = re.sub(r' d="[^"]*"', lambda found: _shortened(found.group()), text)
    text = re.sub(r"font: ([^;\"]*?)(\d[\d.]*px) [^;\"]*", r"font-size: \2", text)
    for name, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{name})")
    return re.sub(r">\s+<", "><", text).strip()


def bare(axes: Axes) -> None:
    """Remove the ticks of both axes."""
    axes.set_xticks([])
    axes.set_yticks([])


def _shortened(path: str) -> str:
    """Round coordinates to two decimals."""
    return re.sub(r"\s+", " ", re.sub(r"(\.\d\d)\d+", r"\1", path))
