"""The outer ear, in a frame of its own: x towards the back of the ear, y up along it, z out of the head."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from facegen.features import Ball, Feature, near
from facegen.primitives import Array, smooth_union, tapered_capsule

ATTACHED_AT = (68.5, -19.0, 2.0)  # the frame's origin on the head, just in front of the tragion
LEANS_BACK = 14.0  # degrees from upright
FLARES = 21.0  # degrees from flat on the head
BLEND_WITH_HEAD = 4.0

_ANCHORS = {"ear": (0.0, 0.0, 0.0)}

PLATE: tuple[Feature, ...] = (
    Ball("plate", near("ear", 16, 6, -3), (16, 30, 4.2), blend=1),
    Ball("lobule", near("ear", 11, -17, -1.2), (8, 8, 3.4), blend=3),
)

# Rims as bent rods: (x, y, z, radius) of each joint.
HELIX = (
    (7, 3, 1.0, 2.4),  # crus, from the middle of the ear
    (3.2, 12, 2.2, 2.6),
    (3.0, 22, 2.6, 2.8),
    (7, 31, 2.8, 3.0),
    (15, 36, 3.0, 3.1),  # top
    (24, 33.5, 3.0, 3.2),
    (30, 25, 2.8, 3.1),
    (32, 13, 2.4, 2.9),
    (30.5, 2, 2.0, 2.6),  # back
    (26.5, -8, 1.5, 2.4),
    (21, -16, 1.0, 2.8),
    (15, -22, 0.4, 3.6),  # lobe
    (8.5, -23, -0.2, 3.6),
    (4.5, -18, -1.0, 3.2),
)
ANTIHELIX = (
    (16, -11, 2.4, 2.6),
    (22, -6, 2.2, 2.4),
    (24, 4, 2.4, 2.6),
    (22, 14, 2.2, 2.6),
    (17, 21, 1.4, 2.2),
    (11, 26, 0.4, 1.8),
)

HOLLOWS: tuple[Feature, ...] = (
    Ball("concha", near("ear", 12.5, -1.5, 4.2), (8.6, 8.6, 6.6), blend=2.2, carve=True),
    Ball("cymba", near("ear", 13, 9, 4), (8, 5.5, 5.4), blend=2.2, carve=True),
    Ball("tragus", near("ear", 2.4, -2.6, 2.2), (3.4, 5.2, 3.6), blend=2.2),
    Ball("antitragus", near("ear", 13.5, -13, 1.8), (4.2, 3.2, 3.2), blend=2.2),
)


def add_ears(distance: Array, points: Array) -> Array:
    """The head (N,) with its ears; points (N, 3) have x >= 0."""
    x, y, z = points.T
    close = (x > 58) & (y > -60) & (y < 34) & (z < 30) & (z > -60)
    if not close.any():
        return distance
    with_ears = distance.copy()
    with_ears[close] = smooth_union(distance[close], _ear(points[close]), BLEND_WITH_HEAD)
    return with_ears


def _ear(points: Array) -> Array:
    local = (points - ATTACHED_AT) @ _frame()
    distance = np.full(len(points), 1e3)
    for feature in PLATE:
        distance = feature.apply(distance, local, _ANCHORS)
    distance = smooth_union(distance, _rim(local, HELIX), 1.8)
    distance = smooth_union(distance, _rim(local, ANTIHELIX), 2.2)
    for feature in HOLLOWS:
        distance = feature.apply(distance, local, _ANCHORS)
    return distance


def _rim(local: Array, joints: tuple[tuple[float, float, float, float], ...]) -> Array:
    rods = [
        tapered_capsule(local, np.array(start[:3]), np.array(end[:3]), start[3], end[3])
        for start, end in pairwise(joints)
    ]
    return np.asarray(np.min(rods, axis=0))


def _frame() -> Array:
    """Columns are the ear's axes in the head's frame."""
    lean, flare = np.radians([LEANS_BACK, FLARES])
    up = np.array([0, np.cos(lean), -np.sin(lean)])
    flat = np.array([0, -np.sin(lean), -np.cos(lean)])
    back = flat * np.cos(flare) + np.array([1.0, 0, 0]) * np.sin(flare)
    out = np.cross(up, back)
    return np.stack([back, up, out if out[0] > 0 else -out], 1)
