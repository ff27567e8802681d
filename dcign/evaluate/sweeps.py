"""Sweeps, the batches of the sweep split by factor: the same people at all levels of one factor, the others at rest.

A factor is at rest at the value that it has in most batches: zero, or another value if its range does not include zero,
or a person's own value, such as the age.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float32, Floating, IntP, UInt8
from dcign.errors import TrainingError
from dcign.inputs.source import LabelledBatches

SLACK = 1e-4  # distance below which a factor is at rest: labels are float32


@dataclass(frozen=True, eq=False)
class Sweep:
    """One factor's levels, ascending: levels (L,), images (L, n, S, S, C) uint8 of the same n people.

    mask (L, n, S, S) coverage 0..255 of the pixels, or None if the split has none; rest: the factor's value at rest,
    the median of people's own.
    """

    levels: Floating
    images: UInt8
    mask: UInt8 | None = None
    rest: float = 0.0

    def near(self, count: int) -> Sweep:
        """Keep `count` levels, spread evenly from the first to the last."""
        wanted = np.linspace(self.levels[0], self.levels[-1], count)
        nearest = np.abs(self.levels[None, :] - wanted[:, None]).argmin(axis=1)
        return self.chosen(nearest)

    def chosen(self, indices: IntP) -> Sweep:
        """Keep some of the levels."""
        mask = None if self.mask is None else self.mask[indices]
        return Sweep(self.levels[indices], self.images[indices], mask, self.rest)


def sweep_of(batches: LabelledBatches, factor: int) -> Sweep:
    """Return the batches in which all factors but this one are at rest, in ascending order of levels."""
    levels, rows = sweep_levels(batches.factors, factor)
    mask = None if batches.mask is None else batches.mask[rows]
    return Sweep(levels, batches.images[rows], mask, float(rest_of(batches)[factor]))


def sweep_levels(factors: Float32, factor: int) -> tuple[Floating, IntP]:
    """Return the levels (L,) of a factor's sweep, ascending, and the batches (L,) that show them; labels (B, n, F).

    Raises TrainingError if there are none.
    """
    others = np.delete(factors - _rest(factors), factor, axis=2)
    level = (factors[..., factor] == factors[:, :1, factor]).all(axis=1)  # elsewhere, people have their own values
    at_rest = np.flatnonzero((np.abs(others) < SLACK).all(axis=(1, 2)) & level)
    if len(at_rest) == 0:
        raise TrainingError(
            "expected batches with all factors but one at rest, found none in the sweep split: render it again."
        )
    levels, first = np.unique(factors[at_rest, 0, factor], return_index=True)
    return levels, at_rest[first]


def at_rest(batches: LabelledBatches) -> UInt8:
    """Return the images of the sweep's people with all factors at rest, or nearest to it: (n, S, S, C)."""
    distance = np.square(batches.factors - _rest(batches.factors)).sum(axis=2).mean(axis=1)
    chosen: UInt8 = batches.images[int(distance.argmin())]
    return chosen


def rest_of(batches: LabelledBatches) -> Float32:
    """Return the value at rest of each factor (F,): the most frequent one, and of ties the nearest to 0.

    Of people's own values it is the median.
    """
    return np.asarray(np.median(_rest(batches.factors), axis=0), np.float32)


def _rest(factors: Float32) -> Float32:
    """Return the most frequent value of each person and factor: (B, n, F) -> (n, F)."""
    rest = []
    for column in factors.reshape(len(factors), -1).T:
        values, counts = np.unique(column, return_counts=True)
        most = values[counts == counts.max()]
        rest.append(most[np.abs(most).argmin()])
    return np.array(rest, np.float32).reshape(factors.shape[1:])
