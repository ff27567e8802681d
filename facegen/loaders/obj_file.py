"""Wavefront .obj meshes: vertices, and polygons cut into triangles; nothing else of the format."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from dcign.arrays import Float32, Int32
from dcign.errors import ModelError

LARGEST = 2**28  # bytes


def read_obj_points(path: Path) -> Float32:
    """Vertices (V, 3) of a mesh.

    Raises ModelError if there are none or a line is cut short.
    """
    return _points(path, _lines(path))


def read_obj(path: Path) -> tuple[Float32, Int32]:
    """Vertices (V, 3) and triangles (T, 3), from 0; a polygon becomes a fan about its first corner.

    Raises ModelError if there are none, a line is cut short, or a corner is none of the vertices.
    """
    lines = _lines(path)
    points = _points(path, lines)
    triangles = []
    try:
        for line in lines:
            if line.startswith(b"f "):
                first, *others = (_corner(corner, len(points)) for corner in line.split()[1:])
                triangles += [(first, a, b) for a, b in pairwise(others)]
        cells = np.array(triangles, np.int64).reshape(-1, 3)
    except ValueError:
        raise ModelError(f"{path} has a face that is no list of vertices; expected an .obj mesh: {ADVICE}") from None
    if not len(cells) or cells.min() < 0 or cells.max() >= len(points):
        raise ModelError(f"{path} has no faces among its {len(points):,} vertices; expected an .obj mesh: {ADVICE}")
    return points, cells.astype(np.int32)


ADVICE = "download it again."


def _lines(path: Path) -> list[bytes]:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ModelError(f"{path} has {size:,} bytes; expected at most {LARGEST:,}: {ADVICE}")
        return path.read_bytes().splitlines()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None


def _points(path: Path, lines: list[bytes]) -> Float32:
    try:
        rows = [line.split()[1:4] for line in lines if line.startswith(b"v ")]
        points = np.array(rows, np.float32).reshape(-1, 3)
    except ValueError:
        raise ModelError(f"{path} has a vertex that is not three numbers; expected an .obj mesh: {ADVICE}") from None
    if not len(points) or not np.isfinite(points).all():
        raise ModelError(f"{path} has no vertices; expected an .obj mesh: {ADVICE}")
    return points


def _corner(corner: bytes, vertices: int) -> int:
    """The vertex of a corner such as 7, 7/2, 7/2/3 or -1, counted from 0."""
    number = int(corner.split(b"/", 1)[0])
    return number - 1 if number > 0 else vertices + number
