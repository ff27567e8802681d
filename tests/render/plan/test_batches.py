"""The plan: only the named thing varies, and a batch depends on its number alone."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.data.schema import FACTORS
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import Range

CONFIGURATION = RenderConfiguration(Splits(train=40, test=8, iid=4, sweep_levels=(5, 3, 4)), size=32, seed=9)
NAMES = [factor.name for factor in FACTORS]


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("split", ["train", "test"])
def test_only_the_named_thing_varies(model: MorphableModel, split: str, number: int) -> None:
    plan = plan_batch(CONFIGURATION, model, split, number)
    assert plan.varies == (*NAMES, "identity")[number % 4]
    for column, name in enumerate(NAMES):
        assert len(np.unique(plan.factors[:, column])) == (20 if name == plan.varies else 1)
    people = 20 if plan.varies == "identity" else 1
    assert len(set(plan.identity_index.tolist())) == len(plan.shape) == len(plan.albedo) == people


def test_everything_varies_in_an_iid_batch(model: MorphableModel) -> None:
    plan = plan_batch(CONFIGURATION, model, "iid", 0)
    assert [len(np.unique(column)) for column in plan.factors.T] == [20, 20, 20]
    assert len(plan.shape) == 20


def test_a_batch_is_the_same_whatever_was_planned_before_it(model: MorphableModel) -> None:
    alone = plan_batch(CONFIGURATION, model, "train", 7)
    for number in (3, 0, 11):
        plan_batch(CONFIGURATION, model, "train", number)
    again = plan_batch(CONFIGURATION, model, "train", 7)
    np.testing.assert_array_equal(alone.factors, again.factors)
    np.testing.assert_array_equal(alone.shape, again.shape)


def test_another_seed_gives_other_people_and_poses(model: MorphableModel) -> None:
    other = RenderConfiguration(CONFIGURATION.splits, size=32, seed=10)
    one, two = (plan_batch(each, model, "train", 0) for each in (CONFIGURATION, other))
    assert not np.allclose(one.factors, two.factors)
    assert not np.allclose(one.shape, two.shape)


def test_nobody_is_in_two_splits(model: MorphableModel) -> None:
    seen: dict[str, set[int]] = {}
    for split, count in CONFIGURATION.splits.batches().items():
        plans = [plan_batch(CONFIGURATION, model, split, number) for number in range(count)]
        seen[split] = {int(person) for plan in plans for person in plan.identity_index}
    for one in seen:
        for other in seen:
            assert one == other or not seen[one] & seen[other]


def test_every_batch_of_a_split_shows_other_people(model: MorphableModel) -> None:
    plans = [plan_batch(CONFIGURATION, model, "train", number) for number in range(8)]
    people = [set(plan.identity_index.tolist()) for plan in plans]
    assert len(set.union(*people)) == sum(len(each) for each in people)
    assert not np.allclose(plans[0].shape, plans[1].shape)


def test_the_sweep_walks_each_factor_s_range_in_order_with_the_others_at_zero(model: MorphableModel) -> None:
    plans = [plan_batch(CONFIGURATION, model, "sweep", number) for number in range(12)]
    values = np.array([plan.factors[0] for plan in plans])
    np.testing.assert_allclose(values[:5, 0], np.linspace(-86, 86, 5))
    np.testing.assert_allclose(values[5:8, 1], np.linspace(-23, 23, 3))
    np.testing.assert_allclose(values[8:, 2], np.linspace(-80, 80, 4), rtol=1e-6)
    assert not values[:5, 1:].any()
    assert all((plan.identity_index == plans[0].identity_index).all() for plan in plans)


def test_the_sweep_of_a_full_turn_has_each_level_once_and_a_shorter_one_both_ends(model: MorphableModel) -> None:
    for high, wanted in ((180, [-180, -108, -36, 36, 108]), (179.9, np.linspace(-180, 179.9, 5))):
        configuration = RenderConfiguration(CONFIGURATION.splits, size=32, azimuth=Range(-180, high))
        plans = [plan_batch(configuration, model, "sweep", number) for number in range(6)]
        np.testing.assert_allclose([plan.factors[0, 0] for plan in plans[:5]], wanted, rtol=1e-6)
        assert plans[5].factors[0, 0] == 0


def test_a_range_without_zero_holds_the_others_at_its_nearest_end(model: MorphableModel) -> None:
    aside = RenderConfiguration(CONFIGURATION.splits, size=32, azimuth=Range(20, 40))
    assert plan_batch(aside, model, "sweep", 6).factors[0, 0] == 20


def test_factors_fill_their_ranges(model: MorphableModel) -> None:
    factors = np.concatenate([plan_batch(CONFIGURATION, model, "iid", number).factors for number in range(60)])
    for column, allowed in zip(factors.T, CONFIGURATION.ranges.values(), strict=True):
        width = allowed.high - allowed.low
        assert allowed.low <= column.min() < allowed.low + 0.02 * width
        assert allowed.high - 0.02 * width < column.max() <= allowed.high
