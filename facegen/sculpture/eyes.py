"""Eyelids and eyeballs."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import curve, ellipsoid, smooth_carve, smooth_union
from dcign.facegen.sculpture.features import Crease, Ellipsoid, Feature, Groove, near
from dcign.facegen.sculpture.landmarks import LANDMARKS

# The fold of the upper lid, from the centre of the eyeball, seen from the front: (x, y).
_FOLD = (
    (-16.5, -1.2), (-13.5, 2.0), (-10.5, 4.9), (-6.5, 7.4), (-1.5, 8.5), (3.5, 8.0), (8.0, 6.1), (12.0, 3.3),
    (16.0, -0.8),
)  # fmt: skip

EYELIDS = Ellipsoid("lids", near("eyeball"), (14.2, 14.2, 14.2), blend=5.5)  # the lids lie 1.9 mm above the eyeball
LID_FOLDS: tuple[Feature, ...] = (
    Crease(  # the full skin above the fold
        "upper lid hood", near("eyeball"), stations=tuple((x, y + 3.4) for x, y in _FOLD),
        width=2.6, depth=-0.6, across=((-14.5, -6.5), (8.5, 17.5)), front=(-11.5, -5.5),
    ),
    Crease(  # an open lid retracts into it
        "upper lid fold", near("eyeball"), stations=_FOLD,
        width=1.3, depth=0.95, across=((-15.5, -10.5), (10.5, 16.5)), front=(-11.5, -5.5),
    ),
    Groove("tear trough", near("endocanthion", 2.7, -6.6, 2), near("orbitale", 3, 2.5), width=3.2, depth=0.6),
)  # fmt: skip

EYEBALL_RADIUS = 12.3
IRIS_RADIUS = 5.95
PUPIL_RADIUS = 1.95
IRIS_RAISED = 0.3  # mm by which the gaze is above the centre of the eye: it looks relaxed, not startled

# Lid margins and the opening between them, seen from the front: (x, y), absolute mm.
UPPER_MARGIN = curve(
    [(16.2, -2.6), (17.7, -1.3), (20, 1.2), (23.5, 3.4), (27.5, 4.6), (31, 4.7), (35, 3.9), (39.5, 2.0), (43.1, -0.5)]
)
LOWER_MARGIN = curve(
    [(16.2, -2.6), (18, -3.2), (21, -3.8), (25, -4.6), (29.5, -5.1), (34, -4.9), (39, -3.1), (43.1, -0.5)]
)
CORNERS = (16.2, 43.1)  # x


def fold_line(x: Float64) -> Float64:
    """Return the height y (N,) of the upper lid's fold at x, mm."""
    eye_x, eye_y, _ = LANDMARKS["eyeball"]
    return eye_y + curve(_FOLD)(x - eye_x)


def aperture(x: Float64, y: Float64) -> Float64:
    """Return how far (N,) points, x >= 0, lie inside the eye's opening seen from the front; negative outside."""
    inside = np.minimum(UPPER_MARGIN(x) - y, y - LOWER_MARGIN(x))
    beside = np.maximum(np.maximum(CORNERS[0] - x, x - CORNERS[1]), 0.05)
    outside = -beside - 0.3 * np.abs(y + 1)
    return np.where((x > CORNERS[0]) & (x < CORNERS[1]), inside, outside)


def open_eyes(distance: Float64, points: Float64) -> Float64:
    """Cut the opening out of the lids, and add the eyeball, its cornea and the tear duct."""
    eye = np.array(LANDMARKS["eyeball"])
    in_front = points[:, 2] > eye[2] - 9.5
    opening = np.where(in_front, aperture(points[:, 0], points[:, 1]), -10.0)
    distance = smooth_carve(distance, -0.9 * np.minimum(opening, 3.0), 0.8)
    ball = ellipsoid(points, eye, np.full(3, EYEBALL_RADIUS))
    cornea = ellipsoid(points, eye + np.array([0, 0, 5.2]), np.full(3, 7.9))
    distance = np.minimum(distance, smooth_union(ball, cornea, 1.0))
    tear_duct = ellipsoid(points, np.array([18.2, -1.9, 76.0]), np.array([2.2, 1.6, 2.6]))
    return smooth_union(distance, tear_duct, 1.2)
