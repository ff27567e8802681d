"""Triangles as a mesh file gives them, made sound: no two corners of a triangle in one place, no triangle twice.

Points are places, so that triangles which touch share them whatever the file split; colours belong to corners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from dcign.arrays import Float64, Int64, UInt8
from dcign.errors import ModelError
from dcign.facegen.model.bounding_sphere import smallest_sphere

RADIUS = 140.0  # mm, of the sphere that each object fills: about a head's, so that all that is set in mm suits both
SAME_PLACE = 1e-6  # of an object's extent
NOT_FINITE = "not all of its coordinates are finite numbers"


@dataclass(frozen=True, eq=False)
class Soup:
    """points (P, 3); triangles (T, 3) into points; colours (T, 3, 3), sRGB of each triangle's corners."""

    points: Float64
    triangles: Int64
    colours: UInt8


def joined(parts: Sequence[Soup]) -> Soup:
    """Several as one."""
    firsts = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    return Soup(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.triangles + first for part, first in zip(parts, firsts, strict=True)]),
        np.concatenate([part.colours for part in parts]),
    )


def welded(soup: Soup) -> Soup:
    """Points of one place made one; triangles without area and repeated ones left out, and points of no triangle.

    Raises ModelError if nothing is left, or a coordinate is no finite number.
    """
    used = soup.points[soup.triangles]
    if not len(soup.triangles):
        raise ModelError("it has no triangles")
    if not np.isfinite(used).all():
        raise ModelError(NOT_FINITE)
    low = used.min(axis=(0, 1))
    extent = float((used.max(axis=(0, 1)) - low).max())
    if extent == 0:
        raise ModelError("all of its triangles are in one point")
    points, ours = np.unique(used.reshape(-1, 3), axis=0, return_inverse=True)
    first, place_of = _places(points, SAME_PLACE * extent)
    triangles = place_of[ours.reshape(-1, 3)]
    a, b, c = triangles.T
    corners = points[first][triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    sound = np.flatnonzero((a != b) & (b != c) & (c != a) & (area > (SAME_PLACE * extent) ** 2))
    _, once = np.unique(np.sort(triangles[sound], axis=1), axis=0, return_index=True)
    kept = sound[np.sort(once)]
    if not len(kept):
        raise ModelError("none of its triangles has an area")
    left, ours = np.unique(triangles[kept], return_inverse=True)
    return Soup(points[first][left], ours.reshape(-1, 3), soup.colours[kept])


def _places(points: Float64, apart: float) -> tuple[Int64, Int64]:
    """Which point each place has (N,), and the place of each point (P,): those no farther `apart` than this are one."""
    pairs = cKDTree(points).query_pairs(apart, output_type="ndarray")
    links = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    place_of = np.asarray(connected_components(links, directed=False)[1], np.int64)
    return np.asarray(np.unique(place_of, return_index=True)[1], np.int64), place_of


def normalised(soup: Soup) -> Soup:
    """The same in a sphere of RADIUS about the origin, mm."""
    centre, radius = smallest_sphere(soup.points)
    return Soup((soup.points - centre) * (RADIUS / radius), soup.triangles, soup.colours)
