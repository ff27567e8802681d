"""People put together from traits of several, and what moves each of their coefficients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import ATTRIBUTES, Person
from dcign.facegen.model.population import BLEND, sample_person, shape_of
from dcign.facegen.model.traits import TRAITS, assemble, attribute_names, traits_of, varies_with


def crowd(model: MorphableModel, count: int) -> list[Person]:
    return [sample_person(model, np.random.default_rng(seed), keep_size=True) for seed in range(count)]


def test_a_person_put_together_from_one_is_that_person(model: MorphableModel) -> None:
    people = crowd(model, 3)
    whole = dict.fromkeys(TRAITS, np.array([2, 0]))
    built = assemble(model, people, whole, {}, (), keep_size=True)
    for row, person in enumerate((people[2], people[0])):
        np.testing.assert_allclose(built.shape[row], person.shape, atol=1e-5)
        np.testing.assert_array_equal(built.albedo[row], person.albedo)
        np.testing.assert_array_equal(built.attributes[row], person.attributes)


def test_each_trait_is_the_giver_s(model: MorphableModel) -> None:
    people = crowd(model, 5)
    givers = {name: np.array([place]) for place, name in enumerate(TRAITS)}
    built = assemble(model, people, givers, {}, TRAITS, keep_size=True)
    tone = model.albedo.coefficient_names.index("tone")
    hair = model.albedo.coefficient_names.index("hair_red")
    about = dict(zip(attribute_names(model, TRAITS), built.attributes[0], strict=True))
    assert built.own_shape is not None
    np.testing.assert_array_equal(built.own_shape[0], people[2].own_shape)
    assert (built.albedo[0, tone], built.albedo[0, hair]) == (people[3].albedo[tone], people[4].albedo[hair])
    assert about["hair_tone"] == people[4].albedo[tone]
    assert about["hair_length"] == people[4].attributes[ATTRIBUTES.index("hair_length")]
    assert about["age"] == people[0].attributes[ATTRIBUTES.index("age")]
    assert about["sex"] == people[1].attributes[ATTRIBUTES.index("sex")]


def test_a_blended_shape_does_not_jump_between_the_sexes(model: MorphableModel) -> None:
    population, own = model.population, np.random.default_rng(0).standard_normal(model.shape_modes)
    assert population is not None
    jumps = {
        blended: np.linalg.norm(
            shape_of(population, 1e-4, 40, own, blended=blended) - shape_of(population, -1e-4, 40, own, blended=blended)
        )
        for blended in (True, False)
    }
    assert jumps[True] < 0.01 < 0.1 < jumps[False]


@pytest.mark.parametrize("sex", [-2.0, -BLEND, BLEND, 1.5])
def test_outside_the_blend_everybody_has_the_shape_of_the_population(model: MorphableModel, sex: float) -> None:
    population, own = model.population, np.random.default_rng(0).standard_normal(model.shape_modes)
    assert population is not None
    plain, blended = (shape_of(population, sex, 30, own, blended=each) for each in (False, True))
    np.testing.assert_allclose(plain, blended, atol=1e-12)


def test_every_column_says_what_moves_it(model: MorphableModel) -> None:
    columns = varies_with(model, TRAITS)
    assert {path: len(names) for path, names in columns.items()} == {
        "shape": model.shape_modes, "albedo": model.albedo_modes, "attributes": 6, "own_shape": model.shape_modes,
    }  # fmt: skip
    assert columns["attributes"] == ("sex", "age", "hair", "hair", "hair", "hair")
    assert columns["albedo"].count("hair") == 4
    assert varies_with(model, ("age", "shape"))["attributes"] == ("sex", "age", "hair", "hair", "hair")


def test_a_model_of_others_has_shape_and_skin(model: MorphableModel) -> None:
    assert traits_of(model) == TRAITS
    assert traits_of(replace(model, hair=None)) == ("age", "sex", "shape", "skin")
    assert traits_of(replace(model, population=None)) == ("shape", "skin")
