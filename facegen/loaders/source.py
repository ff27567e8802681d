"""A model file as named arrays: what every format's reader asks of it, and what is said when it is not there.

Nothing is read before its declared shape has been found sensible, so that no file can ask for all memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Int32
from dcign.errors import ModelError

MOST_VERTICES = 200_000  # the largest known has 58,203
MOST_NUMBERS = 2**28  # in one array; the largest known has 35 million


class Source(ABC):
    """Arrays by key. path: the file, for messages; kind: what it should be, such as "BFM 2009 .mat"."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.kind = kind

    @abstractmethod
    def shape(self, key: str) -> tuple[int, ...] | None:
        """The shape that the file declares for an array, None if it has none of that key."""

    @abstractmethod
    def raw(self, key: str) -> NDArray[Any]:
        """An array as it is stored."""

    def numbers(self, key: str, *shape: int | None) -> Float32:
        """An array of finite numbers; None in `shape` stands for any length, no shape at all for any shape.

        Raises ModelError if it is missing, of another shape, too large, or holds anything else.
        """
        found = self.shape(key)
        if found is None:
            raise ModelError(f"{self.path} lacks {key}, which every {self.kind} has: {self.advice}")
        agrees = len(found) == len(shape) and all(want in (None, have) for have, want in zip(found, shape, strict=True))
        if (shape and not agrees) or 0 in found:
            raise ModelError(f"{self.path} has {key} of shape {found}; expected {_words(shape)}: {self.advice}")
        if np.prod(found, dtype=float) > MOST_NUMBERS:
            raise ModelError(f"{self.path} has {key} of shape {found}, too large for a face model: {self.advice}")
        array = self.raw(key)
        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise ModelError(f"{self.path} has {key} with what is no finite number in it: {self.advice}")
        return array.astype(np.float32, copy=False)

    def points(self, key: str) -> Float32:
        """Vertices (V, 3), from an array (V, 3), (3 V,) or (3 V, 1)."""
        points = self.numbers(key)
        if points.ndim == 2 and points.shape[1] == 1:
            points = points[:, 0]
        if points.size % 3 or not (points.ndim == 1 or (points.ndim == 2 and points.shape[1] == 3)):
            raise ModelError(
                f"{self.path} has {key} of shape {self.shape(key)}; expected three numbers a vertex: {self.advice}"
            )
        if points.size > 3 * MOST_VERTICES:
            raise ModelError(
                f"{self.path} has {points.size // 3:,} vertices in {key}; expected at most {MOST_VERTICES:,}: "
                "give a coarser model."
            )
        return points.reshape(-1, 3)

    def triangles(self, key: str, vertices: int, *, first: int = 0) -> Int32:
        """Triangles (T, 3), from 0, of an array (T, 3) or (3, T) of any number type that counts from `first`."""
        cells = self.numbers(key, None, None)
        if 3 not in cells.shape:
            raise ModelError(f"{self.path} has {key} of shape {cells.shape}; expected triangles (T, 3): {self.advice}")
        cells = cells if cells.shape[1] == 3 else cells.T
        indices = cells.astype(np.int64) - first
        if (indices + first != cells).any() or indices.min() < 0 or indices.max() >= vertices:
            raise ModelError(
                f"{self.path} has numbers from {cells.min():g} to {cells.max():g} in {key}; expected whole ones from "
                f"{first} to {vertices - 1 + first}: {self.advice}"
            )
        return np.ascontiguousarray(indices, np.int32)

    @property
    def advice(self) -> str:
        """What to do about a file that is not what it should be."""
        return "give the file as its makers publish it, downloaded again if it may be cut short."


class Mapped(Source):
    """Arrays that are in memory already."""

    def __init__(self, path: Path, kind: str, arrays: dict[str, NDArray[Any]]) -> None:
        super().__init__(path, kind)
        self._arrays = arrays

    def shape(self, key: str) -> tuple[int, ...] | None:
        """The shape of an array, None if it is not there."""
        return self._arrays[key].shape if key in self._arrays else None

    def raw(self, key: str) -> NDArray[Any]:
        """An array as it is."""
        return self._arrays[key]


def _words(shape: tuple[int | None, ...]) -> str:
    if not shape:
        return "one that is not empty"
    return "(" + ", ".join("any" if length is None else str(length) for length in shape) + ")"
