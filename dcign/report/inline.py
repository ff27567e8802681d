"""Pictures and charts as HTML elements that refer to no other file."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from dcign.figures.chart import as_svg
from dcign.figures.picture_grid import Pictures, Row
from dcign.infer.write_pictures import as_bytes

GAP = 2  # transparent pixels between the pictures of a strip


@dataclass(frozen=True)
class Strip:
    """A block of a row as one image. The source is empty for an empty cell."""

    source: str
    columns: int
    captions: tuple[str, ...]
    width: int  # of the image, pixels
    height: int


def environment() -> Environment:
    """Return the template environment. It escapes all values."""
    return Environment(
        loader=PackageLoader("dcign.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def strips(row: Row) -> list[Strip]:
    """Return the blocks of a row as images with captions."""
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
    for column, picture in enumerate(found):
        start = column * (width + GAP)
        whole[:, start : start + width, :3] = picture
        whole[:, start : start + width, 3] = 255
    gray = found.shape[-1] == 1
    image = Image.fromarray(whole[..., 2:] if gray else whole, "LA" if gray else "RGBA")
    content = io.BytesIO()
    image.save(content, format="PNG", optimize=True)
    source = "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
    return Strip(source, count, captions, image.width, image.height)


def chart(figure: Figure) -> Markup:
    """Return a chart as an SVG element that uses the page's colours."""
    return Markup(as_svg(figure))
