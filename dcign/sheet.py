"""A sheet of pictures with captions, drawn to the pixel."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dcign.aside import write_result

TILE = 104  # pixels that a picture is shown at, whatever its own size
GAP = 3
INK, PALE = (25, 25, 28), (120, 120, 126)


class Sheet:
    """A white sheet that pictures and words are put on; positions in pixels from the top left."""

    def __init__(self, width: int, height: int) -> None:
        self._image = Image.new("RGB", (width, height), "white")
        self._draw = ImageDraw.Draw(self._image)

    def pictures(self, x: int, y: int, pictures: NDArray[np.generic], tile: int = TILE) -> None:
        """Put pictures in a row: (N, S, S, C), uint8 or 0..1."""
        for place, picture in enumerate(pictures):
            self._image.paste(_tile(picture, tile), (x + place * (tile + GAP), y))

    def words(self, x: int, y: int, text: str, size: int = 15, anchor: str = "ls", pale: bool = False) -> None:
        """Put text; anchor is Pillow's: l, m or r, then s for the base line or m for the middle."""
        self._draw.text((x, y), text, fill=PALE if pale else INK, font=_font(size), anchor=anchor)

    def save(self, path: str | Path) -> Path:
        """Write a PNG, whole or not at all."""
        content = io.BytesIO()
        self._image.save(content, format="PNG")
        write_result(Path(path), content.getvalue())
        return Path(path)


def row_width(count: int, tile: int = TILE) -> int:
    """Return the width of a row of pictures."""
    return count * (tile + GAP) - GAP


def _tile(picture: NDArray[np.generic], tile: int) -> Image.Image:
    if picture.dtype != np.uint8:
        picture = (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
    channels = picture[..., 0] if picture.shape[-1] == 1 else picture
    return Image.fromarray(channels).convert("RGB").resize((tile, tile), Image.Resampling.LANCZOS)


def _font(size: int) -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path  # DejaVu comes with it: the same letters on every machine

    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size)
