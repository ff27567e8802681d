"""The sweep split: the same unseen people at every level of one factor, all other factors at rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dcign.arrays import Bool, Float32, Int64
from dcign.data.importing.choice import Labels
from dcign.data.schema import IDENTITY

Planned = tuple[str, str, Int64]


def sweep_batches(labels: Labels, held: Bool, size: int, rng: np.random.Generator) -> list[Planned]:
    """Return one batch per level of each factor, with `size` held-out people who have all of these images.

    Nothing if there are too few such people. A factor is at rest at the level nearest to the middle of its range.
    """
    if labels.identity is None:
        return []
    own = [place for place, factor in enumerate(labels.factors) if not factor.of_identity]
    if not own:
        return []
    values, rest = labels.values[:, own], _rest(labels.values[:, own])
    at_rest = values == rest
    rows_of: dict[tuple[int, float], dict[int, int]] = {}
    candidates = np.flatnonzero(held & (at_rest.sum(axis=1) >= len(own) - 1))
    for row in candidates.tolist():
        person = int(labels.identity[row])
        for place in range(len(own)):
            if all(at_rest[row, other] for other in range(len(own)) if other != place):
                rows_of.setdefault((place, float(values[row, place])), {})[person] = row
    cells = [(place, float(level)) for place in range(len(own)) for level in np.unique(values[:, place])]
    people = [{*rows_of.get(cell, {})} for cell in cells]
    everywhere = np.array(sorted(set.intersection(*people)), np.int64)
    if len(everywhere) < size:
        return []
    chosen = np.sort(rng.permutation(everywhere)[:size]).tolist()
    rows = [[rows_of[cell][person] for person in chosen] for cell in _without_repeats(cells, rest)]
    return [("sweep", IDENTITY, np.array(rows, np.int64))]


def _rest(values: Float32) -> Float32:
    """Return the level of each factor (F,) nearest to the middle of its range."""
    middles = (values.max(axis=0) + values.min(axis=0)) / 2
    levels = [np.unique(column) for column in values.T]
    rest = [each[np.abs(each - middle).argmin()] for each, middle in zip(levels, middles, strict=True)]
    return np.array(rest, np.float32)


def _without_repeats(cells: list[tuple[int, float]], rest: Float32) -> Iterator[tuple[int, float]]:
    """Yield the cells; of the one where everything is at rest, which every factor's sweep has, only the first."""
    seen = False
    for place, level in cells:
        resting = level == float(rest[place])
        if not (resting and seen):
            yield place, level
        seen |= resting
