"""Vertex normals: the area-weighted mean of the normals of the triangles around a vertex."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from dcign.arrays import Float32, Int32

AT_ONCE = 20  # people


class VertexNormals:
    """Normals for one fixed triangulation and any positions; what depends on those is prepared once."""

    def __init__(self, triangles: Int32, vertices: int) -> None:
        """triangles (T, 3), counter-clockwise from outside, into `vertices` vertices."""
        self._corners = np.ascontiguousarray(triangles.T)
        owner = np.repeat(np.arange(len(triangles)), 3)
        ones = np.ones(triangles.size, np.float32)
        self._gather = csr_matrix((ones, (triangles.ravel(), owner)), shape=(vertices, len(triangles)))

    def __call__(self, positions: Float32) -> Float32:
        """Positions (N, V, 3), mm -> unit normals (N, V, 3)."""
        normals = np.empty(positions.shape, np.float32)
        for first in range(0, len(positions), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            normals[some] = self._of_some(positions[some]).transpose(2, 0, 1)
        return normals

    def _of_some(self, positions: Float32) -> Float32:
        """(n, V, 3) -> (V, 3, n): people last, so that a vertex of all of them is read at once."""
        count, vertices, _ = positions.shape
        by_vertex = positions.transpose(1, 2, 0).reshape(vertices, 3 * count)
        a, b, c = (by_vertex[corner].reshape(-1, 3, count) for corner in self._corners)
        b -= a
        c -= a
        crossed = np.empty_like(a)
        for x, y, z in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            crossed[:, x] = b[:, y] * c[:, z] - b[:, z] * c[:, y]
        normals = (self._gather @ crossed.reshape(len(crossed), -1)).reshape(vertices, 3, count)
        length = np.sqrt((normals * normals).sum(1, keepdims=True))
        return np.asarray(normals / np.maximum(length, 1e-12))
