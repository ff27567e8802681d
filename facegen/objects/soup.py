"""A triangle soup from a mesh file, and its repair: no triangle without area, no triangle twice.

Points at one position are merged, so that triangles which touch share them even where the file does not. Colours
belong to corners.
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

RADIUS = 140.0  # mm, of the sphere that each object fills. About that of a head: settings in mm suit both
SAME_POSITION = 1e-6  # of the extent of an object
INWARD = 0.1  # of the way from a corner to the centre of its triangle: there, colours of neighbours do not mix
NOT_FINITE = "not all of its coordinates are finite numbers"


@dataclass(frozen=True, eq=False)
class Soup:
    """points (P, 3); triangles (T, 3) into points; colours (T, 3, 3), sRGB of each triangle's corners."""

    points: Float64
    triangles: Int64
    colours: UInt8


def joined(parts: Sequence[Soup]) -> Soup:
    """Join several soups."""
    firsts = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    return Soup(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.triangles + first for part, first in zip(parts, firsts, strict=True)]),
        np.concatenate([part.colours for part in parts]),
    )


def welded(soup: Soup) -> Soup:
    """Merge points at one position; remove triangles without area, repeated triangles and unused points.

    Raises ModelError, whose text is a clause, if no triangle is left or a coordinate is not finite.
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
    first, position_of = _positions(points, SAME_POSITION * extent)
    triangles = position_of[ours.reshape(-1, 3)]
    a, b, c = triangles.T
    corners = points[first][triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    sound = np.flatnonzero((a != b) & (b != c) & (c != a) & (area > (SAME_POSITION * extent) ** 2))
    _, once = np.unique(np.sort(triangles[sound], axis=1), axis=0, return_index=True)
    kept = sound[np.sort(once)]
    if not len(kept):
        raise ModelError("none of its triangles has an area")
    left, ours = np.unique(triangles[kept], return_inverse=True)
    return Soup(points[first][left], ours.reshape(-1, 3), soup.colours[kept])


def _positions(points: Float64, apart: float) -> tuple[Int64, Int64]:
    """Group points (P, 3) no farther `apart` than this: one point of each group (N,), and the group of each (P,)."""
    pairs = cKDTree(points).query_pairs(apart, output_type="ndarray")
    group = connected(pairs[:, 0], pairs[:, 1], len(points))
    return np.asarray(np.unique(group, return_index=True)[1], np.int64), group


def connected(first: Int64, second: Int64, count: int) -> Int64:
    """Number the connected components of a graph of `count` nodes with edges first (E,) - second (E,): (count,)."""
    links = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def normalised(soup: Soup) -> Soup:
    """Scale and shift the soup to fill a sphere of RADIUS mm about the origin."""
    centre, radius = smallest_sphere(soup.points)
    return Soup((soup.points - centre) * (RADIUS / radius), soup.triangles, soup.colours)


def simplified(soup: Soup, most: int) -> Soup:
    """Reduce the soup to at most `most` triangles by quadrics (Garland and Heckbert 1997).

    Each corner gets the colour of the nearest corner of the original.
    """
    if len(soup.triangles) <= most:
        return soup
    import fast_simplification

    points, triangles = fast_simplification.simplify(soup.points, soup.triangles, target_count=most)[:2]
    points, triangles = np.asarray(points, np.float64), np.asarray(triangles, np.int64)
    nearest = cKDTree(_inside(soup.points, soup.triangles)).query(_inside(points, triangles))[1]
    return Soup(points, triangles, soup.colours.reshape(-1, 3)[nearest].reshape(-1, 3, 3))


def _inside(points: Float64, triangles: Int64) -> Float64:
    """Return the positions of the corners (3 T, 3), each slightly inside its triangle."""
    corners = points[triangles]
    return np.asarray((corners + INWARD * (corners.mean(axis=1, keepdims=True) - corners)).reshape(-1, 3))
