"""Vertex normals: the area-weighted mean of the normals of the triangles around each vertex."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from dcign.arrays import Float32, Int32

PEOPLE_PER_BLOCK = 20


class VertexNormals:
    """Compute normals for one triangulation and any positions; what depends only on the triangles is prepared once."""

    def __init__(self, triangles: Int32, vertices: int) -> None:
        """Prepare triangles (T, 3), counter-clockwise seen from outside, into `vertices` vertices."""
        self._corners = np.ascontiguousarray(triangles.T)
        owner = np.repeat(np.arange(len(triangles)), 3)
        ones = np.ones(triangles.size, np.float32)
        self._gather = csr_matrix((ones, (triangles.ravel(), owner)), shape=(vertices, len(triangles)))

    def __call__(self, positions: Float32) -> Float32:
        """Return unit normals (N, V, 3) for positions (N, V, 3), mm."""
        normals = np.empty(positions.shape, np.float32)
        for first in range(0, len(positions), PEOPLE_PER_BLOCK):
            block = slice(first, first + PEOPLE_PER_BLOCK)
            normals[block] = self._of_block(positions[block]).transpose(2, 0, 1)
        return normals

    def _of_block(self, positions: Float32) -> Float32:
        """Return (V, 3, n) for (n, V, 3): people come last, so that one vertex of all of them is contiguous."""
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
