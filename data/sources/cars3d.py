"""Cars3D (Reed et al. 2015, "Deep Visual Analogy-Making"): a folder with one .mat file per car.

Each file has `im` (128, 128, 3, 24, 4): 24 azimuths, 15 degrees apart, at 4 elevations. The file is the identity.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError, whosmat

from dcign.arrays import Int64, UInt8
from dcign.data.schema import FULL_TURN, Factor
from dcign.data.sources.source import Source, grid_columns, steps, wrong

NAME = "im"
READ = (OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError, MatReadError, IndexError, MemoryError)


class Cars3D(Source):
    """The cars of a folder; one file is in memory at a time."""

    layout = "Cars3D"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = sorted(path.glob("*.mat"))
        shapes = [_shape(file) for file in self._files]
        odd = next((place for place, shape in enumerate(shapes) if shape != shapes[0]), None)
        if odd is not None:
            raise wrong(self._files[odd], f"{NAME} {shapes[0]}, as in the first file", shapes[odd], "remove the file.")
        self.shape, (azimuths, elevations) = shapes[0][:3], shapes[0][3:]  # type: ignore[assignment]  # three and two
        azimuth, angles = steps("azimuth", azimuths, "degree", step=FULL_TURN / azimuths)
        car = Factor("car", "", +1, classes=tuple(file.stem for file in self._files))
        grid = [(car, np.arange(len(self._files), dtype=np.float64)), (replace(azimuth, circular=True), angles),
                steps("elevation", elevations)]  # fmt: skip
        factors, levels = zip(*grid, strict=True)
        self._views = azimuths * elevations
        self.columns = grid_columns(factors, levels, np.arange(self.count))
        self.factors, self.identity = ("azimuth", "elevation"), ("car",)

    @property
    def count(self) -> int:
        return len(self._files) * self._views

    def images(self, rows: Int64) -> Iterator[UInt8]:
        for car, views in itertools.groupby(rows.tolist(), lambda row: row // self._views):
            pictures = _pictures(self._files[car])
            yield pictures[[row % self._views for row in views]]

    def files(self) -> Sequence[Path]:
        return self._files

    def place(self, row: int) -> str:
        return f"{self._files[row // self._views]}, image {row % self._views}"


def is_cars(path: Path) -> bool:
    """Return whether a folder's first .mat file is one of Cars3D."""
    first = min(path.glob("*.mat"), default=None)
    try:
        return first is not None and any(name == NAME and len(shape) == 5 for name, shape, _ in whosmat(first))
    except READ:
        return False


def _shape(file: Path) -> tuple[int, ...]:
    try:
        shape = next((shape for name, shape, _ in whosmat(file) if name == NAME), ())
    except READ:
        raise wrong(file, "a MATLAB file of version 5", "another or damaged one", "replace it.") from None
    if len(shape) != 5 or shape[2] != 3:
        raise wrong(file, f"an array {NAME} (H, W, 3, azimuths, elevations)", shape or "none", "remove the file.")
    return tuple(shape)


def _pictures(file: Path) -> UInt8:
    """Return the images of a file, elevation fastest: (A * E, H, W, 3)."""
    try:
        held = loadmat(file, variable_names=[NAME])[NAME]
    except READ:
        raise wrong(file, "a whole MATLAB file", "one that is damaged or cut short", "replace it.") from None
    if held.dtype != np.uint8:
        raise wrong(file, "8-bit images, uint8", held.dtype, "convert them.")
    pictures: UInt8 = np.moveaxis(held, (3, 4), (0, 1))
    return pictures.reshape(-1, *held.shape[:3])
