"""One thing about a person changes, and everything else stays; selections of a population."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dcign.errors import ModelError
from dcign.facegen.files.people_file import parse_person, person_json
from dcign.facegen.haircuts import CUT_NAMES
from dcign.facegen.model.changes import Changes, changed, parse_settings
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import ATTRIBUTES, Person
from dcign.facegen.model.population import sample_person, shape_of
from dcign.facegen.model.selection import Selection, cut_number


def person_of(model: MorphableModel, seed: int, **options: bool) -> Person:
    return sample_person(model, np.random.default_rng(seed), **options)


def same(one: Person, other: Person, *, but: tuple[str, ...] = ()) -> bool:
    """Whether two people are equal to the last bit, except for these fields and attributes."""
    kept = [ATTRIBUTES.index(name) for name in ATTRIBUTES if name not in but]
    fields = [name for name in ("shape", "albedo") if name not in but]
    return bool(
        np.array_equal(one.attributes[kept], other.attributes[kept])
        and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in fields)
    )


@pytest.mark.parametrize("keep_size", [False, True])
@pytest.mark.parametrize(("sex", "age"), [(None, 70.0), ("men", None), ("women", 20.0), (-1.3, 44.0), (0.2, 18.0)])
@pytest.mark.parametrize("seed", [4, 7])
def test_another_age_or_sex_keeps_what_the_seed_drew_beyond_them(
    model: MorphableModel, seed: int, sex: float | str | None, age: float | None, keep_size: bool
) -> None:
    before = person_of(model, seed, keep_size=keep_size)
    after = changed(model, before, Changes(sex=sex, age=age))
    now_sex, now_age = after.attributes[:2].tolist()
    assert now_age == pytest.approx(before.attributes[1] if age is None else age)
    assert now_sex == pytest.approx({None: before.attributes[0], "men": 0.9, "women": -0.9}.get(sex, sex))
    own = np.random.default_rng(seed).standard_normal(model.shape_modes)  # what sample_person draws first
    wanted = shape_of(model.population, now_sex, now_age, own)
    if not keep_size:
        wanted[model.size_mode] = 0
    np.testing.assert_allclose(after.shape, wanted, atol=1e-5)
    assert same(before, after, but=("sex", "age", "shape"))


def test_there_and_back_again_is_the_same_person(model: MorphableModel) -> None:
    person = person_of(model, 4)
    sex, age = person.attributes[:2].tolist()
    assert same(person, changed(model, person, Changes(sex=sex, age=age)))
    other = changed(model, person, Changes(sex=-sex, age=80.0))
    back = changed(model, other, Changes(sex=sex, age=age))
    np.testing.assert_allclose(back.shape, person.shape, atol=1e-5)


def test_without_an_own_shape_it_is_found_from_the_shape(model: MorphableModel) -> None:
    person = person_of(model, 4, keep_size=True)
    for changes in (Changes(age=75), Changes(sex="men")):
        found = changed(model, replace(person, own_shape=None), changes)
        np.testing.assert_allclose(found.shape, changed(model, person, changes).shape, atol=1e-5)
    sizeless = replace(person_of(model, 4), own_shape=None)
    older, man = (changed(model, sizeless, each) for each in (Changes(age=75), Changes(sex="men")))
    np.testing.assert_allclose(older.shape, changed(model, person_of(model, 4), Changes(age=75)).shape, atol=1e-5)
    assert older.shape[model.size_mode] == man.shape[model.size_mode] == 0


def test_a_coefficient_that_was_set_stays_set_at_another_age(model: MorphableModel) -> None:
    person = person_of(model, 4)
    changes = Changes(settings={"shape.12": person.shape[12] + 2.0})
    one = changed(model, changed(model, person, changes), Changes(age=70, sex="men"))
    other = changed(model, person, Changes(age=70, sex="men"))
    np.testing.assert_allclose(one.shape - other.shape, 2.0 * (np.arange(model.shape_modes) == 12), atol=1e-5)


def test_a_shape_that_another_sex_moves_out_of_bounds_is_refused_until_it_is_set(model: MorphableModel) -> None:
    far = changed(model, person_of(model, 0), Changes(sex=-4.0, settings={"shape.0": 18.0}))
    sentence = r"expected shape\.0 from -20 to 20 standard deviations after all changes, found 23\.\d+: give another"
    with pytest.raises(ModelError, match=sentence):
        changed(model, far, Changes(sex=4.0))
    near = changed(model, far, Changes(sex=4.0, settings={"shape.0": 20.0}))
    assert parse_person(person_json(model, near), model).shape[0] == 20


def test_hair_and_single_coefficients_change_alone(model: MorphableModel) -> None:
    person = person_of(model, 4)
    bob = changed(model, person, Changes(hair="bob"))
    assert CUT_NAMES[int(bob.attributes[2])] == "bob"
    assert same(person, bob, but=("hair_cut",))
    longer = changed(model, person, Changes(settings={"hair.length": 1.5, "hair.volume": -1.0}))
    assert longer.attributes[3:].tolist() == [1.5, -1.0]
    assert same(person, longer, but=("hair_length", "hair_volume"))
    freckled = changed(model, person, Changes(settings={"skin.freckles": 2.0}))
    (number,) = np.flatnonzero(freckled.albedo != person.albedo)
    assert same(freckled, changed(model, person, Changes(settings={f"skin.{number}": 2.0})))
    moved = changed(model, person, Changes(settings={"shape.12": 2.0}))
    assert np.flatnonzero(moved.shape != person.shape).tolist() == [12]
    assert moved.shape[12] == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (Changes(age=17.0), "expected age from 18 to 80 years, found 17"),
        (Changes(age=float("nan")), "expected age from 18 to 80 years, found nan"),
        (Changes(sex=5.0), "expected sex from -4 to 4 standard deviations, found 5"),
        (Changes(sex="woman"), "expected women, men or a number"),
        (Changes(hair="mohawk"), "expected one of bald, cropped, .* found 'mohawk'"),
        (Changes(settings={"shape.80": 1.0}), "expected shape.0 to shape.79, .* found 'shape.80'"),
        (Changes(settings={"shape": 1.0}), "found 'shape'"),
        (Changes(settings={"skin.pink": 1.0}), "or a name such as skin.freckles"),
        (Changes(settings={"hair.length": 3.0}), "expected hair.length from -2 to 2 standard deviations, found 3"),
        (Changes(settings={"shape.3": float("inf")}), "expected shape.3 from -20 to 20"),
    ],
)
def test_what_nobody_has_is_refused(model: MorphableModel, changes: Changes, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        changed(model, person_of(model, 4), changes)


@pytest.mark.parametrize("word", ["shape.12", "shape.12=", "shape.12=two", "=2=3"])
def test_a_setting_is_a_name_and_a_number(word: str) -> None:
    with pytest.raises(ModelError, match="expected --set NAME=NUMBER"):
        parse_settings([word])


def test_a_model_without_population_has_shape_and_skin_only(model: MorphableModel) -> None:
    bare = replace(model, population=None, hair=None)
    person = person_of(bare, 4)
    assert changed(bare, person, Changes(settings={"shape.1": 1.0})).shape[1] == 1
    for changes, words in ((Changes(age=50.0), "knows age and sex"), (Changes(hair="bob"), "has no hair")):
        with pytest.raises(ModelError, match=words):
            changed(bare, person, changes)
    with pytest.raises(ModelError, match=r"expected shape\.0"):
        changed(bare, person, Changes(settings={"hair.length": 1.0}))


def test_a_selection_moves_age_and_sex_into_their_ranges_and_keeps_the_own_variation(model: MorphableModel) -> None:
    cuts = (cut_number("bob", CUT_NAMES), cut_number("long-parted", CUT_NAMES))
    selection = Selection(sex=(-3.0, 0.0), age=(18.0, 30.0), cuts=cuts)
    everybody, selected = [], []
    for seed in range(200):
        everybody.append(person_of(model, seed))
        selected.append(sample_person(model, np.random.default_rng(seed), selection=selection))
    before, after = (np.stack([each.attributes for each in people]) for people in (everybody, selected))
    assert after[:, 0].min() >= -3
    assert after[:, 0].max() < 0
    assert 18 <= after[:, 1].min() < 19
    assert 29 < after[:, 1].max() <= 30
    assert set(after[:, 2].astype(int)) == set(cuts)
    np.testing.assert_array_equal(after[:, 3:], before[:, 3:])
    for column in (0, 1):  # the same ranks
        np.testing.assert_array_equal(np.argsort(before[:, column]), np.argsort(after[:, column]))
    own = [changed(model, person, Changes(sex=-1.0, age=25.0)).shape for person in (everybody[5], selected[5])]
    np.testing.assert_allclose(own[0], own[1], atol=1e-4)


def test_selected_people_are_distributed_as_the_population_is_within_the_range(model: MorphableModel) -> None:
    everybody = np.stack([person_of(model, seed).attributes for seed in range(3000)])
    selection = Selection(sex=(0.0, 3.0), age=(40.0, 60.0))
    selected = np.stack(
        [sample_person(model, np.random.default_rng(seed), selection=selection).attributes for seed in range(1000)]
    )
    within = everybody[(everybody[:, 1] >= 40) & (everybody[:, 1] <= 60)]
    assert selected[:, 1].mean() == pytest.approx(within[:, 1].mean(), abs=0.8)
    men = everybody[everybody[:, 0] > 0]
    assert selected[:, 0].mean() == pytest.approx(men[:, 0].mean(), abs=0.06)
    assert selected[:, 0].std() == pytest.approx(men[:, 0].std(), abs=0.04)


def test_a_cut_that_nobody_would_have_can_be_selected(model: MorphableModel) -> None:
    number = cut_number("balding", CUT_NAMES)
    chances = np.zeros(len(CUT_NAMES))
    chances[0] = 1.0
    assert Selection(cuts=(number,)).cut_chances(chances)[number] == 1
