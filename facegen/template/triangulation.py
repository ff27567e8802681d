"""Triangulate points that are visible from a centre: convex hull of their directions, then edge flips on the surface.

Only the left half (x >= 0) is triangulated, and then mirrored, so that the triangulation is symmetric.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull

from dcign.arrays import Bool, Float64, Int64
from dcign.errors import ModelError

FLIP_ROUNDS = 60
FLIP_MARGIN = 0.05  # radians by which two opposite angles must exceed pi, so that no edge flips back and forth


def triangulate(vertices: Float64, directions: Float64, mirror: Int64) -> Int64:
    """Return a closed, outward, mirror-symmetric triangulation (T, 3) of genus 0.

    vertices (V, 3) mm; directions (V, 3), unit vectors from a centre from which all vertices are visible; mirror (V,).

    Raises ModelError if a triangle crosses the midline.
    """
    hull = _outward(ConvexHull(directions).simplices.astype(np.int64), directions)
    left = hull[directions[hull].sum(1)[:, 0] > 0]
    if 2 * len(left) != len(hull) or (directions[left][..., 0] < -1e-9).any():
        raise ModelError(
            "expected triangles on one side of the midline, found one that crosses it: put the vertices on the midline "
            "closer together, or the others further from it (facegen/template/spacing.py)."
        )
    left = flip_edges(left, vertices, directions)
    return np.concatenate([left, mirror[left][:, ::-1]])


def flip_edges(triangles: Int64, vertices: Float64, directions: Float64) -> Int64:
    """Flip edges (Delaunay on the surface) where all triangles still face away from the centre."""
    triangles = triangles.copy()
    for _ in range(FLIP_ROUNDS):
        if not _flip_once(triangles, vertices, directions):
            break
    return triangles


def _flip_once(triangles: Int64, vertices: Float64, directions: Float64) -> bool:
    """Flip, in place, every edge that is the worst of both its triangles. Return False if there was none."""
    first, second, start, end, left_tip, right_tip = _inner_edges(triangles, len(vertices))
    excess = _angle(vertices, left_tip, start, end) + _angle(vertices, right_tip, start, end) - np.pi
    one = np.stack([left_tip, start, right_tip], 1)
    two = np.stack([right_tip, end, left_tip], 1)
    allowed = (excess > FLIP_MARGIN) & _faces_out(one, directions) & _faces_out(two, directions)
    candidates = np.flatnonzero(allowed)
    if not len(candidates):
        return False
    worst = np.zeros(len(triangles))
    np.maximum.at(worst, first[candidates], excess[candidates])
    np.maximum.at(worst, second[candidates], excess[candidates])
    chosen = candidates[
        (excess[candidates] == worst[first[candidates]]) & (excess[candidates] == worst[second[candidates]])
    ]
    triangles[first[chosen]] = one[chosen]
    triangles[second[chosen]] = two[chosen]
    return len(chosen) > 0


def _inner_edges(triangles: Int64, count: int) -> tuple[Int64, Int64, Int64, Int64, Int64, Int64]:
    """Return, for each edge with a triangle on both sides: the triangles, its two ends, the opposite corners."""
    start = triangles.ravel()
    end = np.roll(triangles, -1, 1).ravel()
    tip = np.roll(triangles, -2, 1).ravel()
    owner = np.repeat(np.arange(len(triangles)), 3)
    key = start * count + end
    order = np.argsort(key)
    position = np.minimum(np.searchsorted(key[order], end * count + start), len(key) - 1)
    other = order[position]
    inner = (key[other] == end * count + start) & (start < end)
    twin = other[inner]
    return owner[inner], owner[twin], start[inner], end[inner], tip[inner], tip[twin]


def _angle(vertices: Float64, corner: Int64, start: Int64, end: Int64) -> Float64:
    """Return the angles (E,) at the corners, radians."""
    a, b = vertices[start] - vertices[corner], vertices[end] - vertices[corner]
    cosine = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return np.asarray(np.arccos(np.clip(cosine, -1, 1)))


def _faces_out(triangles: Int64, directions: Float64) -> Bool:
    a, b, c = np.moveaxis(directions[triangles], 1, 0)
    return np.asarray((np.cross(b - a, c - a) * a).sum(1) > 1e-9)


def _outward(triangles: Int64, directions: Float64) -> Int64:
    inward = ~_faces_out(triangles, directions)
    triangles[inward] = triangles[inward][:, ::-1]
    return triangles
