"""Which points of a mesh the light reaches, by rays against every triangle, in numpy alone."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Bool, Float64, Int32

OWN = 0.03  # mm from a triangle's plane: nearer than this it is the point's own. Depth has steps of 1/64 mm.


def reached(points: Float64, vertices: Float64, triangles: Int32, light: Float64) -> Bool:
    """Return for each point (P, 3) whether no triangle lies between it and the light -> (P,).

    points, vertices (V, 3): camera space, mm; triangles (T, 3): both sides block; light (3,): unit vector towards it
    """
    right = np.cross(light, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(light, right), light], axis=1)
    starts = points @ axes
    a, b, c = ((vertices @ axes)[corners] for corners in triangles.T)
    normals = np.cross(b - a, c - a)
    area = normals[:, 2]  # twice, as the light sees it
    across = np.abs(area) > 1e-9
    steepness = np.linalg.norm(normals, axis=1)
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    free = np.ones(len(points), bool)
    for number, start in enumerate(starts):
        near = np.flatnonzero(
            (low[:, 0] <= start[0]) & (high[:, 0] >= start[0]) & (low[:, 1] <= start[1]) & (high[:, 1] >= start[1])
            & (high[:, 2] > start[2]) & across
        )  # fmt: skip
        u = _cross(c[near] - b[near], start - b[near]) / area[near]
        v = _cross(a[near] - c[near], start - c[near]) / area[near]
        above = u * a[near, 2] + v * b[near, 2] + (1 - u - v) * c[near, 2] - start[2]
        distance = above * np.abs(area[near]) / steepness[near]
        free[number] = not ((u >= 0) & (v >= 0) & (u + v <= 1) & (distance > OWN)).any()
    return free


def unprojected(depth: Float64, pixels: Int32, size: int, field_of_view_degrees: float) -> Float64:
    """Return the points (P, 3) in camera space that pixels (P, 2), row and column, show at depth (P,) mm."""
    half = np.tan(np.radians(field_of_view_degrees) / 2)
    row, column = pixels.T + 0.5
    return np.stack([(2 * column / size - 1) * half * depth, (1 - 2 * row / size) * half * depth, -depth], axis=1)


def _cross(first: Float64, second: Float64) -> Float64:
    """Return z of the cross product of the first two components."""
    return np.asarray(first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0])
