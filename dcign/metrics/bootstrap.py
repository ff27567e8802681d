"""How far a figure would move had other images been drawn."""

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
    """A figure, and the interval that holds it with the level asked for."""

    value: float
    low: float
    high: float


def bootstrap(
    figure: Callable[..., float],
    arrays: Sequence[NDArray[Any]],  # of any type: rows are only drawn
    rng: np.random.Generator,
    rounds: int = ROUNDS,
    level: float = LEVEL,
) -> Interval:
    """Bootstrap figure(*arrays) over rows: its value and the interval around it.

    arrays (N, ...) each: rows are drawn together, N of N. The interval is the spread of the redrawn figures about their
    mean, laid around the value: drawing rows twice raises figures of information by an amount that is no uncertainty.

    Raises TrainingError where there are no rows, not as many in each, or rounds or level make no interval.
    """
    return bootstrap_all(lambda *drawn: (figure(*drawn),), arrays, rng, rounds, level)[0]


def bootstrap_all(
    figures: Callable[..., Sequence[float]],
    arrays: Sequence[NDArray[Any]],  # as above
    rng: np.random.Generator,
    rounds: int = ROUNDS,
    level: float = LEVEL,
) -> tuple[Interval, ...]:
    """Bootstrap several figures of the same rows at once: an interval for each, as `bootstrap` has it."""
    counts = {len(array) for array in arrays}
    if len(counts) != 1 or 0 in counts:
        raise TrainingError(f"arrays of {sorted(counts)} rows: wanted one or more arrays, of as many rows, at least 1")
    if rounds < 2 or not 0 < level < 1:
        raise TrainingError(f"{rounds} rounds at level {level}: wanted 2 or more, and a level between 0 and 1")
    (count,) = counts
    values = np.array(figures(*arrays), np.float64)
    drawn = []
    for _ in range(rounds):
        rows = rng.integers(count, size=count)
        drawn.append(figures(*(array[rows] for array in arrays)))
    table = np.array(drawn, np.float64)  # (rounds, figures)
    below, above = np.quantile(table - table.mean(axis=0), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return tuple(Interval(*map(float, each)) for each in zip(values, values + below, values + above, strict=True))
