"""One picture as 8-bit gray or colour pixels; what cannot become that without loss is refused.

Palettes become colours, transparent pixels are blended over black, black-and-white becomes gray. The first frame
counts. A picture is turned as its EXIF says.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dcign.arrays import UInt8
from dcign.data.sources.source import wrong
from dcign.errors import DataError
from dcign.picture_file import RAISED, picture_fault, refuse_special_file

GRAY, COLOUR = ("1", "L", "LA", "La"), ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX")  # Pillow's modes
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
ORIENTATION = 0x0112  # EXIF tag; 5 and above swap width and height
Shape = tuple[int, int, int]


def picture_shape(file: Path | bytes, place: str) -> Shape:
    """Return (H, W, C) of a picture, from its header alone. place: file and row for messages.

    Raises DataError if it is none, or has more than 8 bits per channel or other colours than RGB.
    """
    with _opened(file, place) as picture:
        wide, high = picture.size
        # Only of JPEG is the tag in front of the pixels.
        if picture.format == "JPEG" and picture.getexif().get(ORIENTATION, 1) >= 5:
            wide, high = high, wide
        return high, wide, 1 if picture.mode in GRAY else 3


def read_picture(file: Path | bytes, place: str) -> UInt8:
    """Return the pixels of a picture (H, W, C), C 1 or 3.

    Raises DataError as `picture_shape` does, and if the picture is cut short.
    """
    with _opened(file, place) as picture:
        channels = "L" if picture.mode in GRAY else "RGB"
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        if upright.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in upright.info:
            clear = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear)
        pixels = np.asarray(upright.convert(channels))
    return pixels.reshape(*pixels.shape[:2], -1)


def resized(image: UInt8, size: int) -> UInt8:
    """Cut out the middle square of an image (H, W, C) and scale it to (size, size, C), on the stored values.

    Lanczos with its anti-aliasing, as disentanglement_lib scales Cars3D and smallNORB.
    """
    high, wide = image.shape[:2]
    if high == wide == size:
        return image
    side = min(high, wide)
    top, left = (high - side) // 2, (wide - side) // 2
    square = image[top : top + side, left : left + side]
    picture = Image.fromarray(square[..., 0] if image.shape[2] == 1 else square)
    return np.asarray(picture.resize((size, size), Image.Resampling.LANCZOS)).reshape(size, size, -1)


def with_channels(images: UInt8, channels: int) -> UInt8:
    """Return images (n, H, W, C) with 1 channel or 3. Gray is .299 R + .587 G + .114 B of the stored values."""
    if images.shape[-1] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=-1)
    gray = images @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(gray.round().astype(np.uint8)[..., None])


@contextmanager
def _opened(file: Path | bytes, place: str) -> Iterator[Image.Image]:
    """Open a picture. Raises DataError for whatever its reader raises, then and later."""
    try:
        if isinstance(file, Path):
            refuse_special_file(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unusual tags of cameras
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as picture:
                _refuse_mode(picture, place)
                yield picture
    except DataError:
        raise
    except RAISED as error:
        fault = (
            picture_fault(file, error) if isinstance(file, Path) else "one that is damaged or cut short: replace it."
        )
        name = f" in {file.name}" if isinstance(file, Path) else ""
        raise DataError(f"{place}: expected a picture{name}, found {fault}") from None


def _refuse_mode(picture: Image.Image, place: str) -> None:
    if picture.mode not in GRAY + COLOUR:
        deep = picture.mode in ("I", "F") or picture.mode.startswith("I;")
        found = "one of 16 bits or more" if deep else f"one in {picture.mode}"
        raise wrong(place, "a picture of 8-bit gray or RGB", found, "convert it.")
