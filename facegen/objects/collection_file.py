"""A collection as one npz file, whose bytes depend on the collection alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.facegen.files.archive import Archive
from dcign.facegen.objects.collection import Collection, Solid

# Of all objects one after another, and where each object's part ends.
ARRAYS = {"positions": np.int16, "normals": np.int16, "colours": np.uint8, "triangles": np.uint32}


def collection_bytes(collection: Collection) -> bytes:
    """The npz file's bytes."""
    about = {
        "licence": collection.licence,
        "source": collection.source,
        "source_sha256": collection.source_sha256,
    }
    solids = collection.solids
    arrays = {
        "names": np.array(collection.names),
        "vertices": np.array([len(solid.positions) for solid in solids], np.int64),
        "open_vertex": np.array([solid.open_vertex for solid in solids], np.int64),
        "open_triangle": np.array([solid.open_triangle for solid in solids], np.int64),
        "triangle_counts": np.array([len(solid.triangles) for solid in solids], np.int64),
    }
    for name in ARRAYS:
        arrays[name] = np.concatenate([getattr(solid, name) for solid in solids])
    return ARCHIVE.to_bytes(about, arrays)


def _from_file(about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Collection:
    """Raises KeyError for what is missing, ValueError for what does not fit."""
    vertices, triangles = (np.cumsum(arrays[name]) for name in ("vertices", "triangle_counts"))
    parts = {
        name: np.split(arrays[name].astype(dtype), (triangles if name == "triangles" else vertices)[:-1])
        for name, dtype in ARRAYS.items()
    }
    starts = (arrays[name].tolist() for name in ("open_vertex", "open_triangle"))
    solids = tuple(Solid(*each) for each in zip(*(parts[name] for name in ARRAYS), *starts, strict=True))
    for solid in solids:
        _check(solid)
    names = tuple(str(name) for name in arrays["names"])
    if len(names) != len(solids):
        raise ValueError(f"{len(names)} names of {len(solids)} meshes")
    return Collection(about["licence"], about["source"], about["source_sha256"], names, solids)


def _check(solid: Solid) -> None:
    """Raise ValueError unless its arrays fit each other."""
    count = len(solid.positions)
    of_vertices = (solid.positions, solid.normals, solid.colours)
    fits = all(array.shape == (count, 3) for array in of_vertices) and solid.triangles.shape[1:] == (3,)
    fits = fits and 0 <= solid.open_vertex <= count and 0 <= solid.open_triangle <= len(solid.triangles)
    backs = solid.triangles[solid.open_triangle :]
    if not fits or not len(solid.triangles) or solid.triangles.max() >= count or (backs < solid.open_vertex).any():
        raise ValueError("a mesh's triangles do not fit its vertices")


ARCHIVE = Archive("dcign-meshes", 1, "a file of meshes", _from_file)
is_collection = ARCHIVE.holds
read_collection = ARCHIVE.read
