"""The hair layer's one topology: a globe of strands. Columns are strands, rings run around the head.

Column 0 is the front's midline, column COLUMNS the back's; the right half mirrors the left. Ring 0 lies about the
crown, the last scalp ring on the hairline; the hanging rings are what falls below it (tucked into the head by cuts
where nothing does), and the last ring closes the surface from below. Each end is a pole, one vertex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Int64

COLUMNS = 64  # of a half, plus one: both midlines count
FINER = 4  # columns from one lock to the next
SCALP_RINGS, HANGING_RINGS = 9, 6
RINGS = SCALP_RINGS + HANGING_RINGS + 1

# Azimuth of the strands on the scalp, degrees from the front: closest about temple and ear.
_AZIMUTH_STATIONS = (0, 11, 22, 33, 44, 51, 58, 65, 72, 80, 91, 103, 116, 130, 146, 163, 180)
AZIMUTHS = np.interp(np.arange(COLUMNS + 1) / FINER, np.arange(17), _AZIMUTH_STATIONS)


@dataclass(frozen=True, eq=False)
class Globe:
    """Vertices of a globe of strands: two poles, then ring by ring.

    column (v,) 0..COLUMNS, the same on both sides; ring (v,), -1 and RINGS at the poles; side (v,) +1 left, -1 right,
    0 on the midline; triangles (t, 3) outward; mirror (v,).
    """

    column: Int64
    ring: Int64
    side: Int64
    triangles: Int64
    mirror: Int64


def globe() -> Globe:
    """The globe of all columns and rings."""
    half = np.arange(COLUMNS + 1)
    # Once around: front, down the left side to the back, and home by the right.
    column = np.concatenate([half, half[-2:0:-1]])
    side = np.concatenate([[0], np.ones(len(half) - 2), [0], -np.ones(len(half) - 2)]).astype(np.int64)
    around = len(column)
    return Globe(
        column=np.concatenate([[0, 0], np.tile(column, RINGS)]),
        ring=np.concatenate([[-1, RINGS], np.repeat(np.arange(RINGS), around)]),
        side=np.concatenate([[0, 0], np.tile(side, RINGS)]),
        triangles=_triangles(around, RINGS),
        mirror=np.concatenate([[0, 1], (2 + _ring_starts(around, RINGS) + _reflected(around)).ravel()]),
    )


def _ring_starts(around: int, rings: int) -> Int64:
    return np.arange(rings)[:, None] * around


def _reflected(around: int) -> Int64:
    """Which place in a ring is across the midline."""
    return (-np.arange(around)) % around


def _triangles(around: int, rings: int) -> Int64:
    """Quads between rings, halved so that both sides are mirror images, and a fan about each pole."""
    place = np.arange(around)
    following = (place + 1) % around
    upper, lower = 2 + place, 2 + (rings - 1) * around + place
    fans = [
        np.stack([0 * place, upper, upper[following]], 1),
        np.stack([0 * place + 1, lower[following], lower], 1),
    ]
    on_left = place < around // 2
    quads = []
    for ring in range(rings - 1):
        a = 2 + ring * around + place
        b, c, d = a + around, a[following] + around, a[following]  # down the strand, across, and up again
        first = np.where(on_left[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
        second = np.where(on_left[:, None], np.stack([a, c, d], 1), np.stack([d, b, c], 1))
        quads += [first, second]
    return np.concatenate([*fans, *quads])
