"""Check a model in dcign's own format: its numbers are finite, its indices are within their arrays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.errors import ModelError
from dcign.facegen.model.morphable import MorphableModel

LARGEST = 1e9  # of any number; positions are millimetres


def check_model(model: MorphableModel, path: Path) -> None:
    """Raise ModelError if the model that was read from a file cannot be drawn."""
    for name, shape, wanted in _shapes(model):
        if shape != wanted:
            raise _error(path, f"{name} of shape {wanted}", f"shape {shape}")
    for name, numbers in _numbers(model):
        if not np.abs(numbers).max(initial=0) <= LARGEST:  # also not if any is no number
            raise _error(path, f"finite numbers up to {LARGEST:.0e} in {name}", "others")
    for name, indices, count in _indices(model):
        if indices.dtype.kind not in "iu" or not 0 <= indices.min(initial=0) <= indices.max(initial=0) < count:
            raise _error(path, f"whole numbers below {count:,} in {name}", "others")


def _error(path: Path, expected: str, found: str) -> ModelError:
    return ModelError(f"expected {expected} in {path}, found {found}: make it again.")


def _shapes(model: MorphableModel) -> Iterator[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """Yield names of arrays with the shapes that they have and should have."""
    vertices = len(model.mean)
    yield "mean", model.mean.shape, (vertices, 3)
    yield "shape_basis", model.shape_basis.shape, (vertices, 3, *model.shape_basis.shape[2:3])
    yield "triangles", model.triangles.shape, (len(model.triangles), 3)
    yield "mirror", model.mirror.shape, (vertices,)
    yield "parts", model.parts.shape, (vertices,)
    for number, level in enumerate(model.levels):
        yield f"level_{number}/triangles", level.triangles.shape, (len(level.triangles), 3)
        yield f"level_{number}/mirror", level.mirror.shape, level.vertices.shape


def _numbers(model: MorphableModel) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "mean", model.mean
    yield "shape_basis", model.shape_basis
    for name, array in model.albedo.arrays().items():
        if array.dtype.kind == "f":
            yield f"albedo/{name}", array
    for number, level in enumerate(model.levels):
        if level.surface is not None:
            yield f"level_{number}/mean", level.surface.mean
            yield f"level_{number}/shape_basis", level.surface.shape_basis
    if model.hair is not None:
        yield "hair/offsets", model.hair.offsets
    if model.texture is not None:
        yield "texture/uv", model.texture.uv


def _indices(model: MorphableModel) -> Iterator[tuple[str, NDArray[Any], int]]:
    vertices = len(model.mean)
    yield "triangles", model.triangles, vertices
    yield "mirror", model.mirror, vertices
    yield "parts", model.parts, len(model.part_names)
    yield "landmarks", np.array(list(model.landmarks.values()), np.int64), vertices
    for number, level in enumerate(model.levels):
        yield f"level_{number}/vertices", level.vertices, vertices
        yield f"level_{number}/triangles", level.triangles, len(level.vertices)
        yield f"level_{number}/mirror", level.mirror, len(level.vertices)
