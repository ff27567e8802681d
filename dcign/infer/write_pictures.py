"""Writing pictures into one file: side by side in a PNG, or one after another in a GIF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dcign.arrays import UInt8
from dcign.errors import TrainingError
from dcign.storage.atomic import refuse_taken_file, write_atomic

SUFFIXES = (".png", ".gif")
LARGEST_SCALE = 16
LARGEST_SIDE = 16384  # pixels of a PNG's side; some programs do not open larger ones

Array = NDArray[np.generic]  # uint8, or 0..1


def refuse_strip_file(path: str | Path, scale: int = 1, frames_per_second: float = 10) -> Path:
    """Return the path.

    Raises TrainingError if pictures cannot be written to it at this scale and speed, DataError if it is there already.
    """
    where = Path(path)
    if where.suffix.lower() not in SUFFIXES:
        raise TrainingError(f"expected NAME.png, or NAME.gif for an animation, found {where}: choose another --out.")
    refuse_taken_file(where)
    if not where.parent.is_dir():
        raise TrainingError(f"expected the folder {where.parent}, found none: make it or choose another --out.")
    if not 1 <= scale <= LARGEST_SCALE:
        raise TrainingError(f"expected a scale from 1 to {LARGEST_SCALE}, found {scale}: correct it.")
    if not 0.1 <= frames_per_second <= 50:
        raise TrainingError(f"expected 0.1 to 50 frames per second, found {frames_per_second:g}: correct it.")
    return where


def save_strip(
    path: str | Path,
    pictures: Array,
    columns: int,
    beside: Sequence[Array] | Array | None = None,
    scale: int = 1,
    frames_per_second: float = 10,
) -> Path:
    """Write pictures (N, S, S, C): a PNG with rows of `columns` pictures, or a GIF of N frames in an endless loop.

    beside (M, S, S, C): still pictures on the left, before the first row or in every frame.
    scale: how many times pictures are enlarged.

    Raises DataError if the file is there or cannot be written.
    """
    where = refuse_strip_file(path, scale, frames_per_second)
    stills = [] if beside is None else [_enlarged(picture, scale) for picture in beside]
    shown = [_enlarged(picture, scale) for picture in pictures]
    content = io.BytesIO()
    if where.suffix.lower() == ".gif":
        frames = [Image.fromarray(np.concatenate([*stills, picture], axis=1)) for picture in shown]
        frames[0].save(
            content,
            format="GIF",
            save_all=True,
            append_images=frames[1:],
            duration=round(1000 / frames_per_second),
            loop=0,
            optimize=False,
        )
    else:
        Image.fromarray(_sheet(shown, columns, stills)).save(content, format="PNG")
    write_atomic(where, content.getvalue())
    return where


def as_bytes(pictures: NDArray[Any]) -> UInt8:
    """Return pictures as uint8; they are uint8 already, or floats 0..1."""
    if pictures.dtype == np.uint8:
        return pictures
    rounded: UInt8 = (np.clip(pictures, 0, 1) * 255).round().astype(np.uint8)
    return rounded


def _sheet(pictures: list[UInt8], columns: int, stills: list[UInt8]) -> UInt8:
    """Return one picture of rows, with the still pictures before the first row."""
    high, wide = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    shape = (rows * high, (len(stills) + columns) * wide)
    if max(shape) > LARGEST_SIDE:
        raise TrainingError(
            f"expected a PNG of {LARGEST_SIDE} px or fewer per side, found {shape[1]} x {shape[0]} px: ask for fewer "
            "pictures, a smaller --scale, or a GIF."
        )
    sheet = np.zeros((*shape, *pictures[0].shape[2:]), np.uint8)
    placed = [(0, place, picture) for place, picture in enumerate(stills)]
    placed += [(place // columns, len(stills) + place % columns, picture) for place, picture in enumerate(pictures)]
    for row, column, picture in placed:
        sheet[row * high : (row + 1) * high, column * wide : (column + 1) * wide] = picture
    return sheet


def _enlarged(picture: Array, scale: int) -> UInt8:
    """Return a picture (S, S, C) as uint8, enlarged `scale` times; (S, S) if it is gray."""
    shown = as_bytes(picture)
    image = Image.fromarray(shown[..., 0] if shown.shape[-1] == 1 else shown)
    side = scale * picture.shape[0]
    return np.asarray(image if scale == 1 else image.resize((side, side), Image.Resampling.LANCZOS))
