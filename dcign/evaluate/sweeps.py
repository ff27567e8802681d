"""The sweep split as experiments: the same people at every level of one factor, the others at rest.

A factor rests at the value that it has in most of the batches: at zero, or where its range has no zero elsewhere.
"""

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float32, Floating, IntP, UInt8
from dcign.errors import TrainingError
from dcign.inputs.source import LabelledBatches

SLACK = 1e-4  # a factor nearer than this is at rest: labels are float32


@dataclass(frozen=True, eq=False)
class Sweep:
    """One factor's levels, ascending: levels (L,), images (L, n, S, S, C) uint8 of the same n people.

    mask (L, n, S, S) coverage 0..255 of the pixels, or None where the split has none; rest: where the factor rests.
    """

    levels: Floating
    images: UInt8
    mask: UInt8 | None = None
    rest: float = 0.0

    def near(self, count: int) -> "Sweep":
        """Keep `count` levels, evenly spread from the first to the last."""
        wanted = np.linspace(self.levels[0], self.levels[-1], count)
        nearest = np.abs(self.levels[None, :] - wanted[:, None]).argmin(axis=1)
        return self.chosen(nearest)

    def chosen(self, places: IntP) -> "Sweep":
        """Return some of the levels."""
        mask = None if self.mask is None else self.mask[places]
        return Sweep(self.levels[places], self.images[places], mask, self.rest)


def sweep_of(batches: LabelledBatches, factor: int) -> Sweep:
    """Return the batches in which no factor but this one leaves its rest, in the order of their levels."""
    rest = rest_of(batches)
    others = np.delete(batches.factors - rest, factor, axis=2)
    at_rest = np.flatnonzero((np.abs(others) < SLACK).all(axis=(1, 2)))
    if len(at_rest) == 0:
        raise TrainingError("the sweep split has no batch with all factors but one at rest: render it again")
    levels = batches.factors[at_rest, 0, factor]
    levels, first = np.unique(levels, return_index=True)
    rows = at_rest[first]
    mask = None if batches.mask is None else batches.mask[rows]
    return Sweep(levels, batches.images[rows], mask, float(rest[factor]))


def at_rest(batches: LabelledBatches) -> UInt8:
    """Return the people of the sweep with every factor at rest, or as near as the split has: (n, S, S, C)."""
    distance = np.square(batches.factors - rest_of(batches)).sum(axis=2).mean(axis=1)
    chosen: UInt8 = batches.images[int(distance.argmin())]
    return chosen


def rest_of(batches: LabelledBatches) -> Float32:
    """Return where each factor of a sweep rests (F,): at its most frequent value, of several at that nearest zero."""
    rest = []
    for column in batches.factors[:, 0].T:
        values, counts = np.unique(column, return_counts=True)
        most = values[counts == counts.max()]
        rest.append(most[np.abs(most).argmin()])
    return np.array(rest, np.float32)
