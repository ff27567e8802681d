"""Compare the measurements of random people with the published tables."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import AGES, ATTRIBUTES
from dcign.facegen.model.population import AGE_MEAN, sample_person, shape_of, stacked, typical_person
from dcign.facegen.shape.measurements import CORRELATIONS, EARS, MEASUREMENTS, NAMES, published
from tests.support.diversity import distances, measure_people, published_distance

PEOPLE = 3000


@pytest.fixture(scope="module")
def crowd(model: MorphableModel) -> tuple[np.ndarray, np.ndarray]:
    """Measurements (PEOPLE, M), with random head size, and attributes (PEOPLE, A)."""
    rng = np.random.default_rng(0)
    shapes, _, attributes = stacked([sample_person(model, rng, keep_size=True) for _ in range(PEOPLE)])
    return measure_people(model, shapes), attributes


def of(sex: str, crowd: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    measured, attributes = crowd
    side = attributes[:, ATTRIBUTES.index("sex")]
    return measured[side < 0 if sex == "women" else side > 0]


@pytest.mark.parametrize("sex", ["women", "men"])
def test_people_measure_as_published(crowd: tuple[np.ndarray, np.ndarray], sex: str) -> None:
    mean, deviation = published(sex)
    measured = of(sex, crowd)
    assert len(measured) > 0.45 * PEOPLE
    assert measured.mean(0) == pytest.approx(mean, rel=0.02)
    assert measured.std(0) == pytest.approx(deviation, rel=0.10)


def test_measurements_correlate_as_published(crowd: tuple[np.ndarray, np.ndarray]) -> None:
    pooled = np.mean([np.corrcoef(of(sex, crowd).T) for sex in ("women", "men")], axis=0)
    for (first, second), value in CORRELATIONS.items():
        assert pooled[NAMES.index(first), NAMES.index(second)] == pytest.approx(value, abs=0.08), (first, second)
    ears = np.isin(NAMES, EARS)
    assert np.abs(pooled[np.ix_(ears, ~ears)]).max() < 0.25


def test_every_published_measurement_occurs_once() -> None:
    assert len(NAMES) == len(set(NAMES)) == 26
    assert sum(m.source.startswith("ANSUR") for m in MEASUREMENTS) == 12


def test_the_size_mode_alone_enlarges_the_head_in_every_direction(model: MorphableModel) -> None:
    coefficients = np.zeros((2, model.shape_modes), np.float32)
    coefficients[1, model.size_mode] = 1
    mean, larger = measure_people(model, coefficients)
    assert (larger > mean).all()


def test_young_and_old_are_equally_far_from_the_mean_age(model: MorphableModel) -> None:
    nobody = np.zeros(model.shape_modes)
    neutral, young, old = (shape_of(model.population, 0.0, AGE_MEAN + years, nobody) for years in (0, -20, 20))
    assert not neutral.any()
    np.testing.assert_allclose(young, -old)


def test_age_lengthens_ears_and_thins_lips_and_leaves_the_skull_alone(model: MorphableModel) -> None:
    ages = [shape_of(model.population, 0.0, age, np.zeros(model.shape_modes)) for age in (33.0, 73.0)]
    young, old = measure_people(model, np.array(ages, np.float32))
    change = dict(zip(NAMES, old - young, strict=True))
    assert change["ear length"] > 3
    assert change["upper vermilion"] < -0.6
    assert change["upper lip"] > 0.5
    assert max(abs(change[name]) for name in ("bizygomatic", "head breadth", "head length", "interpupillary")) < 1.5


def test_people_differ_as_much_as_the_tables_say(model: MorphableModel) -> None:
    rng = np.random.default_rng(1)
    shapes, _, _ = stacked([sample_person(model, rng, keep_size=True) for _ in range(500)])
    measured = measure_people(model, shapes)
    between = distances(measured)
    assert between.mean() == pytest.approx(published_distance(np.corrcoef(measured.T), rng), rel=0.15)
    assert np.sqrt((between**2).mean()) == pytest.approx(np.sqrt(2 * len(NAMES)), rel=0.15)
    assert between.min() > between.mean() / 4


def test_sex_changes_traits_that_no_table_lists(model: MorphableModel) -> None:
    woman, man = (typical_person(model, sex=sex) for sex in (-1.5, 1.5))
    shapes, _, attributes = stacked([woman, man])
    shapes[:, model.size_mode] = 0
    her, him = model.shapes(shapes, attributes)

    def place(head: np.ndarray, name: str) -> np.ndarray:
        return np.asarray(head[model.landmarks[name]])

    brow_ridge, brow_height = (
        np.array([place(head, one)[axis] - place(head, other)[axis] for head in (her, him)])
        for one, other, axis in (("glabella", "trichion", 2), ("brow_peak_left", "pupil_left", 1))
    )
    assert brow_ridge[1] > brow_ridge[0] + 1.5
    assert brow_height[1] < brow_height[0] - 1.5


def test_ages_and_hair_are_drawn_from_the_whole_population(model: MorphableModel) -> None:
    rng = np.random.default_rng(0)
    drawn = stacked([sample_person(model, rng) for _ in range(2000)])[2]
    column = {name: drawn[:, index] for index, name in enumerate(ATTRIBUTES)}
    assert column["age"].min() >= AGES[0]
    assert column["age"].max() <= AGES[1]
    assert column["age"].mean() == pytest.approx(AGE_MEAN, abs=1)
    assert len(np.unique(column["hair_cut"])) > 5
    assert np.abs(column["hair_length"]).max() <= 2
    bald = stacked([sample_person(model, rng, hair=False) for _ in range(20)])[2]
    assert not bald[:, ATTRIBUTES.index("hair_cut") :].any()
