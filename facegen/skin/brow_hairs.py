"""The single hairs of the left brow, for sites that are dense enough to show them. Curves give y over x, mm."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import curve, segment_distance
from dcign.facegen.sculpture.hairline import BROW_HALF_HEIGHT, BROW_LINE

BROW_HAIRS = 210
_BROW_WIDTH = 0.27  # mm at the root: thicker than a real hair, finer than a pixel of most pictures
# Hairs stand up near the nose and lie flat at the temple: degrees from the direction of the brow, over x.
_LEAN = curve([(7, 68), (12, 52), (18, 36), (28, 24), (44, 15), (56, 10)])
_LENGTH = curve([(7, 6.0), (14, 7.5), (30, 8.0), (46, 7.0), (56, 5.0)])


def brow_hairs(half: Float64, rng: np.random.Generator) -> Float64:
    """Return how much of each site (S,) a hair covers, 0..1, at points half (S, 3) with x >= 0."""
    covered = np.zeros(len(half))
    x, y = half[:, 0], half[:, 1]
    close = np.flatnonzero((np.abs(y - BROW_LINE(x)) < 8) & (x > 3) & (x < 64) & (half[:, 2] > 20))
    points = half[close, :2]
    root_x = np.sort(rng.uniform(7, 55.5, BROW_HAIRS))
    across = rng.uniform(-1.15, 0.85, BROW_HAIRS)
    slope = np.degrees(np.arctan2(BROW_LINE(root_x + 1) - BROW_LINE(root_x - 1), 2.0))
    # Hairs in the upper half of the outer brow point down towards its middle line.
    sinks = np.clip((across + 0.1) * 2.2, 0, 1) * np.clip((root_x - 14) / 14, 0, 1)
    angle = np.radians(slope + _LEAN(root_x) * (1 - 1.55 * sinks) + rng.normal(0, 5, BROW_HAIRS))
    root = np.stack([root_x, BROW_LINE(root_x) + across * BROW_HALF_HEIGHT(root_x)], 1)
    length = _LENGTH(root_x) * rng.uniform(0.7, 1.1, BROW_HAIRS)
    tip = root + length[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    bend = rng.normal(-0.35, 0.25, BROW_HAIRS)  # mm: they droop
    best = np.zeros(len(points))
    for start, end, sag in zip(root, tip, bend, strict=True):
        near_by = np.flatnonzero((np.abs(points - (start + end) / 2) < 0.5 * np.abs(end - start) + 1).all(1))
        distance, along = segment_distance(points[near_by], start, end)
        side = (points[near_by] - start) @ np.array([start[1] - end[1], end[0] - start[0]]) / np.hypot(*(end - start))
        distance = np.where((along > 0) & (along < 1), np.abs(side - 4 * sag * along * (1 - along)), distance)
        width = _BROW_WIDTH * (1.1 - 0.75 * along)
        best[near_by] = np.maximum(best[near_by], (1 - 0.4 * along) * np.exp(-((distance / width) ** 2)))
    covered[close] = best
    return covered
