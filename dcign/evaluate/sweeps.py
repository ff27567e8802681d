"""Sweeps, the batches of the sweep split by factor: the same people at all levels of one factor, the others at rest.

A factor is at rest at the value that it has in most batches: zero, or another value if its range does not include zero,
or a person's own value, such as the age.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float32, Floating, Int64, IntP, UInt8
from dcign.errors import TrainingError
from dcign.inputs.batches import EVERYTHING
from dcign.inputs.source import LabelledBatches

PEOPLE = 20  # of a sweep that is cut from a grid
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
    """Return the batches in which all factors but this one are at rest, in ascending order of levels.

    Raises TrainingError if there are none.
    """
    refuse_unswept(batches.factors, factor)
    levels, rows = sweep_levels(batches.factors, factor)
    mask = None if batches.mask is None else batches.mask[rows]
    return Sweep(levels, batches.images[rows], mask, float(rest_of(batches)[factor]))


def sweep_levels(factors: Float32, factor: int) -> tuple[Floating, IntP]:
    """Return the levels (L,) of a factor's sweep, ascending, and the batches (L,) that show them; labels (B, n, F)."""
    others = np.delete(factors - _rest(factors), factor, axis=2)
    level = (factors[..., factor] == factors[:, :1, factor]).all(axis=1)  # elsewhere, people have their own values
    at_rest = np.flatnonzero((np.abs(others) < SLACK).all(axis=(1, 2)) & level)
    levels, first = np.unique(factors[at_rest, 0, factor], return_index=True)
    return levels, at_rest[first]


def refuse_unswept(factors: Float32, factor: int) -> None:
    """Raise TrainingError if no batch with these labels (B, n, F) shows a level of a factor, all others at rest."""
    if not len(sweep_levels(factors, factor)[0]):
        raise TrainingError(
            "expected batches with all factors but one at rest, found none in the sweep split: render it again."
        )


def has_sweep(factors: Float32, factor: int) -> bool:
    """Return whether batches with these labels (B, n, F) show two levels or more of a factor, all others at rest."""
    return len(sweep_levels(factors, factor)[0]) > 1


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


def cut_sweep(batches: LabelledBatches, identity: Int64) -> LabelledBatches:
    """Cut sweeps out of images whose labels form a grid: identity (B, n), who is shown.

    The "people" of the sweep are images. Each keeps its identity and its other labels, while one factor takes all
    levels that the grid has for all of them. A factor whose levels no two images share is left out. The first batch
    shows the images themselves.
    """
    images = batches.images.reshape(-1, *batches.images.shape[2:])
    factors = batches.factors.reshape(len(images), -1)
    keys = [(int(who), *labels) for who, labels in zip(identity.ravel(), factors.tolist(), strict=True)]
    place = {key: index for index, key in reversed([*enumerate(keys)])}
    people, levels = _shared_levels(list(place), factors.shape[1])
    people = _spread(people)
    rows = [[place[key] for key in people]]
    for column, shared in enumerate(levels, start=1):
        rows += [[place[*key[:column], level, *key[column + 1 :]] for key in people] for level in sorted(shared)]
    chosen = np.array(rows)
    mask = None if batches.mask is None else batches.mask.reshape(-1, *batches.mask.shape[2:])[chosen]
    return LabelledBatches(images[chosen], factors[chosen], np.full(len(rows), EVERYTHING), mask)


Key = tuple[float, ...]  # of an image: who, then its labels


def _shared_levels(keys: list[Key], factors: int) -> tuple[list[Key], list[frozenset[float]]]:
    """Return the images that share levels of each factor, and these levels, none where no two images share any."""
    found: list[frozenset[float]] = []
    for column in range(1, factors + 1):
        rows: dict[Key, set[float]] = {}
        for key in keys:
            rows.setdefault((*key[:column], *key[column + 1 :]), set()).add(key[column])
        counts = Counter(frozenset(levels) for levels in rows.values() if len(levels) > 1)
        most = max(counts, key=lambda levels: (counts[levels] > 1, len(levels) * counts[levels]), default=frozenset())
        if counts[most] < 2:
            found.append(frozenset())
            continue
        keys = [key for key in keys if rows[*key[:column], *key[column + 1 :]] >= most]
        found.append(most)
    return keys, found


def _spread(keys: list[Key]) -> list[Key]:
    """Choose some of the images, of as many identities as possible."""
    shuffled = [keys[index] for index in np.random.default_rng(0).permutation(len(keys))]
    firsts = {key[0]: key for key in reversed(shuffled)}
    others = [key for key in shuffled if firsts[key[0]] != key]
    return [*firsts.values(), *others][:PEOPLE]


def _rest(factors: Float32) -> Float32:
    """Return the most frequent value of each person and factor: (B, n, F) -> (n, F)."""
    rest = []
    for column in factors.reshape(len(factors), -1).T:
        values, counts = np.unique(column, return_counts=True)
        most = values[counts == counts.max()]
        rest.append(most[np.abs(most).argmin()])
    return np.array(rest, np.float32).reshape(factors.shape[1:])
