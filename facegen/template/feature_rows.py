"""Rows of vertices on the sharp lines of the face (lids, irises, lips, ear rims), and its landmarks."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import SignedDistance
from dcign.facegen.sculpture import eyes
from dcign.facegen.sculpture.ear import rim_rows
from dcign.facegen.sculpture.landmarks import LANDMARKS, SURFACE_LANDMARKS
from dcign.facegen.sculpture.mouth import LOWER_VERMILION, UPPER_VERMILION, mouth_line

FARTHEST_FORWARD = 125.0  # mm: a plane in front of every face
FRONT_STEPS = 60

LID_ROWS = (-0.45, 0.35, 1.25)  # mm outside a lid's margin: on the eyeball, on the lid's edge, on the lid's front
FOLD_ROWS = (-1.0, 0.0, 1.0)  # mm above the fold of the upper lid
ROW_GAP = 0.6  # mm: rows that come closer than this would make slivers
MOUTH_ROWS = (-0.9, 0.0, 0.9)  # mm above the line where the lips meet
VERMILION_ROWS = (-0.55, 0.55)  # mm above the border of the red


def feature_rows(distance: SignedDistance) -> list[Float64]:
    """Return rows of points (n, 3) on the skin (where `distance` is 0), on the left side (x > 0)."""
    lines = [*_lid_lines(), *_iris_lines(), *_mouth_lines()]
    return [*_landmark_rows(), *(seen_from_front(line, distance) for line in lines), *rim_rows()]


def seen_from_front(line: Float64, distance: SignedDistance) -> Float64:
    """Return the foremost points (n, 3) of the skin at points (n, 2) of the frontal view."""
    points = np.concatenate([line, np.full((len(line), 1), FARTHEST_FORWARD)], 1)
    for _ in range(FRONT_STEPS):
        points[:, 2] -= 0.75 * distance(points)
    return points


def _landmark_rows() -> list[Float64]:
    """Return a row of one point for each landmark, so that it becomes a vertex."""
    return [np.array([LANDMARKS[name]], float) for name in SURFACE_LANDMARKS if LANDMARKS[name][0] > 0]


def _lid_lines() -> list[Float64]:
    x = np.linspace(eyes.CORNERS[0] + 0.4, eyes.CORNERS[1] - 0.4, 42)
    lines = [np.stack([x, eyes.UPPER_MARGIN(x) + offset], 1) for offset in LID_ROWS]
    lines += [np.stack([x, eyes.LOWER_MARGIN(x) - offset], 1) for offset in LID_ROWS]
    x = np.linspace(eyes.CORNERS[0] + 2, eyes.CORNERS[1], 34)
    for offset in FOLD_ROWS:
        y = eyes.fold_line(x) + offset
        lines.append(np.stack([x, y], 1)[y - eyes.UPPER_MARGIN(x) > LID_ROWS[-1] + ROW_GAP])
    return lines


def _iris_lines() -> list[Float64]:
    eye_x = LANDMARKS["eyeball"][0]
    rings = (  # radius and number of points
        (0.01, 1), (1.1, 8), (eyes.PUPIL_RADIUS - 0.15, 14), (eyes.PUPIL_RADIUS + 0.35, 16),
        (3.4, 22), (4.5, 28), (eyes.IRIS_RADIUS - 0.5, 34), (eyes.IRIS_RADIUS + 0.15, 38),
    )  # fmt: skip
    lines = []
    for radius, count in rings:
        angle = np.arange(count) * 2 * np.pi / count + 0.1 * (count > 1)
        x, y = eye_x + radius * np.cos(angle), eyes.IRIS_RAISED + radius * np.sin(angle)
        lines.append(np.stack([x, y], 1)[eyes.aperture(x, y) > 0.6])
    return lines


def _mouth_lines() -> list[Float64]:
    x = np.linspace(0.95, 26.6, 30)
    lines = [np.stack([x, mouth_line(x) + offset], 1) for offset in MOUTH_ROWS]
    x = np.linspace(1.2, 23.5, 22)
    for border in (UPPER_VERMILION, LOWER_VERMILION):
        lines += [np.stack([x, border(x) + offset], 1) for offset in VERMILION_ROWS]
    return lines
