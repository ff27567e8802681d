"""Falcor3D and Isaac3D (github.com/NVlabs/High-res-disentanglement-datasets): pictures numbered through a grid.

A picture's number counts through all combinations, the last factor fastest; levels are equidistant from 0 to 1. A
labels.npy (N, F) in train-labels/ or beside the pictures is read in place of the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np

from dcign.arrays import Int64, UInt8
from dcign.data.schema import Factor
from dcign.data.sources.picture_folder import common_shape
from dcign.data.sources.pictures import picture_shape, read_picture
from dcign.data.sources.source import Column, Source, grid_columns, wrong

# Isaac3D's order is that of the publishers' program. Their page gives its names in another order, with which its own
# numbers do not agree.
GRIDS = {
    "falcor3d": (
        ("lighting_intensity", 5), ("lighting_x_dir", 6), ("lighting_y_dir", 6), ("lighting_z_dir", 6),
        ("camera_x_pos", 6), ("camera_y_pos", 6), ("camera_z_pos", 6),
    ),
    "isaac3d": (
        ("object_shape", 3), ("robot_x_move", 8), ("robot_y_move", 5), ("camera_height", 4), ("object_scale", 4),
        ("lighting_intensity", 4), ("lighting_y_dir", 6), ("object_color", 4), ("wall_color", 4),
    ),
}  # fmt: skip
TITLES = {"falcor3d": "Falcor3D", "isaac3d": "Isaac3D"}
CLASSES = ("object_shape", "object_color", "wall_color")
LABELS = ("train-labels/labels.npy", "labels.npy")
PICTURES = ("train-images", "images", ".")
NUMBER = re.compile(r"\d+\.png")


class Numbered(Source):
    """Numbered pictures of a folder; the grid may have gaps."""

    licence = "Creative Commons Attribution 4.0, NVIDIA Corporation"

    def __init__(self, path: Path, layout: str) -> None:
        """Read labels and the header of every picture. layout: one of GRIDS."""
        self.path, self.layout = path, TITLES[layout]
        self._pictures = numbered_pictures(path)
        if not self._pictures:
            raise wrong(path, "pictures 000000.png, 000001.png and so on", "none", "name the folder that has them.")
        labels = next((path / name for name in LABELS if (path / name).is_file()), None)
        self._labels = labels
        self.columns = self._by_number(GRIDS[layout]) if labels is None else self._by_file(labels, GRIDS[layout])
        self.factors = tuple(self.columns)
        shapes = [picture_shape(file, self.place(row)) for row, file in enumerate(self._pictures)]
        self.shape, self.mixed = common_shape(shapes, self.place)

    def _by_number(self, grid: Sequence[tuple[str, int]]) -> dict[str, Column]:
        numbers = np.array([int(file.stem) for file in self._pictures])
        sizes = [size for _, size in grid]
        for row, (one, next_one) in enumerate(pairwise(numbers.tolist())):
            if one == next_one:
                raise wrong(self.place(row), "each number once", f"{one}, twice", "remove one picture.")
        if numbers[-1] >= prod(sizes):
            raise wrong(
                self.place(len(numbers) - 1), f"a number below {prod(sizes):,}", numbers[-1], "remove the picture."
            )
        levels = [np.arange(size) / (1 if name in CLASSES else size - 1) for name, size in grid]
        return grid_columns([_factor(name, size) for name, size in grid], levels, numbers)

    def _by_file(self, file: Path, grid: Sequence[tuple[str, int]]) -> dict[str, Column]:
        try:
            values = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            raise wrong(file, "an array of numbers", "none that can be read", "replace it.") from None
        wanted = (len(self._pictures), len(grid))
        if values.shape != wanted or values.dtype.kind not in "iuf":
            raise wrong(file, f"numbers {wanted}, a row per picture", f"{values.dtype} {values.shape}", "replace it.")
        columns = [Column(Factor(name, "", +1), values[:, place].astype(float)) for place, (name, _) in enumerate(grid)]
        return {each.name: each.categorical() if each.name in CLASSES else each for each in columns}

    @property
    def count(self) -> int:
        return len(self._pictures)

    def place(self, row: int) -> str:
        return f"{self._pictures[row]}"

    def images(self, rows: Int64) -> Iterator[UInt8]:
        for row in rows.tolist():
            yield read_picture(self._pictures[row], self.place(row))[None]

    def files(self) -> Sequence[Path]:
        return [*self._pictures, *([self._labels] if self._labels else [])]


def numbered_pictures(path: Path) -> list[Path]:
    """Return the numbered pictures of a folder, or of its folder of images, by number."""
    for name in PICTURES:
        found = [file for file in (path / name).glob("*.png") if NUMBER.fullmatch(file.name)]
        if found:
            return sorted(found, key=lambda file: int(file.stem))
    return []


def grid_of(path: Path) -> str | None:
    """Return which of GRIDS a folder of numbered pictures is: by its name, or by the number of pictures."""
    for name in GRIDS:
        if any(name in part.lower() for part in path.resolve().parts[-2:]):
            return name
    count = len(numbered_pictures(path))
    return next((name for name, grid in GRIDS.items() if prod(size for _, size in grid) == count), None)


def _factor(name: str, size: int) -> Factor:
    return Factor(name, "", +1, classes=tuple(map(str, range(size))) if name in CLASSES else ())
