"""Pictures and charts as HTML that refers to nothing outside of itself."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from dcign.figures.board import Pictures, Row
from dcign.figures.chart import as_svg
from dcign.figures.sheet import as_bytes

GAP = 2  # pixels between the pictures of a strip, transparent


@dataclass(frozen=True)
class Strip:
    """A block of a row as one image; empty for a place that is left free."""

    source: str
    columns: int
    captions: tuple[str, ...]
    width: int  # pixels of the image
    height: int


def environment() -> Environment:
    """Return what renders the templates beside this file; whatever they are given is escaped."""
    return Environment(
        loader=PackageLoader("dcign.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def strips(row: Row) -> list[Strip]:
    """Return a row's blocks as images with their captions."""
    captions = list(row.captions)
    one = next((block.shape[2] for block in row.blocks if block is not None), 0)
    made = []
    for block in row.blocks:
        count = 1 if block is None else len(block)
        own, captions = tuple(captions[:count]), captions[count:]
        made.append(Strip("", 1, own, one, 0) if block is None else strip_of(block, own))
    return made


def strip_of(pictures: Pictures, captions: tuple[str, ...] = ()) -> Strip:
    """Return pictures side by side as one image."""
    found = as_bytes(pictures)
    count, height, width = found.shape[:3]
    whole = np.zeros((height, count * (width + GAP) - GAP, 4), np.uint8)
    for place, picture in enumerate(found):
        start = place * (width + GAP)
        whole[:, start : start + width, :3] = picture
        whole[:, start : start + width, 3] = 255
    gray = found.shape[-1] == 1
    image = Image.fromarray(whole[..., 2:] if gray else whole, "LA" if gray else "RGBA")
    content = io.BytesIO()
    image.save(content, format="PNG", optimize=True)
    source = "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
    return Strip(source, count, captions, image.width, image.height)


def chart(figure: Figure) -> Markup:
    """Return a chart as an SVG element, its colours the page's."""
    return Markup(as_svg(figure))
