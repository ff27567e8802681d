"""Bootstrap intervals: how far a metric would move if other images had been drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
) -> Interval:
    """Bootstrap metric(*arrays): each round draws N of the N rows with replacement, the same in all arrays (N, ...).

    The interval is the spread of the redrawn values about their mean, shifted to the value. Reason: repeated rows raise
    estimates of mutual information, and this bias is not uncertainty.

    Raises TrainingError for no rows, for different numbers of rows, and for rounds or level that give no interval.
    """
    return bootstrap_all(lambda *drawn: (metric(*drawn),), arrays, rng, rounds, level)[0]


def bootstrap_all(
    metrics: Callable[..., Sequence[float]],
    arrays: Sequence[NDArray[Any]],  # as above
    rng: np.random.Generator,
    rounds: int = ROUNDS,
    level: float = LEVEL,
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
    for _ in range(rounds):
        rows = rng.integers(count, size=count)
        drawn.append(metrics(*(array[rows] for array in arrays)))
    table = np.array(drawn, np.float64)  # (rounds, metrics)
    below, above = np.quantile(table - table.mean(axis=0), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return tuple(Interval(*map(float, each)) for each in zip(values, values + below, values + above, strict=True))
