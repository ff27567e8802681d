"""A picture file of any kind, made into what the network sees: a square of its size, gray if it is gray.

As the data set's pictures are (docs/shard.md): light is averaged as light, and sRGB's curve is put on last. The middle
square is cut out; what is transparent lies over black.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dcign.arrays import Float32, Floating, UInt8
from dcign.data.schema import GRAY_WEIGHTS
from dcign.errors import TrainingError

DEPTHS = (8, 10, 12, 16)  # bits of a gray picture
LEAST_SIDE = 8  # pixels of a picture's shorter side: less shows nothing that could be read
SMALLER, LARGER = Image.Resampling.BOX, Image.Resampling.LANCZOS  # a pixel's mean, as it is rendered (docs/training.md)


def open_picture(path: str | Path) -> Image.Image:
    """Read a picture's first frame, turned as its EXIF says; raises TrainingError where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a camera's odd tags
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                file.load()
                return ImageOps.exif_transpose(file)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        limit = (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise TrainingError(f"{path} has more than {limit} million pixels: wanted fewer; make it smaller") from None
    except IsADirectoryError:
        raise TrainingError(f"{path} is a folder: wanted a picture's file") from None
    except FileNotFoundError:
        raise TrainingError(f"there is no {path}: wanted a picture's file") from None
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, MemoryError) as error:
        # What Pillow's many readers raise for files that are damaged, or none of theirs.
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(f"cannot read {path} as a picture ({reason}): wanted a PNG, JPEG or the like") from None


def fitted(picture: Image.Image, size: int, channels: int) -> UInt8:
    """Make a picture what a network of that size and so many channels, 1 or 3, takes: (S, S, C), sRGB."""
    side = min(picture.size)
    if side < LEAST_SIDE:
        wide, high = picture.size
        raise TrainingError(f"the picture is {wide} x {high} px: wanted {LEAST_SIDE} or more on a side")
    left, top = ((length - side) // 2 for length in picture.size)
    square = picture.crop((left, top, left + side, top + side))
    linear = np.stack([_resized(channel, size) for channel in _linear(square)], axis=-1)
    if channels == 1:
        linear = linear @ np.array(GRAY_WEIGHTS, np.float32)[:, None]
    return (_encoded(np.clip(linear, 0, 1)) * 255).round().astype(np.uint8)


def _linear(picture: Image.Image) -> Iterator[Float32]:
    """Yield red, green and blue as linear light 0..1 over black, (H, W) each."""
    deep = _deep(picture)
    if deep is not None:
        yield from (deep, deep, deep)
        return
    try:
        *colours, alpha = picture.convert("RGBA").split()
    except ValueError:
        raise TrainingError(f"a picture of mode {picture.mode} cannot be made RGB: save it as RGB") from None
    table = _decoded(np.arange(256, dtype=np.float32) / 255)
    opacity = np.asarray(alpha, np.float32) / 255
    for colour in colours:
        yield table[np.asarray(colour)] * opacity


def _deep(picture: Image.Image) -> Float32 | None:
    """Return a gray picture of more than 8 bits as linear light; None for any other."""
    if picture.mode not in ("F", "I") and not picture.mode.startswith("I;16"):
        return None
    values = np.asarray(picture, np.float32)
    if not np.isfinite(values).all():
        raise TrainingError("the picture holds values that are no numbers: save it as RGB")
    return _decoded(np.clip(values / _white(values, whole=picture.mode != "F"), 0, 1))


def _white(values: Float32, whole: bool) -> float:
    """Return the value of white: of whole numbers the largest of as few bits as hold them, else 1 or 255.

    Cameras and scanners put 10 or 12 bits into 16. A picture of 16 whose brightest pixel is below 4,096 is black.
    """
    ends = [2**bits - 1 for bits in DEPTHS] if whole else [1, 255]
    return next((end for end in ends if values.max() <= end), ends[-1])


def _resized(channel: Float32, size: int) -> Float32:
    filtering = SMALLER if len(channel) > size else LARGER
    return np.asarray(Image.fromarray(channel).resize((size, size), filtering))


def _decoded(encoded: Floating) -> Float32:
    """sRGB -> linear light, both 0..1 (IEC 61966-2-1)."""
    linear: Float32 = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def _encoded(linear: Float32) -> Float32:
    """Linear light -> sRGB, both 0..1."""
    encoded: Float32 = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded
