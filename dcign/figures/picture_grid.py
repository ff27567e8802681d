"""Pictures in labelled rows, which become a PNG or a part of a page."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dcign.infer.write_pictures import as_bytes
from dcign.run.json_files import write_result

Pictures = NDArray[Any]  # (N, S, S, C): uint8 as rendered, or floats 0..1 as decoded

TILE = 104  # side in pixels of each picture in the PNG, whatever the picture's own size
GAP, BLOCK_GAP, GROUP_GAP = 3, 24, 26
LABEL, MARGIN, TITLE = 170, 16, 52  # left of a row, for its label; around the grid; above it, for the title
CAPTION, HEADING = 22, 30  # height of a line of captions, and of a group's title
INK, PALE = (25, 25, 28), (110, 110, 116)


@dataclass(frozen=True, eq=False)
class Row:
    """A row of pictures, in blocks side by side. A block of None is one empty cell."""

    label: str
    blocks: tuple[Pictures | None, ...]
    note: str = ""  # in small letters, below the label
    captions: tuple[str, ...] = ()  # one per picture
    pale: bool = False  # a reference row: originals, or the renderer's truth

    @property
    def columns(self) -> int:
        """Number of cells, empty ones included."""
        return sum(1 if block is None else len(block) for block in self.blocks)


@dataclass(frozen=True, eq=False)
class RowGroup:
    """Rows under one heading."""

    rows: tuple[Row, ...]
    title: str = ""


@dataclass(frozen=True, eq=False)
class PictureGrid:
    """Groups of rows under a title. The lead is a large picture to the left of all rows."""

    title: str
    groups: tuple[RowGroup, ...]
    lead: Pictures | None = None  # (1, S, S, C)
    lead_caption: str = ""


def save_grid(grid: PictureGrid, path: Path) -> Path:
    """Write a grid as a PNG. Raises TrainingError if the file cannot be written."""
    content = io.BytesIO()
    _drawn(grid).save(content, format="PNG")
    write_result(path, content.getvalue())
    return path


def _drawn(grid: PictureGrid) -> Image.Image:
    left = LABEL + (0 if grid.lead is None else 2 * TILE + 2 * MARGIN)
    width = left + max(_width(row) for group in grid.groups for row in group.rows) + MARGIN
    image = Image.new("RGB", (width, TITLE + sum(_height(group) for group in grid.groups)), "white")
    draw = ImageDraw.Draw(image)
    draw.text((left, 32), grid.title, fill=INK, font=_font(17), anchor="ls")
    top = TITLE
    for group in grid.groups:
        _draw_group(image, draw, group, left, top)
        top += _height(group)
    if grid.lead is not None:
        middle = (TITLE + top - GROUP_GAP) // 2
        _paste(image, grid.lead, MARGIN, middle - TILE, 2 * TILE)
        draw.text((MARGIN + TILE, middle - TILE - 10), grid.lead_caption, fill=PALE, font=_font(14), anchor="ms")
    return image


def _draw_group(image: Image.Image, draw: ImageDraw.ImageDraw, group: RowGroup, left: int, top: int) -> None:
    if group.title:
        draw.text((left, top + 18), group.title, fill=INK, font=_font(15), anchor="ls")
        top += HEADING
    for row in group.rows:
        middle = top + TILE // 2
        draw.text((left - 14, middle), row.label, fill=PALE if row.pale else INK, font=_font(15), anchor="rm")
        draw.text((left - 14, middle + 20), row.note, fill=PALE, font=_font(12), anchor="rm")
        captions = iter(row.captions)
        x = left
        for block in row.blocks:
            if block is not None:
                _paste(image, block, x, top)
            for column in range(1 if block is None else len(block)):
                where = (x + column * (TILE + GAP) + TILE // 2, top + TILE + 16)
                draw.text(where, next(captions, ""), fill=PALE, font=_font(13), anchor="ms")
            x += _block_width(block) + BLOCK_GAP
        top += TILE + GAP + (CAPTION if row.captions else 0)


def _paste(image: Image.Image, pictures: Pictures, x: int, y: int, tile: int = TILE) -> None:
    for column, picture in enumerate(as_bytes(pictures)):
        channels = picture[..., 0] if picture.shape[-1] == 1 else picture
        shown = Image.fromarray(channels).convert("RGB").resize((tile, tile), Image.Resampling.LANCZOS)
        image.paste(shown, (x + column * (tile + GAP), y))


def _width(row: Row) -> int:
    return sum(_block_width(block) + BLOCK_GAP for block in row.blocks) - BLOCK_GAP


def _block_width(block: Pictures | None) -> int:
    return (1 if block is None else len(block)) * (TILE + GAP) - GAP


def _height(group: RowGroup) -> int:
    rows = sum(TILE + GAP + (CAPTION if row.captions else 0) for row in group.rows)
    return rows + GROUP_GAP + (HEADING if group.title else 0)


def _font(size: int) -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path  # matplotlib ships DejaVu, so that all machines draw the same letters

    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size)
