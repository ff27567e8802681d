"""Fewer triangles for an object that has more than its pictures can show."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from dcign.arrays import Float64, Int64
from dcign.facegen.objects.soup import Soup

INWARD = 0.1  # of the way from a corner to its triangle's middle: there colours of neighbours do not mix


def simplified(soup: Soup, most: int) -> Soup:
    """The same with `most` triangles or fewer, by quadrics (Garland, Heckbert 1997); colours of the nearest corners."""
    if len(soup.triangles) <= most:
        return soup
    import fast_simplification

    points, triangles = fast_simplification.simplify(soup.points, soup.triangles, target_count=most)[:2]
    points, triangles = np.asarray(points, np.float64), np.asarray(triangles, np.int64)
    nearest = cKDTree(_inside(soup.points, soup.triangles)).query(_inside(points, triangles))[1]
    return Soup(points, triangles, soup.colours.reshape(-1, 3)[nearest].reshape(-1, 3, 3))


def _inside(points: Float64, triangles: Int64) -> Float64:
    """Places of the corners (3 T, 3), each a little into its triangle."""
    corners = points[triangles]
    return np.asarray((corners + INWARD * (corners.mean(axis=1, keepdims=True) - corners)).reshape(-1, 3))
