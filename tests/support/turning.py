"""Images of a lamp that goes all the way round, with its labels: a data set in memory with a circular factor."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Floating
from dcign.inputs.source import LabelledBatches
from dcign.run.configuration import ImageDescription

SIZE = 32
DESCRIPTION = ImageDescription(
    size=SIZE,
    channels=1,
    factors=("round", "shade"),
    units=("degree", "ratio"),
    mirror_signs=(-1, 1),
    data_sha256="none",
    circular=("round",),
)


def turning_images(turn: Floating, shade: Floating, width: Floating) -> Floating:
    """Draw a lamp at `turn` degrees from above, of some width, before a disc of some shade: (N,) -> (N, S, S)."""
    down, right = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j][:, None]
    angle, shade, width = np.radians(turn)[:, None, None], shade[:, None, None], width[:, None, None]
    lamp = np.exp(-((right - 0.6 * np.sin(angle)) ** 2 + (down + 0.6 * np.cos(angle)) ** 2) / (0.05 + 0.03 * width))
    disc = (right**2 + down**2 < 0.8) * (0.3 + 0.15 * shade)
    return np.clip(disc + 0.5 * lamp, 0, 1)


def turning_batches(kinds: list[int], seed: int) -> LabelledBatches:
    """Batches of 20: kind 0 varies the turn, 1 the shade, 2 the width, -1 everything."""
    rng = np.random.default_rng(seed)
    ends = np.array([[-180, 180], [-1, 1], [-1, 1]])
    values = np.repeat(rng.uniform(*ends.T, (len(kinds), 1, 3)), 20, axis=1)
    for batch, kind in enumerate(kinds):
        columns = [kind] if kind >= 0 else [0, 1, 2]
        values[batch][:, columns] = rng.uniform(*ends[columns].T, (20, len(columns)))
    return _labelled(values, np.array(kinds))


def turning_sweep(levels: int = 8) -> LabelledBatches:
    """The same 20 lamps at levels of each factor, with the other at rest."""
    width = np.linspace(-1, 1, 20)
    rows = [(turn, 0.0) for turn in np.linspace(-180, 180, levels, endpoint=False)]
    rows += [(0.0, shade) for shade in np.linspace(-1, 1, levels)]
    values = np.array([np.column_stack([np.full(20, turn), np.full(20, shade), width]) for turn, shade in rows])
    return _labelled(values, np.full(len(rows), 2))


def _labelled(values: Floating, kind: Floating) -> LabelledBatches:
    images = turning_images(*values.reshape(-1, 3).T).reshape(*values.shape[:2], SIZE, SIZE, 1)
    factors = values[..., :2].astype(np.float32)
    return LabelledBatches((255 * images).astype(np.uint8), factors, kind.astype(np.int64), None)
