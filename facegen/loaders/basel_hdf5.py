"""Basel Face Models 2017 and 2019, and others in the same HDF5 layout (statismo). Millimetres; colours 0..1.

Neutral is the shape's mean alone: in 2019 the mean of /expression moves vertices by up to 17 mm.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dcign.arrays import Float32
from dcign.errors import ModelError
from dcign.facegen.loaders.content import Content
from dcign.facegen.loaders.source import Source

KIND = "BFM 2017 or 2019 .h5"
LICENCE = (
    "the University of Basel's, if it is a Basel Face Model: non-commercial research only, no redistribution; models "
    "of others in this layout have licences of their own."
)
LANDMARKS = "/metadata/landmarks/json"
NEAR = 10.0  # mm: a landmark further from every vertex is of another mesh
# Newest layout first; a model of colours alone repeats the mesh, and oldest files have one mesh for both.
CELLS = tuple(
    f"{group}/{mesh}"
    for group in ("/shape/representer", "/representer")
    for mesh in ("cells", "reference-mesh/triangle-list")
)
POINTS = ("/shape/representer/points", "/shape/representer/reference-mesh/vertex-coordinates")
ORTHONORMAL, SCALED = "orthonormal columns times the root of pcaVariance", "columns as stored (version 0.8)"


class Hdf5Source(Source):
    """Datasets of an open HDF5 file."""

    def __init__(self, path: Path, file: Any) -> None:  # Any: h5py has no types
        super().__init__(path, KIND)
        self._file = file

    def shape(self, key: str) -> tuple[int, ...] | None:
        """The shape of a dataset, None if there is none."""
        found = self._file.get(key)
        return tuple(found.shape) if isinstance(found, h5py.Dataset) and found.shape is not None else None

    def raw(self, key: str) -> NDArray[Any]:
        """A dataset."""
        return np.asarray(self._file[key][()])


def read_basel_hdf5(path: Path) -> Content:
    """Read the file; without a /color group the colours are left out."""
    with h5py.File(path, "r") as opened:
        file = Hdf5Source(path, opened)
        mean = file.points("/shape/model/mean")
        basis, deviations = _basis(file, "/shape", len(mean))
        cells = next((key for key in CELLS if file.shape(key) is not None), CELLS[0])
        colours = _colours(file, len(mean)) if "color" in opened else (None, None)
        return Content(
            name=f"Basel-layout face model {path.name}",
            licence=LICENCE,
            deviations=deviations,
            millimetres=1.0,
            mean=mean,
            basis=basis,
            triangles=file.triangles(cells, len(mean)),
            colour_mean=colours[0],
            colour_basis=colours[1],
            landmarks=_landmarks(file, mean),
        )


def _basis(file: Hdf5Source, group: str, vertices: int) -> tuple[Float32, str]:
    """The columns (V, 3, K), each one standard deviation, and how they came to be that."""
    columns = file.numbers(f"{group}/model/pcaBasis", 3 * vertices, None)
    variance = file.numbers(f"{group}/model/pcaVariance").ravel()
    if len(variance) != columns.shape[1] or (variance < 0).any():
        raise ModelError(
            f"{file.path} has {group}/model/pcaVariance of {len(variance)} numbers from {variance.min():g}; expected "
            f"{columns.shape[1]} variances, one a column of pcaBasis: {file.advice}"
        )
    deviation = np.sqrt(variance)
    if _is_scaled(file, group, columns, deviation):
        return columns.reshape(vertices, 3, -1), SCALED
    columns = columns * deviation
    return columns.reshape(vertices, 3, -1), ORTHONORMAL


def _is_scaled(file: Hdf5Source, group: str, columns: Float32, deviation: Float32) -> bool:
    """Whether the columns hold their deviations: so in statismo's version 0.8, which may not say its version."""
    versions = [file.shape(f"{group}/version/{part}Version") for part in ("major", "minor")]
    if None not in versions:
        major, minor = (int(file.raw(f"{group}/version/{part}Version").ravel()[0]) for part in ("major", "minor"))
        return (major, minor) <= (0, 8)
    lengths = np.linalg.norm(columns, axis=0)
    some = (lengths > 0) & (deviation > 0)
    return bool(np.abs(np.log(lengths[some] / deviation[some])).sum() < np.abs(np.log(lengths[some])).sum())


def _colours(file: Hdf5Source, vertices: int) -> tuple[Float32, Float32]:
    mean = file.points("/color/model/mean")
    if len(mean) != vertices:
        raise ModelError(
            f"{file.path} has {len(mean)} colours in /color/model/mean; expected {vertices}, one a vertex: "
            f"{file.advice}"
        )
    basis, _ = _basis(file, "/color", vertices)
    scale = np.float32(1 if mean.max() <= 2 else 1 / 255)  # conversions of the 2009 model keep its 0..255
    return mean * scale, basis * scale


def _landmarks(file: Hdf5Source, mean: Float32) -> dict[str, int]:
    """Named points of the reference mesh, as its vertices nearest to them; what cannot be read is left out."""
    if file.shape(LANDMARKS) is None:
        return {}
    stored = file.raw(LANDMARKS).ravel()
    text = stored[0] if stored.dtype == object else stored.tobytes()
    try:
        found = json.loads((text.decode() if isinstance(text, bytes) else str(text)).rstrip("\0"))
        named = found.items() if isinstance(found, dict) else [(point["id"], point["coordinates"]) for point in found]
        places = {str(name): np.array(place, np.float64).reshape(3) for name, place in named}
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{file.path} has {LANDMARKS} that is no list of named points: {file.advice}") from None
    reference = next((points for key in POINTS if (points := _reference(file, key, len(mean))) is not None), mean)
    found_near = cKDTree(reference).query(np.reshape(list(places.values()), (-1, 3)))
    distances, vertices = (np.asarray(part) for part in found_near)
    return {name: int(v) for name, v, away in zip(places, vertices, distances, strict=True) if away < NEAR}


def _reference(file: Hdf5Source, key: str, vertices: int) -> Float32 | None:
    """The mesh on which the landmarks were placed, (V, 3), from (3, V) or (V, 3)."""
    shape = file.shape(key)
    if shape not in ((3, vertices), (vertices, 3)):
        return None
    points = file.numbers(key)
    return points.T if shape == (3, vertices) else points
