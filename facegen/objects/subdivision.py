"""Triangles cut until their vertices are close enough to hold a texture's colours; no cut ends amid an edge.

Whether an edge is cut depends on its length alone, so triangles that share it, in one place if not by number, agree.
"""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float64, Int64

# A triangle whose first k edges are cut, as triangles of its corners 0 1 2 and the middles 3 (of 01), 4 (12), 5 (20).
CUTS = {
    1: ((0, 3, 2), (3, 1, 2)),
    2: ((3, 1, 4), (0, 3, 4), (0, 4, 2)),
    3: ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
}


def subdivided(vertices: Float64, triangles: Int64, length: float, most: int) -> tuple[Float64, Int64]:
    """Cut edges in halves while any is longer than `length` and there are no more than `most` triangles.

    vertices (V, 3 + A): positions, and what else is linear on a triangle -> the same, more of them
    """
    while True:
        longest = _lengths(vertices, triangles).max(initial=0.0)
        if longest <= length:
            return vertices, triangles
        finer = _cut(vertices, triangles, max(length, longest / 2))
        if len(finer[1]) > most:
            return vertices, triangles
        vertices, triangles = finer


def _lengths(vertices: Float64, triangles: Int64) -> Float64:
    """Of each triangle's edges 01, 12, 20 (T, 3)."""
    corners = vertices[triangles, :3]
    return np.asarray(np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2))


def _cut(vertices: Float64, triangles: Int64, length: float) -> tuple[Float64, Int64]:
    """Each edge longer than `length` in two."""
    cut = _lengths(vertices, triangles) > length * (1 + 1e-9)
    count = cut.sum(axis=1)
    # Turn each triangle until its cut edges come first.
    start = np.where(count == 1, cut.argmax(axis=1), np.where(count == 2, (np.argmin(cut, axis=1) + 1) % 3, 0))
    order = (start[:, None] + np.arange(3)) % 3
    turned = np.take_along_axis(triangles, order, axis=1)
    edges = np.sort(np.stack([turned, np.roll(turned, -1, axis=1)], axis=2), axis=2)  # (T, 3, 2)
    is_cut = np.arange(3) < count[:, None]
    split, middle_of = np.unique(edges[is_cut], axis=0, return_inverse=True)
    middles = np.zeros(edges.shape[:2], np.int64)
    middles[is_cut] = len(vertices) + middle_of.reshape(-1)
    known = np.concatenate([turned, middles], axis=1)
    pieces = [known[count == 0, :3]]
    for number, pattern in CUTS.items():
        pieces += [known[count == number][:, corners] for corners in pattern]
    return np.concatenate([vertices, vertices[split].mean(axis=1)]), np.concatenate(pieces)
