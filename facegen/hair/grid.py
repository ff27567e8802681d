"""The topology of the hair layer, the same for all cuts: a globe of strands. Columns are strands, rings go around.

Column 0 is the midline at the front, column COLUMNS that at the back; the right half mirrors the left. Ring 0 surrounds
the crown, the last scalp ring lies on the hairline. The hanging rings fall below it, or are hidden in the head where a
cut has no hanging hair. The last ring closes the surface from below. Each end is a pole of one vertex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Int64

COLUMNS = 64  # intervals between strands on one half; a half has COLUMNS + 1 strands
COLUMNS_PER_LOCK = 4
SCALP_RINGS, HANGING_RINGS = 9, 6
RINGS = SCALP_RINGS + HANGING_RINGS + 1

# Azimuth of the strands on the scalp, degrees from the front: densest around temple and ear.
_AZIMUTH_STATIONS = (0, 11, 22, 33, 44, 51, 58, 65, 72, 80, 91, 103, 116, 130, 146, 163, 180)
AZIMUTHS = np.interp(np.arange(COLUMNS + 1) / COLUMNS_PER_LOCK, np.arange(17), _AZIMUTH_STATIONS)


@dataclass(frozen=True, eq=False)
class Globe:
    """The v vertices of the globe: two poles, then ring by ring.

    column (v,): 0..COLUMNS, the same on both sides; ring (v,): -1 and RINGS at the poles; side (v,): +1 left, -1 right,
    0 on the midline; triangles (t, 3), outward; mirror (v,).
    """

    column: Int64
    ring: Int64
    side: Int64
    triangles: Int64
    mirror: Int64


def globe() -> Globe:
    """Make the globe of all columns and rings."""
    half = np.arange(COLUMNS + 1)
    # Once around: from the front along the left side to the back, and back along the right side.
    column = np.concatenate([half, half[-2:0:-1]])
    side = np.concatenate([[0], np.ones(len(half) - 2), [0], -np.ones(len(half) - 2)]).astype(np.int64)
    around = len(column)
    reflected = (-np.arange(around)) % around  # position in a ring across the midline
    return Globe(
        column=np.concatenate([[0, 0], np.tile(column, RINGS)]),
        ring=np.concatenate([[-1, RINGS], np.repeat(np.arange(RINGS), around)]),
        side=np.concatenate([[0, 0], np.tile(side, RINGS)]),
        triangles=_triangles(around),
        mirror=np.concatenate([[0, 1], (2 + np.arange(RINGS)[:, None] * around + reflected).ravel()]),
    )


def _triangles(around: int) -> Int64:
    """Return the triangles: each quad between two rings is cut in two, and a fan closes each pole.

    The cuts are chosen so that left and right mirror each other.
    """
    position = np.arange(around)
    following = (position + 1) % around
    upper, lower = 2 + position, 2 + (RINGS - 1) * around + position
    parts = [
        np.stack([0 * position, upper, upper[following]], 1),
        np.stack([0 * position + 1, lower[following], lower], 1),
    ]
    on_left = (position < around // 2)[:, None]
    for ring in range(RINGS - 1):
        a = 2 + ring * around + position
        b, c, d = a + around, a[following] + around, a[following]  # down the strand, across, and up again
        parts.append(np.where(on_left, np.stack([a, b, c], 1), np.stack([a, b, d], 1)))
        parts.append(np.where(on_left, np.stack([a, c, d], 1), np.stack([d, b, c], 1)))
    return np.concatenate(parts)
