"""Triangles as a mesh file gives them, made sound: no two corners of a triangle in one place, no triangle twice.

Points are places, so that triangles which touch share them whatever the file split; colours belong to corners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegen.model import ModelError, smallest_sphere

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Bytes = NDArray[np.uint8]

RADIUS = 140.0  # mm, of the sphere that each object fills: about a head's, so that all that is set in mm suits both
SAME_PLACE = 1e-6  # of an object's extent


@dataclass(frozen=True, eq=False)
class Soup:
    """points (P, 3); triangles (T, 3) into points; colours (T, 3, 3), sRGB of each triangle's corners."""

    points: Array
    triangles: Index
    colours: Bytes


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
        raise ModelError("not all of its coordinates are finite numbers")
    low = used.min(axis=(0, 1))
    extent = float((used.max(axis=(0, 1)) - low).max())
    if extent == 0:
        raise ModelError("all of its triangles are in one point")
    places = np.round((soup.points - low) / (SAME_PLACE * extent))
    places = np.where(np.isfinite(places), places, 0)  # of no triangle
    _, first, place_of = np.unique(places, axis=0, return_index=True, return_inverse=True)
    triangles = place_of.reshape(-1)[soup.triangles]
    a, b, c = triangles.T
    corners = soup.points[first][triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    sound = np.flatnonzero((a != b) & (b != c) & (c != a) & (area > (SAME_PLACE * extent) ** 2))
    _, once = np.unique(np.sort(triangles[sound], axis=1), axis=0, return_index=True)
    kept = sound[np.sort(once)]
    if not len(kept):
        raise ModelError("none of its triangles has an area")
    points, ours = np.unique(triangles[kept], return_inverse=True)
    return Soup(soup.points[first][points], ours.reshape(-1, 3), soup.colours[kept])


def normalised(soup: Soup) -> Soup:
    """The same in a sphere of RADIUS about the origin, mm."""
    centre, radius = smallest_sphere(soup.points)
    return Soup((soup.points - centre) * (RADIUS / radius), soup.triangles, soup.colours)
