"""Batches that vary one trait of a person, and recombinations of people: the plan, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dcign.data.schema import BATCH_SIZE, FACTORS
from dcign.errors import RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.traits import TRAITS, attribute_names, varies_with
from dcign.render.plan.batches import BatchPlan, plan_batch
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.people import check_traits

NAMES = tuple(factor.name for factor in FACTORS)
LEVELS = 3


def varying(*vary: str, **options: Any) -> RenderConfiguration:
    return RenderConfiguration.from_options(batches=90, size=32, seed=6, vary=vary, **options)[0]


EVERY = varying(*TRAITS)


def differing(plan: BatchPlan, model: MorphableModel, vary: tuple[str, ...] = TRAITS) -> set[str]:
    """Return the traits of which some coefficient differs between the pictures of a batch."""
    found = set()
    for name, columns in varies_with(model, vary).items():
        values = getattr(plan, name)
        for column, trait in enumerate(columns):
            if trait in TRAITS and len(np.unique(values[:, column])) > 1:
                found.add(trait)
    return found


def test_every_trait_is_a_kind_of_its_own_and_all_are_equally_frequent(model: MorphableModel) -> None:
    assert EVERY.kinds == (*NAMES, *TRAITS, "identity")
    kinds = [plan_batch(EVERY, model, "train", number).varies for number in range(18)]
    assert kinds == [*EVERY.kinds, *EVERY.kinds]
    assert EVERY.splits.test == 9 * 10
    assert EVERY.splits.mix == 10


@pytest.mark.parametrize("number", range(9))
def test_only_the_named_trait_varies(model: MorphableModel, number: int) -> None:
    plan = plan_batch(EVERY, model, "test", number)
    wanted = {plan.varies} & {*TRAITS} if plan.varies != "identity" else {*TRAITS}
    assert differing(plan, model) == wanted
    for column, name in enumerate(EVERY.ranges):
        free = plan.varies == name or (plan.varies == "identity" and name in ("age", "sex"))
        assert len(np.unique(plan.factors[:, column])) == (BATCH_SIZE if free else 1)
    people = BATCH_SIZE if plan.varies in ("shape", "skin", "hair", "identity") else 1
    assert len(np.unique(plan.identity_index)) == people


def test_a_person_who_does_not_vary_is_one_row(model: MorphableModel) -> None:
    assert [len(plan_batch(EVERY, model, "train", number).shape) for number in (0, 2, 3, 8)] == [1, 1, 20, 20]


def test_age_and_sex_are_labels_and_attributes_alike(model: MorphableModel) -> None:
    names = attribute_names(model, TRAITS)
    for split, number in (("train", 3), ("iid", 0), ("mix", 1), ("sweep", 0)):
        plan = plan_batch(EVERY, model, split, number)
        for name in ("age", "sex"):
            label = plan.factors[:, list(EVERY.ranges).index(name)]
            np.testing.assert_array_equal(label, plan.attributes[:, names.index(name)])


def test_traits_change_no_pose(model: MorphableModel) -> None:
    plain = RenderConfiguration(Splits.in_paper_proportions(90), size=32, seed=6)
    for number in range(3):  # later, the kinds differ
        one, other = (plan_batch(each, model, "train", number) for each in (plain, EVERY))
        np.testing.assert_array_equal(one.factors, other.factors[:, :3])


def test_age_and_sex_move_the_shape_of_one_person_evenly(model: MorphableModel) -> None:
    age, sex = (plan_batch(EVERY, model, "train", number) for number in (3, 4))
    for plan, column in ((age, 3), (sex, 4)):
        assert (plan.own_shape == plan.own_shape[0]).all()
        order = np.argsort(plan.factors[:, column])
        moved = np.diff(plan.shape[order], axis=0) / np.diff(plan.factors[order, column])[:, None]
        speed = np.linalg.norm(moved, axis=1)
        assert speed.min() > 0
        assert speed.max() < 8 * speed.min()


def test_skin_leaves_the_colour_of_hair_alone_and_hair_that_of_skin_and_eyes(model: MorphableModel) -> None:
    skin, hair = (plan_batch(EVERY, model, "train", number) for number in (6, 7))
    colours = model.albedos(skin.albedo, skin.attributes)
    assert np.ptp(colours[:, model.hair.first :], axis=0).max() < 1e-6
    assert np.ptp(colours[:, model.landmarks["pronasale"]], axis=0).max() > 0.1
    colours = model.albedos(hair.albedo, hair.attributes)
    still = [model.part_names.index(name) for name in ("iris", "lip", "sclera")]
    assert np.ptp(colours[:, np.isin(model.parts, still)], axis=0).max() < 1 / 255
    assert np.ptp(colours[:, model.hair.first :], axis=0).max() > 0.1


@pytest.mark.parametrize("vary", [("shape", "skin"), ("age", "sex", "hair"), ("sex", "shape", "skin", "hair"), TRAITS])
def test_a_mix_batch_shows_people_and_their_recombinations(model: MorphableModel, vary: tuple[str, ...]) -> None:
    configuration = varying(*vary)
    for number in range(4):
        plan = plan_batch(configuration, model, "mix", number)
        source, whole = plan.source, np.arange(BATCH_SIZE)[:, None]
        shown = np.flatnonzero((source == whole).all(axis=1))
        assert len(shown) == (5 if len(vary) == 2 else 4)
        assert np.isin(source, shown).all()
        assert len(np.unique(source, axis=0)) == BATCH_SIZE
        assert differing(plan, model, vary) == {*vary}
        for name, columns in varies_with(model, vary).items():
            values = getattr(plan, name)
            for column, trait in enumerate(columns):
                if trait in vary:
                    given = values[source[:, vary.index(trait)], column]
                    np.testing.assert_array_equal(values[:, column], given)
        assert len(np.unique(plan.factors[:, :3], axis=0)) == 1


def test_a_mix_batch_has_the_whole_table_of_one_trait_against_the_rest(model: MorphableModel) -> None:
    source = plan_batch(EVERY, model, "mix", 0).source
    table = source[:16]
    (exchanged,) = (column for column in range(5) if any((row != row[column]).sum() == 4 for row in table))
    pairs = {(int(row[exchanged]), int(row[exchanged - 1])) for row in table}
    assert len(pairs) == 16
    assert all(len(set(row.tolist())) == 4 for row in source[16:])


def test_sweeps_show_the_same_people_at_their_own_age_and_at_each_level_of_its_sweep(model: MorphableModel) -> None:
    levels = Splits(train=9, test=9, iid=1, sweep_levels=(2, 2, 2, LEVELS, LEVELS), mix=1)
    configuration = replace(EVERY, splits=levels)
    plans = [plan_batch(configuration, model, "sweep", number) for number in range(6 + 2 * LEVELS)]
    own = plans[0].factors[:, 3:]
    assert len(np.unique(own[:, 0])) == BATCH_SIZE
    for plan in plans:
        np.testing.assert_array_equal(plan.identity_index, plans[0].identity_index)
        np.testing.assert_array_equal(plan.own_shape, plans[0].own_shape)
    for plan, age in zip(plans[6:9], (18, 49, 80), strict=True):
        assert (plan.factors[:, 3] == age).all()
        np.testing.assert_array_equal(plan.factors[:, 4], own[:, 1])
    for plan, sex in zip(plans[9:], (-2, 0, 2), strict=True):
        assert (plan.factors[:, 4] == sex).all()


@pytest.mark.parametrize(
    ("vary", "options", "said"),
    [
        (("nose",), {}, "expected --vary with one of .*shape, skin, hair, found nose"),
        (("hair",), {"hair": "none"}, "expected people with hair for --vary hair, found --hair none"),
        (("age", "skin"), {"meshes": Path("chairs")}, "found --vary age and --vary skin"),
        (("age",), {"age": (30.0, 30.0)}, "expected a range for --vary age, found one value"),
        (("sex",), {"sex": (-5.0, 2.0)}, r"expected LO <= HI within -3 to 3 standard deviations for --sex"),
    ],
)
def test_what_cannot_vary_is_refused(vary: tuple[str, ...], options: dict[str, Any], said: str) -> None:
    with pytest.raises(RenderError, match=said):
        varying(*vary, **options)


def test_a_model_without_a_trait_is_refused_with_what_it_has(model: MorphableModel) -> None:
    foreign = replace(model, population=None, hair=None, name="a scan")
    check_traits(varying("shape", "skin"), foreign)
    with pytest.raises(
        RenderError, match="what a scan has of a person, shape and skin, found age, hair: leave out --v"
    ):
        check_traits(varying("age", "shape", "hair"), foreign)


def test_a_loaded_model_varies_shape_and_skin(model: MorphableModel) -> None:
    foreign = replace(model, population=None, hair=None)
    configuration = varying("shape", "skin")
    for number, name, other in ((3, "shape", "albedo"), (4, "albedo", "shape")):
        plan = plan_batch(configuration, foreign, "train", number)
        assert plan.own_shape is None
        assert len(np.unique(getattr(plan, name), axis=0)) == BATCH_SIZE
        assert len(np.unique(getattr(plan, other), axis=0)) == 1
