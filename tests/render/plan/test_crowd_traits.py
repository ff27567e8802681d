"""People of a file whose traits vary: who is shown, what varies, and the numbers of those who are put together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dcign.data.schema import PERSON_PARTS
from dcign.errors import RenderError
from dcign.facegen.files.people_file import people_json
from dcign.facegen.model.changes import Changes, changed
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import ATTRIBUTES, Person
from dcign.facegen.model.population import own_shape_of, sample_person
from dcign.facegen.model.traits import SCALARS, TRAITS, shapes_of, varies_with
from dcign.render.plan.batches import BatchPlan, plan_batch
from dcign.render.plan.choice import Crowd
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.crowd_traits import Pieces, piece_faults, pieces_of

COUNT = 110


@pytest.fixture(scope="module")
def crowd(model: MorphableModel) -> Crowd:
    people = [sample_person(model, np.random.default_rng(seed)) for seed in range(COUNT)]
    return Crowd(tuple(people), people_json(model, people))


def varying(crowd: Crowd, *vary: str) -> RenderConfiguration:
    found = RenderConfiguration.from_options(batches=90, size=32, seed=6, vary=vary, people=True)[0]
    return replace(found, people=crowd.choice)


def pieces(crowd: Crowd, model: MorphableModel, vary: tuple[str, ...]) -> Pieces:
    return pieces_of(crowd, model, varying(crowd, *vary).traits, False)


def faults(plan: BatchPlan, crowd: Crowd, model: MorphableModel, vary: tuple[str, ...]) -> list[str]:
    rows = {name: np.broadcast_to(getattr(plan, name), (20, getattr(plan, name).shape[1]))
            for name in ("shape", "albedo", "attributes", "own_shape")}  # fmt: skip
    found = piece_faults(
        pieces(crowd, model, vary),
        plan.identity_index,
        rows,
        mixed=plan.source is not None,
        drawn=plan.varies in PERSON_PARTS,
    )
    return list(found)


SEVERAL = [TRAITS, ("hair",), ("age", "hair"), ("sex", "skin"), ("shape", "skin", "hair"), ("age", "sex")]


@pytest.mark.parametrize("vary", SEVERAL, ids="+".join)
def test_every_batch_shows_the_people_of_the_file_whom_it_names(
    crowd: Crowd, model: MorphableModel, vary: tuple[str, ...]
) -> None:
    configuration = varying(crowd, *vary)
    for split in configuration.splits.batches():
        for number in range(len(configuration.kinds)):
            plan = plan_batch(configuration, model, split, number, crowd)
            assert faults(plan, crowd, model, vary) == []
            index = plan.identity_index.tolist()
            assert index[0] < COUNT
            beyond = [person for person in index if person >= COUNT]
            if plan.varies in PERSON_PARTS:
                assert len(set(beyond)) == 19
                assert min(beyond) >= pieces(crowd, model, vary).first_drawn
            elif split == "mix":
                assert plan.source is not None
                parts = plan.source[:, [name in PERSON_PARTS for name in configuration.traits]]
                whole = (parts == parts[:, :1]).all(axis=1)
                assert max(index) < pieces(crowd, model, vary).first_drawn
                if {*vary} > {*PERSON_PARTS}:
                    assert [person < COUNT for person in index] == whole.tolist()
            else:
                assert beyond == []


def test_a_person_of_the_file_grows_older(crowd: Crowd, model: MorphableModel) -> None:
    configuration = varying(crowd, *TRAITS)
    kind = configuration.kinds.index("age")
    plan = plan_batch(configuration, model, "train", kind, crowd)
    (who,) = set(plan.identity_index.tolist())
    person = crowd.people[who]
    ages = plan.attributes[:, ATTRIBUTES.index("age")]
    np.testing.assert_array_equal(ages, plan.factors[:, [*configuration.ranges].index("age")])
    assert np.ptp(ages) > 30
    assert len(np.unique(plan.attributes[:, ATTRIBUTES.index("sex")])) == 1
    np.testing.assert_array_equal(plan.own_shape, np.broadcast_to(person.own_shape, plan.own_shape.shape))
    np.testing.assert_array_equal(plan.albedo, np.broadcast_to(person.albedo, plan.albedo.shape))
    np.testing.assert_array_equal(plan.attributes[:, 2:5], np.broadcast_to(person.attributes[2:], (20, 3)))


def test_without_age_and_sex_people_look_as_in_the_file(crowd: Crowd, model: MorphableModel) -> None:
    configuration = varying(crowd, "hair")
    for number, varies in enumerate(configuration.kinds):
        plan = plan_batch(configuration, model, "test", number, crowd)
        shown = plan.identity_index[: len(plan.shape)]
        for row, who in enumerate(shown.tolist()):
            if who < COUNT:
                np.testing.assert_allclose(plan.shape[row], crowd.people[who].shape, atol=1e-5)
                np.testing.assert_array_equal(plan.attributes[row, :5], crowd.people[who].attributes)
                np.testing.assert_array_equal(plan.albedo[row], crowd.people[who].albedo)
        if varies == "hair":
            of_hair = np.array(varies_with(model, ("hair",))["albedo"]) == "hair"
            assert len(np.unique(plan.albedo[:, of_hair], axis=0)) == 20
            assert len(np.unique(plan.albedo[:, ~of_hair], axis=0)) == len(np.unique(plan.shape, axis=0)) == 1


@pytest.mark.parametrize("vary", SEVERAL, ids="+".join)
def test_a_number_means_the_same_person_in_every_batch_and_nobody_is_in_two_splits(
    crowd: Crowd, model: MorphableModel, vary: tuple[str, ...]
) -> None:
    configuration = varying(crowd, *vary)
    moved = {*SCALARS} & {*vary}
    names = varies_with(model, configuration.traits)
    known: dict[bytes, tuple[int, str]] = {}
    numbers: dict[int, bytes] = {}
    for split in configuration.splits.batches():
        for number in range(2 * len(configuration.kinds)):
            plan = plan_batch(configuration, model, split, number, crowd)
            for image, who in enumerate(plan.identity_index.tolist()):
                lasting = b"".join(
                    getattr(plan, path)[min(image, len(getattr(plan, path)) - 1),
                                        [not moved & {*each.split(",")} for each in columns]].tobytes()
                    for path, columns in names.items()
                )  # fmt: skip
                assert known.setdefault(lasting, (who, split)) == (who, split)
                assert numbers.setdefault(who, lasting) == lasting


def test_any_batch_is_planned_alone(crowd: Crowd, model: MorphableModel) -> None:
    configuration = varying(crowd, *TRAITS)
    again = Crowd(crowd.people, crowd.text)
    for split, number in (("train", 7), ("mix", 3), ("sweep", 60)):
        one, other = (plan_batch(configuration, model, split, number, each) for each in (crowd, again))
        for name in ("factors", "identity_index", "shape", "albedo", "attributes", "own_shape"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_stranger_and_a_wrong_number_are_found(crowd: Crowd, model: MorphableModel) -> None:
    configuration = varying(crowd, *TRAITS)
    for split, kind in (("train", "age"), ("train", "hair"), ("iid", ""), ("mix", "")):
        number = configuration.kinds.index(kind) if kind else 0
        plan = plan_batch(configuration, model, split, number, crowd)
        plan.own_shape[0] += 0.01
        assert "with other shape than people[" in faults(plan, crowd, model, TRAITS)[0]
        plan = plan_batch(configuration, model, split, number, crowd)
        plan.identity_index[0] = pieces(crowd, model, TRAITS).first_drawn + 5
        assert f"whom people.json, with {COUNT} people, does not hold" in faults(plan, crowd, model, TRAITS)[0]


def test_a_changed_shape_is_kept_at_every_age(model: MorphableModel) -> None:
    person = changed(model, sample_person(model, np.random.default_rng(3)), Changes(settings={"shape.5": 2.5}))
    at = np.array([person.attributes])
    own = own_shape_of(model, person)
    shape = shapes_of(model, own[None], at, keep_size=False, blended=False)
    np.testing.assert_allclose(shape[0], person.shape, atol=1e-4)
    assert shape[0, 5] == pytest.approx(2.5, abs=1e-4)
    plain = sample_person(model, np.random.default_rng(3))
    np.testing.assert_array_equal(own_shape_of(model, plain), plain.own_shape)
    unknown = replace(plain, own_shape=None)
    shape = shapes_of(model, own_shape_of(model, unknown)[None], at, keep_size=False, blended=False)
    np.testing.assert_allclose(shape[0], plain.shape, atol=1e-4)


def test_people_who_differ_by_age_alone_are_one_where_age_varies(crowd: Crowd, model: MorphableModel) -> None:
    older: Person = changed(model, crowd.people[7], Changes(age=70))
    two = Crowd((*crowd.people, older), "")
    pieces_of(two, model, ("hair",), False)
    with pytest.raises(RenderError, match=rf"people\[7\] and people\[{COUNT}\] of people.json the same but for age"):
        pieces_of(two, model, ("age", "hair"), False)


def test_too_many_people_are_refused(model: MorphableModel, crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcign.render.plan.crowd_traits.MOST_PEOPLE", 100)
    with pytest.raises(RenderError, match=r"expected 100 people or fewer .* found 110: leave some out"):
        pieces_of(Crowd(crowd.people, ""), model, ("hair",), False)
