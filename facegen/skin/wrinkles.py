"""Folds and lines of age: soft masks of polylines as seen from the front, anchored to landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import segment_distance
from dcign.facegen.sculpture.features import LandmarkOffset, near
from dcign.facegen.sculpture.landmarks import LANDMARKS


@dataclass(frozen=True)
class Line:
    """A line through points on the left half of the face; width in mm, strength 0..1."""

    group: str
    through: tuple[LandmarkOffset, ...]
    width: float = 0.9
    strength: float = 1.0
    reach: float = 14.0  # mm: the line is drawn only on skin whose depth differs less from that of the points


def _across_forehead(height: float, dip: float, half_width: float) -> tuple[LandmarkOffset, ...]:
    stations = np.linspace(0, 1, 8)
    wave = dip * np.cos(5.2 * stations + height)
    side = LANDMARKS["glabella"][2]
    return tuple(
        LandmarkOffset("glabella", (half_width * t, height + w - 2.5 * t, -side * 0.42 * t**2 - 4))
        for t, w in zip(stations, wave, strict=True)
    )


def _feet(angle: float, length: float) -> tuple[LandmarkOffset, ...]:
    along = np.radians(angle)
    start, end = 6.5, 6.5 + length
    radii = (start, (start + end) / 2, end)
    return tuple(near("exocanthion", r * np.cos(along), r * np.sin(along) - 0.02 * r**2, -1.5 * r) for r in radii)


LINES: tuple[Line, ...] = (
    Line("forehead_lines", _across_forehead(17, 1.0, 38), 0.9, 0.7, 30),
    Line("forehead_lines", _across_forehead(25.5, 1.1, 42), 1.0, 1.0, 30),
    Line("forehead_lines", _across_forehead(34, 0.9, 40), 0.9, 0.8, 30),
    Line("frown", (near("glabella", 6, -6, -3), near("glabella", 5.2, 1, -2), near("glabella", 6.2, 8, -3)), 1.0),
    Line("crows_feet", _feet(26, 13), 0.7, 0.8, 22),
    Line("crows_feet", _feet(8, 16), 0.7, 1.0, 22),
    Line("crows_feet", _feet(-12, 15), 0.7, 0.9, 22),
    Line("crows_feet", _feet(-32, 12), 0.7, 0.6, 22),
    Line("nasolabial", (near("alar_crease", 2, 5, -2), near("alar_crease", 7, -5, -4),
                        near("cheilion", 7.5, 8, -2), near("cheilion", 8, -1, -5)), 1.7),
    Line("marionette", (near("cheilion", 2.5, -3, -2), near("cheilion", 4.5, -12, -3),
                        near("cheilion", 5.5, -22, -6)), 1.5),
    Line("eye_bag", (near("endocanthion", 2.5, -6.0, 0), near("orbitale", -5, 4.5, 0),
                     near("orbitale", 3, 4.0, 0), near("exocanthion", -2, -9.0, 0)), 1.1),
    Line("lid_fold", (near("endocanthion", 2.5, 7.0, 0), near("lid_upper", -2, 4.5, 0),
                      near("lid_upper", 8, 3.2, -3), near("exocanthion", 2.5, 1.5, 0)), 0.7),
    Line("neck_lines", (near("neck_front", 0, -8, 0), near("neck_front", 30, -2, -14),
                        near("neck_front", 52, 10, -42)), 1.4, 1.0, 40),
    Line("neck_lines", (near("neck_front", 0, -34, -4), near("neck_front", 30, -28, -16),
                        near("neck_front", 52, -18, -42)), 1.4, 0.8, 40),
)  # fmt: skip
RIDGE = 0.3  # brightening of the skin on both sides of a line, over the darkening of the line
GROUPS = tuple(dict.fromkeys(line.group for line in LINES))


def line_masks(half: Float64, footprint: Float64) -> dict[str, Float64]:
    """Return masks (S,) by group, 1 in a valley and -RIDGE beside it.

    half (S, 3): points with x >= 0; footprint (S,): distance to their neighbours, mm.
    """
    masks = {group: np.zeros(len(half)) for group in GROUPS}
    for line in LINES:
        corners = np.array([point.position(LANDMARKS) for point in line.through])
        masks[line.group] += _mask(half, footprint, line, corners)
    return {group: np.clip(mask, -RIDGE, 1.0) for group, mask in masks.items()}


def _mask(half: Float64, footprint: Float64, line: Line, corners: Float64) -> Float64:
    mask = np.zeros(len(half))
    margin = np.array([8, 8, line.reach])
    low, high = corners.min(0) - margin, corners.max(0) + margin
    close = np.flatnonzero(((half > low) & (half < high)).all(1))
    distance, along = _polyline(half[close, :2], corners[:, :2])
    width = np.hypot(1.25 * line.width, 0.8 * footprint[close])
    ends = (
        np.clip(np.minimum(along, 1 - along) / 0.18, 0, 1) if corners[0, 0] > 0 else np.clip((1 - along) / 0.25, 0, 1)
    )
    valley, ridge = np.exp(-((distance / width) ** 2)), np.exp(-(((distance / width - 1.9) / 0.9) ** 2))
    mask[close] = line.strength * line.width / width * ends * (valley - RIDGE * ridge)
    return mask


def _polyline(points: Float64, corners: Float64) -> tuple[Float64, Float64]:
    """Return the distance (S,) of points (S, 2) to a polyline, and the position along it (S,), 0..1."""
    best, where = np.full(len(points), np.inf), np.zeros(len(points))
    for number, (start, end) in enumerate(pairwise(corners)):
        distance, along = segment_distance(points, start, end)
        nearer = distance < best
        best, where = np.where(nearer, distance, best), np.where(nearer, number + along, where)
    return best, where / (len(corners) - 1)
