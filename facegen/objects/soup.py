"""A triangle soup from a mesh file, and its repair: no triangle without area, no triangle twice.

Points at one position are merged, so that triangles which touch share them even where the file does not. Colours
belong to corners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from dcign.arrays import Float64, Int64, UInt8
from dcign.errors import ModelError
from dcign.facegen.model.bounding_sphere import smallest_sphere
from dcign.facegen.objects.formats.part import check_coordinates

RADIUS = 140.0  # mm, of the sphere that each object fills. About that of a head: settings in mm suit both
SAME_POSITION = 1e-6  # of the extent of an object
INWARD = 0.1  # of the way from a corner to the centre of its triangle: there, colours of neighbours do not mix


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
    if not len(soup.triangles):
        raise ModelError("it has no triangles")
    used, triangles = _used(soup.triangles, len(soup.points))
    points = soup.points[used]
    check_coordinates(points)
    low = points.min(axis=0)
    extent = float((points.max(axis=0) - low).max())
    if extent == 0:
        raise ModelError("all of its triangles are in one point")
    first, position_of = _positions(points, SAME_POSITION * extent)
    triangles = position_of[triangles]
    a, b, c = triangles.T
    corners = ((points[first] - low) / extent)[triangles]  # of extent 1, so that no area under- or overflows
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    sound = np.flatnonzero((a != b) & (b != c) & (c != a) & (area > SAME_POSITION**2))
    kept = sound[np.sort(distinct(np.sort(triangles[sound], axis=1))[0])]
    if not len(kept):
        raise ModelError("none of its triangles has an area")
    left, triangles = _used(triangles[kept], len(first))
    return Soup(points[first][left], triangles, soup.colours[kept])


def _used(triangles: Int64, count: int) -> tuple[Int64, Int64]:
    """Return which of `count` points triangles (T, 3) use, and the triangles as numbers of these."""
    used = np.zeros(count, bool)
    used[triangles] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[triangles]


def _positions(points: Float64, apart: float) -> tuple[Int64, Int64]:
    """Group points (P, 3) no farther `apart` than this: one point of each group (N,), and the group of each (P,)."""
    once, number = distinct(points)
    pairs = cKDTree(points[once]).query_pairs(apart, output_type="ndarray")
    group = connected(pairs[:, 0], pairs[:, 1], len(once))
    return once[np.unique(group, return_index=True)[1]], group[number]


def distinct(rows: NDArray[Any]) -> tuple[Int64, Int64]:
    """Return the first of each of the rows (N, K) that are equal, in the order of their values, and the number of each.

    As `numpy.unique`, which takes five times as long.
    """
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    new = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])[: len(rows)]
    number = np.empty(len(rows), np.int64)
    number[order] = np.cumsum(new) - 1
    return order[new], number


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
