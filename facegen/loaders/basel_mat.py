"""Basel Face Model 2009: 01_MorphableModel.mat. Micrometres; triangles from 1, clockwise; colours 0..255."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.io

from dcign.arrays import Float32
from dcign.errors import ModelError
from dcign.facegen.loaders.content import Content
from dcign.facegen.loaders.source import Mapped

KIND = "BFM 2009 .mat"
LICENCE = "Basel Face Model licence of the University of Basel: non-commercial research only, no redistribution."
KEYS = ("shapeMU", "shapePC", "shapeEV", "texMU", "texPC", "texEV", "tl")
_LARGEST = 2**31  # bytes: the published file unpacks to 260 MB


def read_basel_mat(path: Path) -> Content:
    """Read the file. shapeEV and texEV are standard deviations, whatever their name says; the bases orthonormal."""
    declared = {name: shape for name, shape, _ in scipy.io.whosmat(path)}
    for key in KEYS:
        if key not in declared:
            Mapped(path, KIND, {}).numbers(key)
    if any(8 * float(_product(declared[key])) > _LARGEST for key in KEYS):
        raise ModelError(f"{path} is too large for a face model: give the file as its makers publish it.")
    file = Mapped(path, KIND, scipy.io.loadmat(path, variable_names=KEYS))
    mean = file.points("shapeMU")
    colours = file.points("texMU")
    if len(colours) != len(mean):
        raise ModelError(
            f"{path} has {len(colours)} colours in texMU; expected {len(mean)}, one a vertex: {file.advice}"
        )
    return Content(
        name="Basel Face Model 2009",
        licence=LICENCE,
        deviations="orthonormal columns times shapeEV and texEV, which are standard deviations",
        millimetres=0.001,
        mean=mean,
        basis=_scaled(file, "shapePC", "shapeEV", len(mean)),
        triangles=file.triangles("tl", len(mean), first=1)[:, ::-1],
        colour_mean=colours / np.float32(255),
        colour_basis=_scaled(file, "texPC", "texEV", len(mean)) / np.float32(255),
    )


def _scaled(file: Mapped, basis: str, deviations: str, vertices: int) -> Float32:
    columns = file.numbers(basis, 3 * vertices, None)
    scaled = columns * file.numbers(deviations, columns.shape[1], 1)[:, 0]
    return scaled.reshape(vertices, 3, -1)


def _product(shape: tuple[int, ...]) -> float:
    product = 1.0
    for length in shape:
        product *= length
    return product
