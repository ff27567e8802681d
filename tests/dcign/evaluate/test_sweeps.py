"""Sweeps of factors whose range does not include zero: their value at rest, and their axis ticks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dcign.errors import TrainingError
from dcign.evaluate.sweeps import at_rest, rest_of, sweep_of
from dcign.figures.inferred import ticks
from dcign.inputs.source import DataSource, LabelledBatches

REST = (0.0, 900.0)  # degrees and millimetres
LEVELS = (np.linspace(-60, 60, 7), np.linspace(700, 1200, 6))


def swept(*, shift: float = 0.0) -> LabelledBatches:
    """Two people at all levels of each of two factors, the other at rest plus `shift`; all pixels of image k are k."""
    rows = [(level, REST[1] + shift) for level in LEVELS[0]] + [(REST[0] + shift, level) for level in LEVELS[1]]
    factors = np.repeat(np.array(rows, np.float32)[:, None], 2, axis=1)
    images = np.broadcast_to(np.arange(len(rows), dtype=np.uint8)[:, None, None, None, None], (len(rows), 2, 4, 4, 1))
    return LabelledBatches(images, factors, np.full(len(rows), 2), None)


def test_a_factor_is_at_rest_at_its_most_frequent_value() -> None:
    np.testing.assert_array_equal(rest_of(swept()), REST)
    np.testing.assert_array_equal(rest_of(swept(shift=5)), [5, 905])


def test_each_sweep_is_found_and_the_people_at_rest() -> None:
    for place, levels in enumerate(LEVELS):
        found = sweep_of(swept(), place)
        np.testing.assert_allclose(found.levels, levels)
        assert found.rest == REST[place]
        assert found.near(3).rest == REST[place]
    assert (at_rest(swept()) == 3).all()  # azimuth 0 of the first sweep, at 900 mm


def test_of_equally_frequent_values_the_nearest_to_zero_is_at_rest() -> None:
    batches = swept()
    every = LabelledBatches(batches.images[:7], batches.factors[:7], batches.kind[:7], None)
    np.testing.assert_array_equal(rest_of(every), REST)


def test_people_are_at_rest_at_their_own_age_and_its_sweep_is_of_one_age() -> None:
    ages, own = np.linspace(18, 80, 4), np.array([25.0, 61.0, 40.0])
    still, turned = np.zeros(3), np.linspace(-60, 60, 5)
    rows = [np.stack([still + angle, own], 1) for angle in turned] + [
        np.stack([still, 0 * own + age], 1) for age in ages
    ]
    images = np.broadcast_to(np.arange(9, dtype=np.uint8)[:, None, None, None, None], (9, 3, 4, 4, 1))
    batches = LabelledBatches(images, np.array(rows, np.float32), np.full(9, 2), None)
    azimuth, age = (sweep_of(batches, place) for place in (0, 1))
    np.testing.assert_allclose(azimuth.levels, turned)
    np.testing.assert_allclose(age.levels, ages)
    assert (age.rest, azimuth.rest) == (40, 0)
    assert (at_rest(batches) == 2).all()


def test_a_split_in_which_several_factors_move_at_once_is_refused() -> None:
    factors = np.repeat(np.array([[1, 0, 5], [2, 1, 0], [3, 2, 6]], np.float32)[:, None], 2, axis=1)
    moving = LabelledBatches(swept().images[:3], factors, np.full(3, 3), None)
    with pytest.raises(TrainingError, match="expected batches with all factors but one at rest, found none"):
        sweep_of(moving, 0)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (-86, 86, [-80, -40, 0, 40, 80]),
        (-30, 70, [0, 40]),
        (-23, 23, [-20, -10, 0, 10, 20]),
        (750, 1300, [800, 1000, 1200]),
    ],
)
def test_ticks_lie_within_the_sweep(low: float, high: float, wanted: list[float]) -> None:
    assert ticks(np.linspace(low, high, 11)) == wanted


def test_a_sweep_is_one_factors_levels_in_order_and_the_same_people(small_faces: Path) -> None:
    sweep = DataSource(small_faces).labelled("sweep")
    for place in range(3):
        found = sweep_of(sweep, place)
        assert np.all(np.diff(found.levels) > 0)
        assert found.near(2).levels.tolist() == [found.levels[0], found.levels[-1]]
        assert len(found.images) == len(found.levels) > 1
