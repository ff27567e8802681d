"""A model file as named arrays, with one form of error for everything that does not fit.

The declared shape of an array is checked before the array is read, so that no file can ask for all memory.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Int32
from dcign.errors import ModelError

MOST_VERTICES = 200_000  # the largest known model has 58,203
MOST_NUMBERS = 2**28  # in one array; the largest known array has 35 million
LARGEST_NUMBER = 1e9  # of any array; the units of published models are between a micrometre and a metre
ADVICE = "download the file again from its publisher."


@dataclass(frozen=True, eq=False)
class ArrayFile:
    """Arrays by key. kind: what the file should be, such as "BFM 2009 .mat".

    arrays: an open h5py file, or any other mapping of objects that declare a `shape` and are read by `[()]`.
    """

    path: Path
    kind: str
    arrays: Mapping[str, Any]  # Any: h5py has no types

    def shape(self, key: str) -> tuple[int, ...] | None:
        """Return the declared shape of an array; None if the file has no such array."""
        shape = getattr(self.arrays.get(key), "shape", None)
        return None if shape is None else tuple(shape)

    def read(self, key: str) -> NDArray[Any]:
        """Return an array as it is stored. Raise ModelError if it is missing."""
        if self.shape(key) is None:
            raise self.error(f"{key}, which every {self.kind} has,", "no such array")
        return np.asarray(self.arrays[key][()])

    def numbers(self, key: str, *shape: int | None) -> Float32:
        """Return an array of finite numbers. Raise ModelError for any other, and for one that is too large.

        shape: the lengths of the axes, None for any length. Without lengths, any shape is accepted.
        """
        found = self.shape(key)
        if found is not None:
            agrees = len(found) == len(shape) and all(
                want in (None, have) for have, want in zip(found, shape, strict=True)
            )
            if (shape and not agrees) or 0 in found:
                lengths = ", ".join("any" if length is None else str(length) for length in shape)
                raise self.error(f"{key} of shape ({lengths})" if shape else f"numbers in {key}", f"shape {found}")
            if np.prod(found, dtype=float) > MOST_NUMBERS:
                raise self.error(f"at most {MOST_NUMBERS:,} numbers in {key}", f"shape {found}")
        array = self.read(key)
        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise self.error(f"finite numbers in {key}", "other values")
        numbers = array.astype(np.float32, copy=False)
        if np.abs(numbers).max(initial=0) > LARGEST_NUMBER:
            raise self.error(f"numbers up to {LARGEST_NUMBER:.0e} in {key}", f"{np.abs(array).max():.3g}")
        return numbers

    def points(self, key: str, vertices: int | None = None) -> Float32:
        """Return vertices, or the colours of that many `vertices`, (V, 3) from an array (V, 3), (3 V,) or (3 V, 1)."""
        points = self.numbers(key)
        if points.ndim == 2 and points.shape[1] == 1:
            points = points[:, 0]
        if points.size % 3 or not (points.ndim == 1 or (points.ndim == 2 and points.shape[1] == 3)):
            raise self.error(f"three numbers per vertex in {key}", f"shape {self.shape(key)}")
        if points.size > 3 * MOST_VERTICES:
            raise ModelError(
                f"expected at most {MOST_VERTICES:,} vertices in {key} of {self.path}, found {points.size // 3:,}: "
                "give a coarser model."
            )
        points = points.reshape(-1, 3)
        if vertices not in (None, len(points)):
            raise self.error(f"{vertices} rows in {key}, one per vertex,", str(len(points)))
        return points

    def triangles(self, key: str, vertices: int, *, first: int = 0) -> Int32:
        """Return triangles (T, 3) counted from 0, from an array (T, 3) or (3, T) that counts from `first`."""
        cells = self.numbers(key, None, None)
        if 3 not in cells.shape:
            raise self.error(f"triangles (T, 3) in {key}", f"shape {cells.shape}")
        cells = cells if cells.shape[1] == 3 else cells.T
        indices = cells.astype(np.int64) - first
        if (indices + first != cells).any() or indices.min() < 0 or indices.max() >= vertices:
            raise self.error(
                f"whole numbers from {first} to {vertices - 1 + first} in {key}",
                f"numbers from {cells.min():g} to {cells.max():g}",
            )
        return np.ascontiguousarray(indices, np.int32)

    def error(self, expected: str, found: str) -> ModelError:
        """Return the error for a file that is not what its publisher gives out."""
        return ModelError(f"expected {expected} in {self.path}, found {found}: {ADVICE}")


@dataclass(frozen=True)
class _NpzArray:
    archive: zipfile.ZipFile
    member: str

    @property
    def shape(self) -> tuple[int, ...]:
        with self.archive.open(self.member) as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            return tuple(read(stream)[0])

    def __getitem__(self, everything: tuple[()]) -> NDArray[Any]:
        with self.archive.open(self.member) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)


def npz_file(path: Path, kind: str, archive: zipfile.ZipFile) -> ArrayFile:
    """Return the arrays of an open .npz file. Reading one that holds pickled objects raises ValueError."""
    members = (name for name in archive.namelist() if name.endswith(".npy"))
    return ArrayFile(path, kind, {name.removesuffix(".npy"): _NpzArray(archive, name) for name in members})
