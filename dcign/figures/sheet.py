"""A board as a PNG, drawn to the pixel."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dcign.arrays import UInt8
from dcign.figures.board import Board, Group, Pictures, Row
from dcign.run.json_files import write_result

TILE = 104  # pixels that a picture is shown at, whatever its own size
GAP, BLOCK_GAP, GROUP_GAP = 3, 24, 26
LABEL, MARGIN, TITLE = 170, 16, 52  # left of a row, for its label; around; above, for the title
CAPTION, HEADING = 22, 30  # the height of a line of captions, of a group's title
INK, PALE = (25, 25, 28), (110, 110, 116)


def save_board(board: Board, path: Path) -> Path:
    """Write a board as a PNG, whole or not at all."""
    content = io.BytesIO()
    _drawn(board).save(content, format="PNG")
    write_result(path, content.getvalue())
    return path


def as_bytes(pictures: Pictures) -> UInt8:
    """Return pictures as uint8, whether they came so or as floats 0..1."""
    if pictures.dtype == np.uint8:
        return pictures
    rounded: UInt8 = (np.clip(pictures, 0, 1) * 255).round().astype(np.uint8)
    return rounded


def _drawn(board: Board) -> Image.Image:
    left = LABEL + (0 if board.lead is None else 2 * TILE + 2 * MARGIN)
    width = left + max(_width(row) for group in board.groups for row in group.rows) + MARGIN
    image = Image.new("RGB", (width, TITLE + sum(_height(group) for group in board.groups)), "white")
    draw = ImageDraw.Draw(image)
    draw.text((left, 32), board.title, fill=INK, font=_font(17), anchor="ls")
    top = TITLE
    for group in board.groups:
        _draw_group(image, draw, group, left, top)
        top += _height(group)
    if board.lead is not None:
        middle = (TITLE + top - GROUP_GAP) // 2
        _paste(image, board.lead, MARGIN, middle - TILE, 2 * TILE)
        draw.text((MARGIN + TILE, middle - TILE - 10), board.lead_caption, fill=PALE, font=_font(14), anchor="ms")
    return image


def _draw_group(image: Image.Image, draw: ImageDraw.ImageDraw, group: Group, left: int, top: int) -> None:
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
            for place in range(1 if block is None else len(block)):
                where = (x + place * (TILE + GAP) + TILE // 2, top + TILE + 16)
                draw.text(where, next(captions, ""), fill=PALE, font=_font(13), anchor="ms")
            x += _block_width(block) + BLOCK_GAP
        top += TILE + GAP + (CAPTION if row.captions else 0)


def _paste(image: Image.Image, pictures: Pictures, x: int, y: int, tile: int = TILE) -> None:
    for place, picture in enumerate(as_bytes(pictures)):
        channels = picture[..., 0] if picture.shape[-1] == 1 else picture
        shown = Image.fromarray(channels).convert("RGB").resize((tile, tile), Image.Resampling.LANCZOS)
        image.paste(shown, (x + place * (tile + GAP), y))


def _width(row: Row) -> int:
    return sum(_block_width(block) + BLOCK_GAP for block in row.blocks) - BLOCK_GAP


def _block_width(block: Pictures | None) -> int:
    return (1 if block is None else len(block)) * (TILE + GAP) - GAP


def _height(group: Group) -> int:
    rows = sum(TILE + GAP + (CAPTION if row.captions else 0) for row in group.rows)
    return rows + GROUP_GAP + (HEADING if group.title else 0)


def _font(size: int) -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path  # DejaVu comes with it: the same letters on every machine

    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size)
