"""Whom a data set shows: a part of the population, or the people of a file, nobody in two splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dcign.errors import ModelError, RenderError
from dcign.facegen.files.people_file import people_json
from dcign.facegen.model.changes import Changes, changed
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import ATTRIBUTES, Person
from dcign.facegen.model.population import sample_person
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.choice import Choice, Crowd, choose_people, parse_hair, read_crowd
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import Range

SPLITS = ("train", "test", "iid", "sweep")
PLAIN = RenderConfiguration(Splits(train=40, test=8, iid=4, sweep_levels=(5, 3, 4)), size=32, seed=9)


def crowd_of(model: MorphableModel, count: int) -> list[Person]:
    return [sample_person(model, np.random.default_rng(seed)) for seed in range(count)]


def test_a_part_of_the_population_keeps_poses_and_everything_else_of_a_person(model: MorphableModel) -> None:
    part = replace(PLAIN, people=Choice(Range(18.0, 30.0), Range(-3.0, 0.0), ("bob", "curls")))
    for number in range(4):
        usual, chosen = (plan_batch(each, model, "train", number) for each in (PLAIN, part))
        np.testing.assert_array_equal(usual.factors, chosen.factors)
        np.testing.assert_array_equal(usual.albedo, chosen.albedo)
        about = dict(zip(ATTRIBUTES, chosen.attributes.T, strict=True))
        assert about["age"].min() >= 18
        assert about["age"].max() <= 30
        assert about["sex"].max() < 0
        assert {model.hair.cut_names[int(cut)] for cut in about["hair_cut"]} <= {"bob", "curls"}
        assert list(part.people.strangers(about)) == []
        others = dict(zip(ATTRIBUTES, np.array([[0.5, 50, 0, 0, 0]], np.float32).T, strict=True))
        assert len(list(part.people.strangers(others))) == 3


def test_age_and_sex_are_ranges_of_factors_where_they_vary_and_otherwise_choose_people() -> None:
    ranges = {"age": (20.0, 30.0), "sex": (-3.0, 0.0)}
    varied, _ = RenderConfiguration.from_options(batches=40, vary=("age",), **ranges)
    assert varied.age == Range(20.0, 30.0)
    assert varied.people == Choice(sex=Range(-3.0, 0.0))
    chosen, _ = RenderConfiguration.from_options(batches=40, hair="bob", **ranges)
    assert chosen.people == Choice(Range(20.0, 30.0), Range(-3.0, 0.0), ("bob",))
    assert chosen.age is None


def test_traits_come_from_the_part_of_the_population(model: MorphableModel) -> None:
    part = Choice(sex=Range(-3.0, 0.0), cuts=("bob", "curls"))
    splits = Splits(train=16, test=16, iid=1, sweep_levels=(1, 1, 1, 1), mix=1)
    varied = replace(PLAIN, splits=splits, vary=("age", "hair"), age=Range(20.0, 30.0), people=part)
    for split, number in (("train", varied.kinds.index("hair")), ("iid", 0), ("mix", 0), ("sweep", 0)):
        plan = plan_batch(varied, model, split, number)
        about = dict(zip(ATTRIBUTES, plan.attributes.T[: len(ATTRIBUTES)], strict=True))
        assert list(part.strangers(about)) == []
        assert about["age"].max() <= 30


def test_a_single_age_is_everybody_s(model: MorphableModel) -> None:
    forty = replace(PLAIN, people=Choice(age=Range(40, 40)))
    ages = plan_batch(forty, model, "iid", 0).attributes[:, ATTRIBUTES.index("age")]
    assert set(ages.tolist()) == {40.0}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Choice(age=Range(10, 30)), "expected LO <= HI within 18 to 80 years for --age, found 10 30"),
        (lambda: Choice(age=Range(40, 30)), "for --age, found 40 30"),
        (lambda: Choice(sex=Range(0, 5)), "expected LO <= HI within -3 to 3 standard deviations for --sex, found 0 5"),
        (lambda: Choice(crowd=100), "found both, or half of one"),
        (lambda: Choice(Range(20, 30), crowd=100, sha256="0"), "found both, or half of one"),
    ],
    ids=["young", "reversed", "beyond", "half", "both"],
)
def test_a_choice_that_chooses_nobody_is_refused(make: Callable[[], Choice], sentence: str) -> None:
    with pytest.raises(RenderError, match=sentence):
        make()


def test_haircuts_are_named_with_hyphens_or_as_the_model_names_them() -> None:
    assert parse_hair("natural") == ("natural", ())
    assert parse_hair("none") == ("none", ())
    assert parse_hair("curls,Bob,long-parted,bob") == ("natural", ("curls", "bob", "long, parted"))
    with pytest.raises(ModelError, match="found 'mohawk'"):
        parse_hair("bob,mohawk")


def test_a_model_that_knows_no_age_is_refused(model: MorphableModel) -> None:
    bare = replace(model, population=None, hair=None)
    with pytest.raises(RenderError, match="leave out --age and --hair"):
        Choice(age=Range(18, 30), cuts=("bob",)).check_model(bare)
    Choice(age=Range(18, 30), cuts=("bob",)).check_model(model)


def test_a_configuration_comes_back_with_its_choice() -> None:
    part = replace(PLAIN, people=Choice(Range(18.0, 30.0), Range(-3.0, 0.0), ("bob", "curls")))
    assert RenderConfiguration.from_dict(part.as_dict()) == part
    assert list(part.people.sentences()) == ["age 18 to 30 years", "women", "haircuts bob; curls"]
    assert "people" not in PLAIN.as_dict()


@pytest.mark.parametrize("count", [80, 137, 1000])
def test_nobody_of_a_crowd_is_in_two_splits(count: int) -> None:
    shown: dict[str, set[int]] = {split: set() for split in SPLITS}
    for split in SPLITS:
        for number in range(60):
            order, own = np.random.default_rng(0), np.random.default_rng((1, SPLITS.index(split), number))
            varies = "identity" if number % 2 else "azimuth"
            found = choose_people(count, SPLITS, split, varies, order=order, rng=own).tolist()
            assert len(set(found)) == len(found) == (20 if varies == "identity" or split == "sweep" else 1)
            shown[split] |= {*found}
    assert all(not shown[one] & shown[other] for one in SPLITS for other in SPLITS if one != other)
    assert set.union(*shown.values()) <= {*range(count)}
    assert count < 1000 or len(shown["train"]) > 400  # 30 times 20 of 780


def test_batches_show_the_people_of_the_crowd(model: MorphableModel) -> None:
    people = crowd_of(model, 80)
    crowd = Crowd(tuple(people), people_json(model, people))
    configuration = replace(PLAIN, people=crowd.choice)
    for split, number in (("train", 3), ("iid", 0), ("sweep", 2)):
        plan = plan_batch(configuration, model, split, number, crowd)
        assert len(set(plan.identity_index.tolist())) == 20
        for row, person in enumerate(plan.identity_index.tolist()):
            np.testing.assert_array_equal(plan.shape[row], people[person].shape)
            np.testing.assert_array_equal(plan.attributes[row], people[person].attributes)
    one = plan_batch(configuration, model, "train", 0, crowd)
    assert len(set(one.identity_index.tolist())) == len(one.shape) == 1
    usual = plan_batch(PLAIN, model, "train", 0)
    np.testing.assert_array_equal(one.factors, usual.factors)


def test_too_few_people_and_the_same_person_twice_are_refused(model: MorphableModel, tmp_path: Path) -> None:
    people, file = crowd_of(model, 80), tmp_path / "crowd.json"
    file.write_text(people_json(model, people))
    assert len(read_crowd(file, model, SPLITS).people) == 80
    file.write_text(people_json(model, people[:79]))
    with pytest.raises(
        RenderError, match="expected 80 people or more, 20 for each of train, test, iid, sweep, found 79"
    ):
        read_crowd(file, model, SPLITS)
    file.write_text(people_json(model, [*people, people[7]]))
    with pytest.raises(RenderError, match=r"found people\[7\] and people\[80\] of .* the same"):
        read_crowd(file, model, SPLITS)
    older = changed(model, people[7], Changes(age=70))
    file.write_text(people_json(model, [*people, older]))
    assert len(read_crowd(file, model, SPLITS).people) == 81
