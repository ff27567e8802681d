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
    """Bootstrap figure(*arrays) over rows (axis 0, drawn together): its value and the interval around it.

    The interval is the spread of the redrawn figures about their mean, laid around the value: drawing rows twice
    raises figures of information by an amount that is no uncertainty.
    """
    return bootstrap_all(lambda *drawn: (figure(*drawn),), arrays, rng, rounds, level)[0]


def bootstrap_all(
    figures: Callable[..., Sequence[float]],
    arrays: Sequence[NDArray[Any]],  # as above
    rng: np.random.Generator,
    rounds: int = ROUNDS,
    level: float = LEVEL,
) -> tuple[Interval, ...]:
    """Do the same for several figures of the same rows at once."""
    if rounds < 2 or not 0 < level < 1:
        raise TrainingError(f"{rounds} rounds at level {level}: wanted 2 or more, and a level between 0 and 1")
    count = len(arrays[0])
    values = np.array(figures(*arrays), np.float64)
    drawn = []
    for _ in range(rounds):
        rows = rng.integers(count, size=count)
        drawn.append(figures(*(array[rows] for array in arrays)))
    table = np.array(drawn, np.float64)  # (rounds, figures)
    below, above = np.quantile(table - table.mean(axis=0), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return tuple(Interval(*map(float, each)) for each in zip(values, values + below, values + above, strict=True))
