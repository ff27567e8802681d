"""Bootstrap intervals: how far a metric would move if other images had been drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dcign.arrays import IntP
from dcign.errors import TrainingError

ROUNDS = 100
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A value and its confidence interval."""

    value: float
    low: float
    high: float


def bootstrap(
    metric: Callable[..., float],
    arrays: Sequence[NDArray[Any]],  # of any type: rows are only selected
    rng: np.random.Generator,
    rounds: int = ROUNDS,
    level: float = LEVEL,
    groups: ArrayLike | None = None,
) -> Interval:
    """Bootstrap metric(*arrays): each round draws N of the N rows with replacement, the same in all arrays (N, ...).

    groups (N,) numbers rows that are not independent, such as the pictures of one person: each round draws whole
    groups.

    The interval is the spread of the redrawn values about their mean, shifted to the value. Reason: repeated rows raise
    estimates of mutual information, and this bias is not uncertainty.

    Raises TrainingError for no rows, for different numbers of rows, and for rounds or level that give no interval.
    """
    return bootstrap_all(lambda *drawn: (metric(*drawn),), arrays, rng, rounds, level, groups)[0]


def bootstrap_all(
    metrics: Callable[..., Sequence[float]],
    arrays: Sequence[NDArray[Any]],  # as above
    rng: np.random.Generator,
    rounds: int = ROUNDS,
    level: float = LEVEL,
    groups: ArrayLike | None = None,
) -> tuple[Interval, ...]:
    """Bootstrap several metrics of the same rows at once, as `bootstrap` does: one interval per metric."""
    counts = {len(array) for array in arrays}
    if len(counts) != 1 or 0 in counts:
        raise TrainingError(
            f"expected arrays with the same number of rows, at least 1, found {sorted(counts)}: pass rows of one table."
        )
    if rounds < 2 or not 0 < level < 1:
        raise TrainingError(
            f"expected 2 rounds or more and a level between 0 and 1, found {rounds} and {level}: change them."
        )
    (count,) = counts
    values = np.array(metrics(*arrays), np.float64)
    drawn = []
    members = None if groups is None else _members(np.asarray(groups), count)
    for _ in range(rounds):
        if members is None:
            rows = rng.integers(count, size=count)
        else:
            rows = np.concatenate([members[index] for index in rng.integers(len(members), size=len(members))])
        drawn.append(metrics(*(array[rows] for array in arrays)))
    table = np.array(drawn, np.float64)  # (rounds, metrics)
    below, above = np.quantile(table - table.mean(axis=0), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return tuple(Interval(*map(float, each)) for each in zip(values, values + below, values + above, strict=True))


def _members(groups: NDArray[np.generic], count: int) -> list[IntP]:
    """Return the rows of each group. Raises TrainingError for one group, or for groups of other rows."""
    if groups.shape != (count,) or len(np.unique(groups)) < 2:
        found = f"{len(np.unique(groups))} in shape {groups.shape}"
        raise TrainingError(f"expected 2 groups or more of {count} rows, found {found}: pass one number per row.")
    _, member, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.split(np.argsort(member, kind="stable"), np.cumsum(counts)[:-1])
