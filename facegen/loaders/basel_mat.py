"""Basel Face Model 2009: 01_MorphableModel.mat. Micrometres; triangles from 1, clockwise; colours 0..255."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray

from dcign.arrays import Float32
from dcign.facegen.loaders.array_file import ArrayFile
from dcign.facegen.loaders.content import Content

LARGEST_COLOUR = 2.0  # of colours 0..1, of which a mean may exceed 1
KIND = "BFM 2009 .mat"
LICENCE = "Basel Face Model licence of the University of Basel: non-commercial research only, no redistribution."


@dataclass(frozen=True)
class _Matrix:
    path: Path
    name: str
    shape: tuple[int, ...]

    def __getitem__(self, everything: tuple[()]) -> NDArray[Any]:
        return np.asarray(scipy.io.loadmat(self.path, variable_names=[self.name])[self.name])


def read_basel_mat(path: Path) -> Content:
    """Read the file. shapeEV and texEV are standard deviations in spite of their names; the bases are orthonormal."""
    file = ArrayFile(path, KIND, {name: _Matrix(path, name, shape) for name, shape, _ in scipy.io.whosmat(path)})
    mean = file.points("shapeMU")
    colours = file.points("texMU", len(mean))
    scale = np.float32(1 / 255 if colours.max() > LARGEST_COLOUR else 1)  # some conversions have colours 0..1
    return Content(
        name="Basel Face Model 2009",
        licence=LICENCE,
        deviations="orthonormal columns times shapeEV and texEV, which are standard deviations",
        millimetres=0.001,
        mean=mean,
        basis=_scaled(file, "shapePC", "shapeEV", len(mean)),
        triangles=file.triangles("tl", len(mean), first=1)[:, ::-1],
        colour_mean=colours * scale,
        colour_basis=_scaled(file, "texPC", "texEV", len(mean)) * scale,
    )


def _scaled(file: ArrayFile, basis: str, deviations: str, vertices: int) -> Float32:
    columns = file.numbers(basis, 3 * vertices, None)
    scaled = columns * file.numbers(deviations, columns.shape[1], 1)[:, 0]
    return scaled.reshape(vertices, 3, -1)
