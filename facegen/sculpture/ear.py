"""The outer ear, in its own frame: x towards the back of the ear, y up along it, z out of the head."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline

from dcign.arrays import Float64
from dcign.facegen.primitives import smooth_union, tapered_capsule
from dcign.facegen.sculpture.features import Ellipsoid, Feature, near

ATTACHED_AT = (68.5, -19.0, 2.0)  # the frame's origin on the head, just in front of the tragion
SIZE = 0.93  # factor for the tables below, which describe a large ear
LEAN = 14.0  # degrees from upright
FLARE = 21.0  # degrees from flat on the head
BLEND_WITH_HEAD = 5.0
RODS_PER_JOINT = 3
RIM_ROWS = (-5.0, 50.0)  # degrees around the rim, of its crest and its outer edge: each gets a row of vertices

Joints = tuple[tuple[float, float, float, float], ...]

_ANCHORS = {"ear": (0.0, 0.0, 0.0)}

PLATE: tuple[Feature, ...] = (
    Ellipsoid("plate", near("ear", 16.5, 6, -2.6), (16, 30.5, 3.6), blend=1),
    Ellipsoid("lobule", near("ear", 10, -18, -1.6), (8.5, 8.5, 3.2), blend=5),
)

# Rims as bent rods: (x, y, z, radius) of each joint, joined by a smooth curve.
HELIX = (  # from its root in the middle of the ear over the top and down the back to the lobe
    (9, 2.5, 0.2, 2.0), (4.2, 10, 1.8, 2.2), (3.2, 21, 2.4, 2.4), (7, 31, 2.6, 2.6),
    (15, 36.8, 2.8, 2.7), (24.5, 34.2, 2.8, 2.7), (31, 25, 2.6, 2.6), (33, 13, 2.3, 2.4),
    (31.5, 2, 1.9, 2.2), (27.5, -8, 1.4, 2.1), (21.5, -17, 0.8, 2.4),
    (15, -23.5, 0.0, 3.0), (9.5, -25, -1.2, 3.0), (5.5, -23, -3.4, 2.8),
)  # fmt: skip
ANTIHELIX = (
    (15.5, -12, 1.4, 2.4), (21.5, -7, 1.5, 2.4), (24, 3, 1.8, 2.6), (22.5, 13, 1.6, 2.6), (18, 22, 0.6, 2.4),
    (13, 29, -0.6, 2.0),
)  # fmt: skip
LOWER_CRUS = ((22.5, 12, 1.4, 2.2), (15, 16.5, 0.6, 2.0), (7, 18.5, 0.0, 1.8))

HOLLOWS: tuple[Feature, ...] = (
    Ellipsoid("concha", near("ear", 12.5, -2, 4.0), (8.4, 9.0, 6.8), blend=3.5, carve=True),
    Ellipsoid("cymba", near("ear", 13.5, 9, 4), (8, 5.2, 5.2), blend=3.5, carve=True),
    Ellipsoid("tragus", near("ear", 2.6, -2.8, 1.2), (3.2, 5.0, 3.2), blend=4.5),
    Ellipsoid("antitragus", near("ear", 13.2, -13.6, 1.0), (4.2, 3.0, 3.0), blend=3.5),
)


def add_ears(distance: Float64, points: Float64) -> Float64:
    """Add the ears to the distance (N,) of the head at points (N, 3) with x >= 0."""
    x, y, z = points.T
    close = (x > 58) & (y > -60) & (y < 34) & (z < 30) & (z > -60)
    if not close.any():
        return distance
    with_ears = distance.copy()
    with_ears[close] = smooth_union(distance[close], _ear(points[close]), BLEND_WITH_HEAD)
    return with_ears


def rim_rows(spacing: float = 1.7) -> list[Float64]:
    """Return rows of points (n, 3), `spacing` mm apart, on the rim's crest and outer edge, in the head's frame."""
    rim = _smooth_joints(HELIX)[RODS_PER_JOINT:]
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(rim[:, :3], axis=0), axis=1))])
    at = np.linspace(0, length[-1], int(SIZE * length[-1] / spacing))
    centre, radius = CubicSpline(length, rim[:, :3])(at), np.interp(at, length, rim[:, 3])[:, None]
    along = np.gradient(centre, axis=0)
    out = np.stack([-along[:, 1], along[:, 0], 0 * at], 1)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    rows = []
    for degrees in RIM_ROWS:
        angle = np.radians(degrees)
        local = centre + radius * (np.sin(angle) * out + np.cos(angle) * np.array([0, 0, 1.0]))
        rows.append(SIZE * local @ _frame().T + ATTACHED_AT)
    return rows


def _ear(points: Float64) -> Float64:
    """Return the distance (N,) of points (N, 3), in the head's frame, to the ear alone."""
    local = (points - ATTACHED_AT) @ _frame() / SIZE
    distance = np.full(len(points), 1e3)
    for feature in PLATE:
        distance = feature.apply(distance, local, _ANCHORS)
    for rim, blend in ((HELIX, 2.6), (ANTIHELIX, 4.0), (LOWER_CRUS, 4.0)):
        distance = smooth_union(distance, _rim(local, rim), blend)
    for feature in HOLLOWS:
        distance = feature.apply(distance, local, _ANCHORS)
    return distance * SIZE


def _rim(local: Float64, joints: Joints) -> Float64:
    ends = pairwise(_smooth_joints(joints))
    rods = [tapered_capsule(local, start[:3], end[:3], start[3], end[3]) for start, end in ends]
    return np.asarray(np.min(rods, axis=0))


@lru_cache
def _smooth_joints(joints: Joints) -> Float64:
    """Return RODS_PER_JOINT times as many joints, on a smooth curve through those given."""
    stations = np.array(joints)
    curve = CubicSpline(np.arange(len(stations)), stations)
    return np.asarray(curve(np.linspace(0, len(stations) - 1, RODS_PER_JOINT * (len(stations) - 1) + 1)))


def _frame() -> Float64:
    """Return a matrix (3, 3) whose columns are the ear's axes in the head's frame."""
    lean, flare = np.radians([LEAN, FLARE])
    up = np.array([0, np.cos(lean), -np.sin(lean)])
    flat = np.array([0, -np.sin(lean), -np.cos(lean)])
    back = flat * np.cos(flare) + np.array([1.0, 0, 0]) * np.sin(flare)
    out = np.cross(up, back)
    return np.stack([back, up, out if out[0] > 0 else -out], 1)
