"""Reading a picture file, and fitting it to a network: a square of the network's size, gray if the network is gray.

Pixels are averaged in linear light and then encoded as sRGB, as in data sets (docs/shard.md). A window is cut out, by
default the middle square. Transparent pixels are blended over black.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dcign.arrays import Float32, UInt8
from dcign.data.schema import GRAY_WEIGHTS
from dcign.errors import TrainingError
from dcign.infer.window import LEAST_SIDE, Window, refuse_outside
from dcign.inputs.light import LINEAR_OF_BYTE, decoded, encoded
from dcign.picture_file import RAISED, picture_fault, refuse_special_file

DEPTHS = (8, 10, 12, 16)  # bits per pixel of a gray picture
MOST_SAMPLES = 8192  # per side of a window, which limits the memory
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


def fitted(picture: Image.Image, size: int, channels: int, window: Window | None = None) -> UInt8:
    """Fit a picture to a network's size and channels (1 or 3): (S, S, C) uint8, sRGB. window: by default the middle.

    Raises TrainingError for a picture that is too small, or a window that shows nothing of it.
    """
    side = min(picture.size)
    if side < LEAST_SIDE:
        wide, high = picture.size
        raise TrainingError(
            f"expected a picture of {LEAST_SIDE} px or more on each side, found {wide} x {high} px: choose a larger "
            "one."
        )
    if window is None:
        left, top = ((length - side) // 2 for length in picture.size)
        square = picture.crop((left, top, left + side, top + side))
        light = [_resized(channel, size) for channel in _linear(square)]
    else:
        refuse_outside(window, *picture.size)
        light = [_cut(channel, window, size) for channel in _linear(picture)]
    linear = np.stack(light, axis=-1)
    if channels == 1:
        linear = linear @ np.array(GRAY_WEIGHTS, np.float32)[:, None]
    return (encoded(np.clip(linear, 0, 1)) * 255).round().astype(np.uint8)


def as_gray(picture: Image.Image) -> UInt8:
    """Return a picture (H, W) in gray as a network sees it, sRGB: over black, and with the white of deep pixels.

    Raises TrainingError for a picture that does not convert to RGB.
    """
    deep = _deep(picture)
    if deep is not None:
        return (encoded(deep) * 255).round().astype(np.uint8)
    black = Image.new("RGBA", picture.size, "black")
    return np.asarray(Image.alpha_composite(black, _with_alpha(picture)).convert("L"))


def _linear(picture: Image.Image) -> Iterator[Float32]:
    """Yield red, green and blue (H, W) as linear light 0..1, blended over black."""
    deep = _deep(picture)
    if deep is not None:
        yield from (deep, deep, deep)
        return
    *colours, alpha = _with_alpha(picture).split()
    opacity = np.asarray(alpha, np.float32) / 255
    for colour in colours:
        yield LINEAR_OF_BYTE[np.asarray(colour)] * opacity


def _with_alpha(picture: Image.Image) -> Image.Image:
    """Return a picture as RGBA."""
    try:
        return picture.convert("RGBA")
    except ValueError:
        raise TrainingError(
            f"expected a picture that converts to RGB, found mode {picture.mode}: save it as RGB."
        ) from None


def _deep(picture: Image.Image) -> Float32 | None:
    """Return a gray picture of more than 8 bits as linear light, or None for any other picture."""
    if picture.mode not in ("F", "I") and not picture.mode.startswith("I;16"):
        return None
    values = np.asarray(picture, np.float32)
    if not np.isfinite(values).all():
        raise TrainingError("expected finite pixel values, found others: save the picture as RGB.")
    return decoded(np.clip(values / _white(values, whole=picture.mode != "F"), 0, 1))


def _white(values: Float32, whole: bool) -> float:
    """Return the value of white: for integers, the largest number of the fewest bits that hold all pixels; else 1, 255.

    Cameras and scanners store 10 or 12 bits in 16. A true 16-bit picture whose brightest pixel is below 4,096 is black.
    """
    ends = [2**bits - 1 for bits in DEPTHS] if whole else [1, 255]
    return next((end for end in ends if values.max() <= end), ends[-1])


def _cut(channel: Float32, window: Window, size: int) -> Float32:
    """Return a window of a channel (H, W), black beyond it: (size, size). Each pixel is the mean of enough samples."""
    finer = min(max(1, math.ceil(window.side / size)), MOST_SAMPLES // size)
    step = window.side / (size * finer)
    cosine, sine = (step * part(math.radians(window.turned)) for part in (math.cos, math.sin))
    half = size * finer / 2
    left = window.x - half * cosine + half * sine
    top = window.y - half * sine - half * cosine
    inverse = (cosine, -sine, left, sine, cosine, top)  # Pillow's: from new to old positions
    padded = np.pad(channel, 1)  # so that the border fades to black where the window reaches beyond it
    moved = (*inverse[:2], inverse[2] + 1, *inverse[3:5], inverse[5] + 1)
    whole = (size * finer, size * finer)
    samples = Image.fromarray(padded).transform(whole, Image.Transform.AFFINE, moved, Image.Resampling.BILINEAR)
    cut: Float32 = np.asarray(samples).reshape(size, finer, size, finer).mean(axis=(1, 3))
    return cut


def _resized(channel: Float32, size: int) -> Float32:
    filtering = SMALLER if len(channel) > size else LARGER
    return np.asarray(Image.fromarray(channel).resize((size, size), filtering))
