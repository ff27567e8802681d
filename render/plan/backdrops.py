"""What is behind the head: a colour, a random colour, or one of the user's pictures.

Colours are sRGB, 0 to 255. Pictures are cropped to their middle square, scaled to the data set's size and stored in
one file of its folder, so that drawing and verifying need nothing else.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageOps

from dcign.arrays import Int64, UInt8
from dcign.errors import RenderError
from dcign.foreign import archive_fault
from dcign.picture_file import RAISED, picture_fault, refuse_special_file
from dcign.render.plan.ranges import Range
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import expand_home, with_local_copy
from dcign.storage.tree import entries_below

FILE = "backgrounds.npz"
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
MOST_BYTES = 256 << 20  # of all pictures: every worker holds them in memory
COLOUR = ("background_red", "background_green", "background_blue")
GRAY, PICTURE = "background_gray", "background_picture"
Byte = Annotated[int, Meta(ge=0, le=255)]


@dataclass(frozen=True)
class Background:
    """The field of a configuration that says what is behind the heads: one of three.

    colour: (red, green, blue) of all pictures; random: a random colour, gray in gray pictures; pictures: a random one
    of so many in backgrounds.npz, whose hash is sha256.
    """

    colour: tuple[Byte, Byte, Byte] | None = None
    random: bool | None = None
    pictures: Annotated[int, Meta(ge=1)] | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        if [self.colour, self.random, self.pictures].count(None) != 2:
            raise RenderError("expected a background of one colour, random colours or pictures, found none or several.")

    def nuisances(self, channels: int) -> dict[str, Range]:
        """Return the nuisances that are drawn as integers for each picture, and their ranges."""
        if self.pictures is not None:
            return {PICTURE: Range(0, self.pictures - 1)}
        return dict.fromkeys((COLOUR if channels == 3 else (GRAY,)) if self.random else (), Range(0, 255))


@dataclass(frozen=True, eq=False)
class Backdrops:
    """The user's M pictures: names of their files, hashes (SHA-256) of each, pixels (M, S, S, 3) sRGB."""

    names: tuple[str, ...]
    hashes: tuple[str, ...]
    pixels: UInt8

    @property
    def sha256(self) -> str:
        """Hash of the names, the hashes and the pixels."""
        digest = hashlib.sha256("\n".join([*self.names, *self.hashes, str(self.pixels.shape)]).encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        return digest.hexdigest()

    def file_bytes(self) -> bytes:
        """Return the bytes of backgrounds.npz, the same for the same pictures."""
        buffer = io.BytesIO()
        np.savez(buffer, names=np.array(self.names), sha256=np.array(self.hashes), pixels=self.pixels)
        return buffer.getvalue()


def parse_background(text: str, size: int) -> tuple[Background | None, Backdrops | None]:
    """Parse `--background`: a colour, "random", or a folder of pictures for images of `size` pixels.

    Raises RenderError for any other text, and for a folder with no pictures, too many or a damaged one.
    """
    if text == "random":
        return Background(random=True), None
    try:
        colour = ImageColor.getrgb(text)[:3]
    except ValueError:
        backdrops = read_pictures(Path(expand_home(text)), size)
        return Background(pictures=len(backdrops.names), sha256=backdrops.sha256), backdrops
    return (Background(colour=colour) if any(colour) else None), None


def read_pictures(folder: Path, size: int) -> Backdrops:
    """Read every picture in a folder, its subfolders and those behind links, sorted by name, as squares of `size` px.

    Raises RenderError as `parse_background` does.
    """
    if not folder.is_dir():
        raise RenderError(
            f"expected --background with a colour (gray, '#336699'), random, or a folder of pictures, found {folder}: "
            "give one of these."
        )
    try:
        files = [path for path in entries_below(folder) if path.suffix.lower() in SUFFIXES and path.is_file()]
    except OSError as error:
        raise RenderError(
            f"expected a readable folder for --background, found {error.filename} ({error.strerror}): check its "
            "permissions."
        ) from None
    most = MOST_BYTES // (3 * size**2)
    if not 1 <= len(files) <= most:
        raise RenderError(
            f"expected 1 to {most:,} pictures of {size} px ({', '.join(sorted(SUFFIXES))}), found {len(files):,} in "
            f"{folder}: choose another folder for --background."
        )
    names = tuple(path.relative_to(folder).as_posix() for path in files)
    return Backdrops(names, tuple(map(file_sha256, files)), np.stack([_square(path, size) for path in files]))


def read_backdrops(folder: Path, background: Background) -> Backdrops:
    """Read the pictures of a data set folder.

    Raises RenderError if they are missing, damaged, or not the pictures that the data set was started with.
    """
    path = folder / FILE
    again = "run `dcign render` again with the same --background, which writes it"
    try:
        with with_local_copy(path, lambda copy: copy.open("rb")) as stream, np.load(stream, allow_pickle=False) as file:
            names, hashes = (tuple(str(word) for word in file[key]) for key in ("names", "sha256"))
            found = Backdrops(names, hashes, file["pixels"])
    except FileNotFoundError:
        raise RenderError(f"expected the pictures behind the heads in {path}, found no such file: {again}.") from None
    except Exception as error:  # zipfile and numpy raise many kinds
        raise RenderError(f"expected pictures in {path}, found {archive_fault(path, error)}: {again}.") from None
    if found.sha256 != background.sha256:
        raise RenderError(f"expected the pictures that the data set was started with, found others in {path}: {again}.")
    return found


def choose_backdrops(
    background: Background, backdrops: Backdrops | None, nuisance: Mapping[str, NDArray[Any]], size: int, count: int
) -> UInt8:
    """Return what is behind N = `count` heads, (N, size, size, 3) sRGB. Numbers out of range are clipped."""
    if backdrops is not None:
        return backdrops.pixels[_clipped(nuisance[PICTURE], len(backdrops.pixels) - 1)]
    if background.random:
        colours = np.stack([_clipped(nuisance[name if name in nuisance else GRAY], 255) for name in COLOUR], axis=-1)
    else:
        colours = np.array([background.colour])
    return np.broadcast_to(colours[:, None, None], (count, size, size, 3)).astype(np.uint8)


def _clipped(numbers: NDArray[Any], most: int) -> Int64:
    """Return integers 0 to `most`; NaN becomes 0."""
    return np.asarray(np.clip(np.nan_to_num(numbers), 0, most), np.int64)


def _square(path: Path, size: int) -> UInt8:
    """Read the middle square of a picture as (size, size, 3) sRGB."""
    try:
        refuse_special_file(path)
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I"):  # gray with 16 bits
                picture = Image.fromarray((np.asarray(picture, np.uint32) >> 8).clip(0, 255).astype(np.uint8))
            return np.asarray(ImageOps.fit(picture.convert("RGB"), (size, size), Image.Resampling.LANCZOS))
    except RAISED as error:
        raise RenderError(
            f"expected a picture for --background in {path}, found {picture_fault(path, error)}"
        ) from None
