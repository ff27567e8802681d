"""Triangulate polygons of any number of corners, convex or not, by the ear clipping of mapbox_earcut."""

from __future__ import annotations

import mapbox_earcut
import numpy as np

from dcign.arrays import Bool, Float64, Int64
from dcign.errors import ModelError
from dcign.facegen.objects.formats.part import check_coordinates

FLAT = 1e-9  # of the size of a polygon: a corner that turns less is straight
LOST_SHARE = 1e-3  # of a polygon's area: more is lost or covered twice where it crosses itself


def triangulated(points: Float64, counts: Int64, corners: Int64) -> tuple[Int64, Int64, tuple[str, ...]]:
    """Cut polygons into triangles.

    points (P, 3); counts (F,) corners of each polygon; corners (C,), into points, polygon after polygon -> the corners
    of triangles (T, 3), into `corners`, the polygon of each (T,), in the order of the polygons, and how many polygons
    cross themselves, as no noun phrase or one. Polygons of fewer than three corners are points and lines: they give no
    triangles. Convex ones become fans about their first corner. Of one that crosses itself, any part may be lost.

    Raises ModelError, whose text is a clause, if a corner is no point or has no usable coordinates.
    """
    if len(corners) and not 0 <= corners.min() <= corners.max() < len(points):
        wrong = corners.max() if corners.max() >= len(points) else corners.min()
        raise ModelError(f"a face names vertex {wrong} (from 0) of {len(points)}")
    check_coordinates(points if len(points) < len(corners) else points[corners])
    first = np.cumsum(counts) - counts
    crossing = 0
    pieces, owners = [np.empty((0, 3), np.int64)], [np.empty(0, np.int64)]
    for count in np.unique(counts[counts >= 3]).tolist():
        faces = np.flatnonzero(counts == count)
        loops = first[faces][:, None] + np.arange(count)
        fan = np.stack([np.zeros(count - 2, np.int64), np.arange(1, count - 1), np.arange(2, count)], axis=1)
        local = np.repeat(fan[None], len(faces), axis=0)
        if count > 3:
            polygons = points[corners[loops]]
            for number in np.flatnonzero(~_convex(polygons)):
                local[number], crosses = _clipped(polygons[number], fan)
                crossing += crosses
        pieces.append(np.take_along_axis(loops[:, None], local, axis=2).reshape(-1, 3))
        owners.append(np.repeat(faces, count - 2))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    noun = "polygon" if crossing == 1 else "polygons"
    return np.concatenate(pieces)[order], owner[order], (f"{crossing:,} {noun}",) if crossing else ()


def strips_cut(strip: Int64) -> Int64:
    """Return the triangles (T, 3) of a triangle strip (N,), all wound alike; a negative number starts a new strip."""
    windows = np.lib.stride_tricks.sliding_window_view(strip, 3) if len(strip) >= 3 else np.empty((0, 3), np.int64)
    stops = np.flatnonzero(strip < 0)
    starts = np.concatenate([[0], stops + 1])
    odd = (np.arange(len(windows)) - starts[np.searchsorted(stops, np.arange(len(windows)))]) % 2 == 1
    triangles = np.where(odd[:, None], windows[:, [1, 0, 2]], windows)
    return np.asarray(triangles[(triangles >= 0).all(axis=1)])


def _normals(polygons: Float64) -> Float64:
    """Return the normals (F, 3), twice the area long, of polygons (F, n, 3) by Newell's sum, which forgives bends."""
    centred = polygons - polygons[:, :1]
    return np.asarray(np.cross(centred, np.roll(centred, -1, axis=1)).sum(axis=1))


def _convex(polygons: Float64) -> Bool:
    """Return which polygons (F, n, 3) turn to one side at all corners, once around."""
    normals = _normals(polygons)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    edges = np.roll(polygons, -1, axis=1) - polygons
    before = np.roll(edges, 1, axis=1)
    sines = (np.cross(before, edges) * normals[:, None]).sum(axis=2)
    cosines = (before * edges).sum(axis=2)
    size = (edges**2).sum(axis=2).max(axis=1, keepdims=True)
    around = np.arctan2(sines, cosines).sum(axis=1) < 3 * np.pi  # a star turns twice
    return np.asarray((sines >= -FLAT * size).all(axis=1) & around)


def _clipped(polygon: Float64, fan: Int64) -> tuple[Int64, bool]:
    """Return the triangles (n - 2, 3) of one polygon (n, 3), wound as it is, and whether it crosses itself.

    Triangles that are left over have no area. The lobes of a polygon that crosses itself have opposite signs in its
    area, or are covered twice, so that its triangles have another area.
    """
    normal = _normals(polygon[None])[0]
    length = np.linalg.norm(normal)
    smallest = FLAT * np.square(np.ptp(polygon, axis=0)).sum()
    if not np.isfinite(length) or length <= smallest:
        return fan, bool(np.linalg.norm(_doubled(polygon[fan]), axis=1).sum() > smallest)
    axis = int(np.abs(normal).argmax())
    kept = [other for other in range(3) if other != axis]
    flat = np.ascontiguousarray(polygon[:, kept] - polygon[0, kept])
    if (normal[axis] < 0) != (axis == 1):  # axes x z are seen from -y
        flat[:, 0] *= -1
    cut = mapbox_earcut.triangulate_float64(flat, np.array([len(polygon)], np.uint32)).reshape(-1, 3).astype(np.int64)
    corners = flat[cut]
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    clockwise = one[:, 0] * two[:, 1] < one[:, 1] * two[:, 0]
    cut[clockwise] = cut[clockwise][:, ::-1]
    covered = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]).sum()
    crosses = abs(covered - np.abs(normal[axis])) > LOST_SHARE * max(covered, np.abs(normal[axis]))
    return np.concatenate([cut, np.zeros((len(fan) - len(cut), 3), np.int64)])[: len(fan)], bool(crosses)


def _doubled(triangles: Float64) -> Float64:
    """Return the normals (T, 3) of triangles (T, 3, 3), twice the area long."""
    return np.asarray(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]))
