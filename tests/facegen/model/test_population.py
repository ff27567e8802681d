"""People drawn at random: their statistics and their colours."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.data.schema import ATTRIBUTE_LIMITS, LARGEST_COEFFICIENT
from dcign.facegen.haircuts import CUTS
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import AGES, ATTRIBUTES, Person
from dcign.facegen.model.population import MOST_HAIR_DEVIATION, sample_person, shape_of, stacked


def crowd(model: MorphableModel, people: int, seed: int, **options: bool) -> list[Person]:
    rng = np.random.default_rng(seed)
    return [sample_person(model, rng, **options) for _ in range(people)]


def test_every_coefficient_has_unit_variance(model: MorphableModel) -> None:
    for weights in stacked(crowd(model, 4000, 0, keep_size=True))[:2]:
        assert np.abs(weights.mean(0)).max() < 0.08
        assert weights.std(0) == pytest.approx(np.ones(weights.shape[1]), abs=0.06)


def test_sex_has_unit_variance_and_two_sides(model: MorphableModel) -> None:
    sex = stacked(crowd(model, 4000, 0))[2][:, ATTRIBUTES.index("sex")]
    assert sex.std() == pytest.approx(1, abs=0.03)
    assert np.mean(np.abs(sex) < 0.3) < 0.12


def test_head_size_is_left_out_unless_asked_for(model: MorphableModel) -> None:
    person = sample_person(model, np.random.default_rng(0))
    kept = sample_person(model, np.random.default_rng(0), keep_size=True)
    assert person.shape[model.size_mode] == 0
    assert kept.shape[model.size_mode] != 0


def test_the_same_seed_gives_the_same_person(model: MorphableModel) -> None:
    first, second = (crowd(model, 1, 7)[0] for _ in range(2))
    for one, other in zip(stacked([first]), stacked([second]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nobody_has_blue_green_or_overexposed_skin(model: MorphableModel) -> None:
    coarse = model.at_level(2_500)
    skin = coarse.parts == coarse.part_names.index("skin")
    rng = np.random.default_rng(1)
    for _ in range(300):
        person = sample_person(coarse, rng)
        red, green, blue = coarse.albedos(person.albedo[None], person.attributes[None])[0][skin].mean(0)
        assert red > green > blue
        assert red < 0.95


def test_iris_is_darker_than_sclera_and_lips_redder_than_skin(model: MorphableModel) -> None:
    coarse = model.at_level(5_000)
    part = {name: coarse.parts == index for index, name in enumerate(coarse.part_names)}
    part["skin"] &= (coarse.mean[:, 2] > 45) & (coarse.mean[:, 1] < 60)  # the scalp is painted with hair
    rng = np.random.default_rng(2)
    brows = []
    for _ in range(100):
        person = sample_person(coarse, rng)
        albedo = coarse.albedos(person.albedo[None], person.attributes[None])[0]
        mean = {name: albedo[inside].mean(0) for name, inside in part.items() if inside.any()}
        assert mean["iris"].mean() < 0.75 * mean["sclera"].mean()
        assert mean["lip"][0] / mean["lip"][1] > mean["skin"][0] / mean["skin"][1]
        if person.attributes[ATTRIBUTES.index("age")] < 45:  # later, brows go grey
            brows.append(mean["brow"].mean() / mean["skin"].mean())
    assert np.median(brows) < 0.92  # those of the fair are hardly darker


def test_the_limits_of_the_format_are_those_of_the_model(model: MorphableModel) -> None:
    hair = (-MOST_HAIR_DEVIATION, MOST_HAIR_DEVIATION)
    assert tuple(ATTRIBUTE_LIMITS) == ATTRIBUTES
    assert ATTRIBUTE_LIMITS["age"] == AGES
    assert ATTRIBUTE_LIMITS["hair_cut"] == (0, len(CUTS) - 1)
    assert ATTRIBUTE_LIMITS["hair_length"] == ATTRIBUTE_LIMITS["hair_volume"] == hair


@pytest.mark.parametrize("sex", [-4.0, 4.0])
@pytest.mark.parametrize("age", AGES)
def test_no_person_has_a_coefficient_that_the_format_refuses(model: MorphableModel, sex: float, age: float) -> None:
    assert model.population is not None
    spread = model.population.arrays["women_shape" if sex < 0 else "men_shape"]
    farthest = 13.7 * spread / np.linalg.norm(spread, axis=1, keepdims=True)  # (Ks, Ks): for each coefficient
    for mode, own in enumerate(farthest):
        assert abs(shape_of(model.population, sex, age, own)[mode]) < LARGEST_COEFFICIENT
