"""Basel Face Models 2017 and 2019, and other models in statismo's HDF5 layout. Millimetres; colours 0..1.

The neutral head is the mean of /shape alone: in 2019 the mean of /expression moves vertices by up to 17 mm.
"""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
from scipy.spatial import cKDTree

from dcign.arrays import Float32
from dcign.facegen.loaders.array_file import ArrayFile
from dcign.facegen.loaders.content import Content
from dcign.printable import printable

KIND = "BFM 2017 or 2019 .h5"
LICENCE = (
    "the University of Basel's, if it is a Basel Face Model: non-commercial research only, no redistribution; models "
    "of others in this layout have licences of their own."
)
LANDMARKS = "/metadata/landmarks/json"
NEAR = 10.0  # mm: a landmark further than this from every vertex belongs to another mesh
# Newest layout first. The oldest files have one mesh for shape and colour.
CELLS = tuple(
    f"{group}/{mesh}"
    for group in ("/shape/representer", "/representer")
    for mesh in ("cells", "reference-mesh/triangle-list")
)
POINTS = ("/shape/representer/points", "/shape/representer/reference-mesh/vertex-coordinates")
ORTHONORMAL, SCALED = "orthonormal columns times the root of pcaVariance", "columns as stored (version 0.8)"


def read_basel_hdf5(path: Path) -> Content:
    """Read the file; without a /color group the colours are left out."""
    with h5py.File(path, "r") as opened:
        file = ArrayFile(path, KIND, opened)
        mean = file.points("/shape/model/mean")
        basis, deviations = _basis(file, "/shape", len(mean))
        cells = next((key for key in CELLS if file.shape(key) is not None), CELLS[0])
        colours = _colours(file, len(mean)) if "color" in opened else (None, None)
        return Content(
            name=f"Basel-layout face model {printable(path.name)}",
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


def _basis(file: ArrayFile, group: str, vertices: int) -> tuple[Float32, str]:
    """Return the columns (V, 3, K), one standard deviation each, and how they were scaled to that."""
    columns = file.numbers(f"{group}/model/pcaBasis", 3 * vertices, None)
    variance = file.numbers(f"{group}/model/pcaVariance").ravel()
    if len(variance) != columns.shape[1] or (variance < 0).any():
        raise file.error(
            f"{columns.shape[1]} variances in {group}/model/pcaVariance, one per column of pcaBasis,",
            f"{len(variance)} numbers from {variance.min():g}",
        )
    deviation = np.sqrt(variance)
    if _is_scaled(file, group, columns, deviation):
        return columns.reshape(vertices, 3, -1), SCALED
    return (columns * deviation).reshape(vertices, 3, -1), ORTHONORMAL


def _is_scaled(file: ArrayFile, group: str, columns: Float32, deviation: Float32) -> bool:
    """Tell whether the columns include their deviations, as in statismo 0.8. Files may not state their version."""
    keys = [f"{group}/version/{part}Version" for part in ("major", "minor")]
    if all(file.shape(key) is not None for key in keys):
        major, minor = (int(file.read(key).ravel()[0]) for key in keys)
        return (major, minor) <= (0, 8)
    lengths = np.linalg.norm(columns, axis=0)
    some = (lengths > 0) & (deviation > 0)
    return bool(np.abs(np.log(lengths[some] / deviation[some])).sum() < np.abs(np.log(lengths[some])).sum())


def _colours(file: ArrayFile, vertices: int) -> tuple[Float32, Float32]:
    mean = file.points("/color/model/mean", vertices)
    basis, _ = _basis(file, "/color", vertices)
    scale = np.float32(1 if mean.max() <= 2 else 1 / 255)  # conversions of the 2009 model keep its 0..255
    return mean * scale, basis * scale


def _landmarks(file: ArrayFile, mean: Float32) -> dict[str, int]:
    """Return the vertex nearest to each named point of the reference mesh. Points of another mesh are left out."""
    if file.shape(LANDMARKS) is None:
        return {}
    stored = file.read(LANDMARKS).ravel()
    text = stored[0] if stored.dtype == object else stored.tobytes()
    try:
        found = json.loads((text.decode() if isinstance(text, bytes) else str(text)).rstrip("\0"))
        named = found.items() if isinstance(found, dict) else [(point["id"], point["coordinates"]) for point in found]
        points = {printable(str(name)): np.array(point, np.float64).reshape(3) for name, point in named}
    except (ValueError, KeyError, TypeError):
        raise file.error(f"a list of named points in {LANDMARKS}", "something else") from None
    query = cKDTree(_reference(file, mean)).query(np.reshape(list(points.values()), (-1, 3)))
    distances, vertices = (np.asarray(part) for part in query)
    return {name: int(v) for name, v, away in zip(points, vertices, distances, strict=True) if away < NEAR}


def _reference(file: ArrayFile, mean: Float32) -> Float32:
    """Return the mesh (V, 3) on which the landmarks were placed, stored as (3, V) or (V, 3); without one, the mean."""
    for key in POINTS:
        if file.shape(key) in (mean.shape, mean.T.shape):
            points = file.numbers(key)
            return points if points.shape == mean.shape else points.T
    return mean
