"""Subdivide triangles until their vertices are close enough to hold the colours of a texture.

Whether an edge is cut depends only on its length. Triangles that share an edge therefore agree, even where the file
gives them vertices of their own, and no vertex lies inside another triangle's edge.
"""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float64, Int64
from dcign.facegen.objects.soup import distinct

ROUNDED = 1 + 1e-9  # how much longer an edge may be: halves of equal edges differ by rounding
# The pieces of a triangle whose first k edges are cut: corners 0 1 2 and midpoints 3 (of 01), 4 (of 12), 5 (of 20).
CUTS = {
    1: ((0, 3, 2), (3, 1, 2)),
    2: ((3, 1, 4), (0, 3, 4), (0, 4, 2)),
    3: ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
}


def subdivided(vertices: Float64, triangles: Int64, length: float, most: int) -> tuple[Float64, Int64]:
    """Halve edges until none is longer than `length`, or until there would be more than `most` triangles.

    vertices (V, 3 + A): positions and A attributes that are linear on a triangle -> more of the same
    """
    while True:
        longest = _lengths(vertices, triangles).max(initial=0.0)
        if longest <= length * ROUNDED:
            return vertices, triangles
        finer = _cut(vertices, triangles, max(length, longest / 2))
        if len(finer[1]) > most:
            return vertices, triangles
        vertices, triangles = finer


def _lengths(vertices: Float64, triangles: Int64) -> Float64:
    """Return the lengths of the edges 01, 12, 20 of each triangle (T, 3)."""
    corners = vertices[triangles, :3]
    return np.asarray(np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2))


def _cut(vertices: Float64, triangles: Int64, length: float) -> tuple[Float64, Int64]:
    """Halve each edge that is longer than `length`."""
    cut = _lengths(vertices, triangles) > length * ROUNDED
    count = cut.sum(axis=1)
    # Rotate the corners of each triangle until its cut edges come first.
    start = np.where(count == 1, cut.argmax(axis=1), np.where(count == 2, (np.argmin(cut, axis=1) + 1) % 3, 0))
    order = (start[:, None] + np.arange(3)) % 3
    turned = np.take_along_axis(triangles, order, axis=1)
    edges = np.sort(np.stack([turned, np.roll(turned, -1, axis=1)], axis=2), axis=2)  # (T, 3, 2)
    is_cut = np.arange(3) < count[:, None]
    first, midpoint_of = distinct(edges[is_cut])
    split = edges[is_cut][first]
    midpoints = np.zeros(edges.shape[:2], np.int64)
    midpoints[is_cut] = len(vertices) + midpoint_of
    known = np.concatenate([turned, midpoints], axis=1)
    pieces = [known[count == 0, :3]]
    for number, pattern in CUTS.items():
        pieces += [known[count == number][:, corners] for corners in pattern]
    return np.concatenate([vertices, vertices[split].mean(axis=1)]), np.concatenate(pieces)
