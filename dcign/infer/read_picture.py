"""Reading a picture file, and fitting it to a network: a square of the network's size, gray if the network is gray.

Pixels are averaged in linear light and then encoded as sRGB, as in data sets (docs/shard.md). The middle square is cut
out. Transparent pixels are blended over black.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dcign.arrays import Float32, Floating, UInt8
from dcign.data.schema import GRAY_WEIGHTS
from dcign.errors import TrainingError
from dcign.picture_file import RAISED, picture_fault, refuse_special_file

DEPTHS = (8, 10, 12, 16)  # bits per pixel of a gray picture
LEAST_SIDE = 8  # pixels of the shorter side; a smaller picture shows nothing that could be read
SMALLER = Image.Resampling.BOX  # the mean over a pixel's area, as in rendering (docs/training.md)
LARGER = Image.Resampling.LANCZOS


def open_picture(path: str | Path, formats: tuple[str, ...] | None = None) -> Image.Image:
    """Read a picture's first frame, rotated as its EXIF says. Raises TrainingError if it cannot be read.

    formats: Pillow's names of the only ones that are read.
    """
    try:
        refuse_special_file(Path(path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unusual tags of cameras
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=formats) as file:
                file.load()
                return ImageOps.exif_transpose(file)
    except RAISED as error:
        raise TrainingError(f"expected a picture in {path}, found {picture_fault(Path(path), error)}") from None


def fitted(picture: Image.Image, size: int, channels: int) -> UInt8:
    """Fit a picture to a network's size and channels (1 or 3): (S, S, C) uint8, sRGB."""
    side = min(picture.size)
    if side < LEAST_SIDE:
        wide, high = picture.size
        raise TrainingError(
            f"expected a picture of {LEAST_SIDE} px or more on each side, found {wide} x {high} px: choose a larger "
            "one."
        )
    left, top = ((length - side) // 2 for length in picture.size)
    square = picture.crop((left, top, left + side, top + side))
    linear = np.stack([_resized(channel, size) for channel in _linear(square)], axis=-1)
    if channels == 1:
        linear = linear @ np.array(GRAY_WEIGHTS, np.float32)[:, None]
    return (_encoded(np.clip(linear, 0, 1)) * 255).round().astype(np.uint8)


def _linear(picture: Image.Image) -> Iterator[Float32]:
    """Yield red, green and blue (H, W) as linear light 0..1, blended over black."""
    deep = _deep(picture)
    if deep is not None:
        yield from (deep, deep, deep)
        return
    try:
        *colours, alpha = picture.convert("RGBA").split()
    except ValueError:
        raise TrainingError(
            f"expected a picture that converts to RGB, found mode {picture.mode}: save it as RGB."
        ) from None
    table = _decoded(np.arange(256, dtype=np.float32) / 255)
    opacity = np.asarray(alpha, np.float32) / 255
    for colour in colours:
        yield table[np.asarray(colour)] * opacity


def _deep(picture: Image.Image) -> Float32 | None:
    """Return a gray picture of more than 8 bits as linear light, or None for any other picture."""
    if picture.mode not in ("F", "I") and not picture.mode.startswith("I;16"):
        return None
    values = np.asarray(picture, np.float32)
    if not np.isfinite(values).all():
        raise TrainingError("expected finite pixel values, found others: save the picture as RGB.")
    return _decoded(np.clip(values / _white(values, whole=picture.mode != "F"), 0, 1))


def _white(values: Float32, whole: bool) -> float:
    """Return the value of white: for integers, the largest number of the fewest bits that hold all pixels; else 1, 255.

    Cameras and scanners store 10 or 12 bits in 16. A true 16-bit picture whose brightest pixel is below 4,096 is black.
    """
    ends = [2**bits - 1 for bits in DEPTHS] if whole else [1, 255]
    return next((end for end in ends if values.max() <= end), ends[-1])


def _resized(channel: Float32, size: int) -> Float32:
    filtering = SMALLER if len(channel) > size else LARGER
    return np.asarray(Image.fromarray(channel).resize((size, size), filtering))


def _decoded(encoded: Floating) -> Float32:
    """Convert sRGB to linear light, both 0..1 (IEC 61966-2-1)."""
    linear: Float32 = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def _encoded(linear: Float32) -> Float32:
    """Convert linear light to sRGB, both 0..1."""
    encoded: Float32 = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded
