"""Slide vertices along the skin until they are evenly spaced, also where no ray from the centre arrives.

Each step moves a vertex towards the mean of its neighbours, then back onto the surface of the signed distance. Only
one half is relaxed, and then mirrored; the triangles do not change.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, diags

from dcign.arrays import Float64, Int64
from dcign.facegen.primitives import SignedDistance

PULL = 0.6  # of the way to the mean of the neighbours, per step
GRADIENT_STEP = 0.05  # mm, of a one-sided difference


def relax(
    vertices: Float64, triangles: Int64, mirror: Int64, freedom: Float64, distance: SignedDistance, steps: int
) -> Float64:
    """Return the vertices (V, 3) after `steps` steps; freedom (V,) 0..1 scales the steps of each.

    Both sides move symmetrically; vertices on the midline do not move.
    """
    left = np.flatnonzero((freedom > 0) & (vertices[:, 0] > 0) & (mirror != np.arange(len(vertices))))
    neighbours = _neighbour_means(triangles, len(vertices))[left]
    moved = vertices.copy()
    for _ in range(steps):
        offset = neighbours @ moved - moved[left]
        moved[left] = onto_surface(moved[left] + PULL * freedom[left, None] * offset, distance)
        moved[mirror[left]] = moved[left] * (-1, 1, 1)
    return moved


def onto_surface(points: Float64, distance: SignedDistance, steps: int = 2) -> Float64:
    """Move points (N, 3) near the surface distance = 0 onto it, along the gradient."""
    for _ in range(steps):
        gap = distance(points)
        ahead = np.stack([distance(points + GRADIENT_STEP * axis) for axis in np.eye(3)], 1)
        gradient = (ahead - gap[:, None]) / GRADIENT_STEP
        steepness = np.maximum((gradient**2).sum(1), 0.25)  # blends are flat in some regions: limit the step
        points = points - np.clip(gap / steepness, -1.5, 1.5)[:, None] * gradient
    return points


def _neighbour_means(triangles: Int64, count: int) -> csr_matrix:
    """Return a matrix (V, V) whose rows average the neighbours of each vertex."""
    start, end = triangles.ravel(), np.roll(triangles, -1, 1).ravel()
    adjacent = csr_matrix((np.ones(len(start)), (start, end)), shape=(count, count))
    return csr_matrix(diags(1 / np.asarray(adjacent.sum(1)).ravel()) @ adjacent)
