"""What every reader of other people's data gives: label columns, a stream of images, and where they came from.

N images; row r of every column belongs to image r. Values of circular columns are degrees; those of categorical columns
are indices of classes.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dcign.arrays import Float64, Int64, UInt8
from dcign.data.damage import shown
from dcign.data.schema import FULL_TURN, Factor
from dcign.errors import DataError
from dcign.storage.atomic import file_sha256

BLOCK_BYTES = 32 << 20  # of images that a reader yields at once
ANGLES = {"degree": 1.0, "radian": 180 / np.pi, "turn": FULL_TURN}  # unit -> degrees
MOST_CLASSES = 64  # of a text column that is taken for a factor unasked


@dataclass(frozen=True, eq=False)
class Column:
    """One label of every image: the factor that it would be, and its values (N,).

    texts: what numbers were written as (N), where that tells more of them apart than the numbers do, such as 1e3 and
    1000; "" where there is none.
    """

    factor: Factor
    values: Float64
    texts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The factor's name."""
        return self.factor.name

    def circular(self, units: str | None = None) -> Column:
        """Return the column as an angle in degrees from 0 up to 360; units: what the values are in."""
        scale = ANGLES[units or (self.factor.units if self.factor.units in ANGLES else "degree")]
        degrees = np.mod(np.round(self.values * scale, 9), FULL_TURN)
        return Column(replace(self.factor, units="degree", circular=True, classes=()), degrees)

    def as_written(self) -> Column:
        """Return the column as classes of its texts, if it has any."""
        if not self.texts:
            return self
        names, codes = text_classes(self.texts)
        return Column(replace(self.factor, units="", classes=names), codes)

    def categorical(self) -> Column:
        """Return the column as indices of classes, in ascending order of its values."""
        if self.factor.classes:
            return self
        levels, codes = np.unique(self.values, return_inverse=True)
        names = tuple(f"{level:g}" for level in levels)
        return Column(replace(self.factor, units="", circular=False, classes=names), codes.astype(np.float64))


@dataclass(frozen=True, eq=False)
class Ready:
    """Batches that the source has already, because dcign exported them: per batch split, what varies, and its rows.

    rows (B, n); identity (N,).
    """

    splits: tuple[str, ...]
    varies: tuple[str, ...]
    rows: Int64
    identity: Int64


class Source(ABC):
    """A file or a folder of images with labels.

    layout: its name for messages; path; columns: every label that can be used; factors: the columns that are factors
    unless the user chooses others; identity: the columns that say who is seen, perhaps none; licence: a note, perhaps
    empty; left_out: what of the source cannot be used, and why; shape: (H, W, C) of every image, or the usual one;
    mixed: where the first image of another size is, and its size, or "".
    """

    layout: str
    path: Path
    columns: dict[str, Column]
    factors: tuple[str, ...]
    identity: tuple[str, ...] = ()
    licence: str = ""
    left_out: tuple[str, ...] = ()
    shape: tuple[int, int, int]
    mixed: str = ""
    ready: Ready | None = None

    @property
    @abstractmethod
    def count(self) -> int:
        """Return how many images there are: N."""

    @abstractmethod
    def images(self, rows: Int64) -> Iterator[UInt8]:
        """Yield the images of these rows, which ascend: blocks (n, H, W, C), together as many as the rows.

        Blocks may differ in H and W where sizes are mixed, and in C.
        """

    @abstractmethod
    def files(self) -> Sequence[Path]:
        """Return all files that are read, in a fixed order."""

    def place(self, row: int) -> str:
        """Return where an image is, for messages."""
        return f"{self.path}, image {row}"

    def sha256(self) -> str:
        """Return the SHA-256 of the file; of a folder the SHA-256 of lines "SHA-256  NAME", one per file."""
        files = self.files()
        if len(files) == 1 and files[0] == self.path:
            return file_sha256(self.path)
        total = hashlib.sha256()
        for file in files:
            name = file.relative_to(self.path if self.path.is_dir() else self.path.parent).as_posix()
            total.update(f"{file_sha256(file)}  {name}\n".encode())
        return total.hexdigest()


def wrong(place: str | Path, expected: str, found: object, do: str) -> DataError:
    """Return the error about one place of a source: a file, or a file and a row."""
    return DataError(f"{place}: expected {expected}, found {shown(found)}: {do}")


def also(further: int) -> str:
    """Return the words that follow a fault which further rows have too."""
    return f", nor in {further:,} further row{'s' if further > 1 else ''}" if further else ""


def blocks(rows: Int64, image_bytes: int) -> Iterator[Int64]:
    """Yield the rows in pieces whose images fit into BLOCK_BYTES."""
    size = max(1, BLOCK_BYTES // max(image_bytes, 1))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def text_classes(texts: Sequence[str]) -> tuple[tuple[str, ...], Float64]:
    """Return the different texts in order, and the index of each row's (N,); NaN where a text is empty."""
    names = sorted({*texts})
    code = {text: float(place) if text else np.nan for place, text in enumerate(names)}
    return tuple(names), np.array([code[text] for text in texts])


def grid_columns(factors: Sequence[Factor], levels: Sequence[Float64], index: Int64) -> dict[str, Column]:
    """Return the columns of images that count through a grid, the last factor fastest.

    levels: the values of each factor; index (N,): which cell of the grid each image shows.
    """
    codes = np.unravel_index(index, tuple(map(len, levels)))
    return {
        factor.name: Column(factor, values[code]) for factor, values, code in zip(factors, levels, codes, strict=True)
    }


def classes(name: str, *names: str) -> tuple[Factor, Float64]:
    """Return a categorical factor, and its levels."""
    return Factor(name, "", +1, classes=names), np.arange(len(names), dtype=np.float64)


def steps(name: str, count: int, units: str = "", first: float = 0.0, step: float = 1.0) -> tuple[Factor, Float64]:
    """Return a numeric factor with equidistant levels, and its levels."""
    return Factor(name, units, +1), first + step * np.arange(count, dtype=np.float64)
