"""What is behind the head: a colour, a random colour, or one of the user's pictures.

Colours are sRGB, 0 to 255. Pictures are cropped to their middle square, scaled to the data set's size and kept in
one file of its folder, so that whoever draws or verifies needs nothing else.
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
from dcign.render.plan.ranges import Range
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import with_local_copy

FILE = "backgrounds.npz"
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
MOST_BYTES = 256 << 20  # of pictures: every worker holds them
COLOUR, GRAY, PICTURE = (
    ("background_red", "background_green", "background_blue"),
    "background_gray",
    "background_picture",
)
Byte = Annotated[int, Meta(ge=0, le=255)]


@dataclass(frozen=True)
class Background:
    """What a data set has behind its heads, as its configuration says it: one of three.

    colour: (red, green, blue) in all pictures; random: a colour drawn anew, gray in gray pictures; pictures: how many
    there are in backgrounds.npz, of which one is drawn, and sha256 of them.
    """

    colour: tuple[Byte, Byte, Byte] | None = None
    random: bool | None = None
    pictures: Annotated[int, Meta(ge=1)] | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        if [self.colour, self.random, self.pictures].count(None) != 2:
            raise RenderError("expected a background of one colour, random colours or pictures, found none or several.")

    def nuisances(self, channels: int) -> dict[str, Range]:
        """Whole numbers that are drawn for each picture, and from where to where."""
        if self.pictures is not None:
            return {PICTURE: Range(0, self.pictures - 1)}
        return dict.fromkeys((COLOUR if channels == 3 else (GRAY,)) if self.random else (), Range(0, 255))


@dataclass(frozen=True, eq=False)
class Backdrops:
    """The user's pictures: names (M,) of their files, hashes (M,) SHA-256 of each, pixels (M, S, S, 3) sRGB."""

    names: tuple[str, ...]
    hashes: tuple[str, ...]
    pixels: UInt8

    @property
    def sha256(self) -> str:
        """Of all there is to it."""
        digest = hashlib.sha256("\n".join([*self.names, *self.hashes, str(self.pixels.shape)]).encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        return digest.hexdigest()

    def file_bytes(self) -> bytes:
        """backgrounds.npz, the same for the same pictures."""
        buffer = io.BytesIO()
        np.savez(buffer, names=np.array(self.names), sha256=np.array(self.hashes), pixels=self.pixels)
        return buffer.getvalue()


def parse_background(words: str, size: int) -> tuple[Background | None, Backdrops | None]:
    """What `--background` says: a colour, "random", or a folder of pictures for images of `size` pixels.

    Raises RenderError for what is none of these, and for a folder without pictures, with too many or a damaged one.
    """
    if words == "random":
        return Background(random=True), None
    try:
        colour = ImageColor.getrgb(words)[:3]
    except ValueError:
        backdrops = read_pictures(Path(words), size)
        return Background(pictures=len(backdrops.names), sha256=backdrops.sha256), backdrops
    return (Background(colour=colour) if any(colour) else None), None


def read_pictures(folder: Path, size: int) -> Backdrops:
    """Every picture in a folder and the folders in it, by name, as squares of `size` pixels.

    Raises RenderError as `asked_background` does.
    """
    if not folder.is_dir():
        raise RenderError(
            f"{folder} is neither a colour nor a folder; give --background a colour (gray, '#336699'), random, or a "
            "folder of pictures."
        )
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    most = MOST_BYTES // (3 * size**2)
    if not 1 <= len(files) <= most:
        raise RenderError(
            f"{folder} holds {len(files):,} pictures ({', '.join(sorted(SUFFIXES))}); wanted 1 to {most:,} at {size} "
            "px: choose another folder for --background."
        )
    names = tuple(path.relative_to(folder).as_posix() for path in files)
    return Backdrops(names, tuple(map(file_sha256, files)), np.stack([_square(path, size) for path in files]))


def read_backdrops(folder: Path, background: Background) -> Backdrops:
    """The pictures that a data set folder keeps.

    Raises RenderError if they are missing, damaged, or not those that the data set was begun with.
    """
    path = folder / FILE
    again = "run `dcign render` again with the same --background, which writes it."
    try:
        with with_local_copy(path, lambda copy: copy.open("rb")) as stream, np.load(stream, allow_pickle=False) as file:
            names, hashes = (tuple(str(word) for word in file[key]) for key in ("names", "sha256"))
            found = Backdrops(names, hashes, file["pixels"])
    except FileNotFoundError:
        raise RenderError(f"{path} is not there, and its pictures are behind the heads: {again}") from None
    except Exception as error:  # zipfile and numpy each have their own
        raise RenderError(f"{path} cannot be read ({error}): {again}") from None
    if found.sha256 != background.sha256:
        raise RenderError(f"{path} holds other pictures than the data set was begun with: {again}")
    return found


def choose_backdrops(
    background: Background, backdrops: Backdrops | None, nuisance: Mapping[str, NDArray[Any]], size: int, count: int
) -> UInt8:
    """What is behind each of `count` heads (N, size, size, 3) sRGB; numbers out of range count as the nearest in it."""
    if backdrops is not None:
        return backdrops.pixels[_whole(nuisance[PICTURE], len(backdrops.pixels) - 1)]
    if background.random:
        colours = np.stack([_whole(nuisance[name if name in nuisance else GRAY], 255) for name in COLOUR], axis=-1)
    else:
        colours = np.array([background.colour])
    return np.broadcast_to(colours[:, None, None], (count, size, size, 3)).astype(np.uint8)


def _whole(numbers: NDArray[Any], most: int) -> Int64:
    return np.asarray(np.clip(np.nan_to_num(numbers), 0, most), np.int64)


def _square(path: Path, size: int) -> UInt8:
    """(size, size, 3)"""
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I"):  # 16 bits of gray
                picture = Image.fromarray((np.asarray(picture, np.uint32) >> 8).clip(0, 255).astype(np.uint8))
            return np.asarray(ImageOps.fit(picture.convert("RGB"), (size, size), Image.Resampling.LANCZOS))
    except Exception as error:  # each of Pillow's plugins has its own
        raise RenderError(
            f"{path} cannot be read as a picture ({error}); wanted whole pictures in --background: mend or remove it."
        ) from None
