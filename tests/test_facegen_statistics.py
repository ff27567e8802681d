"""The measurements of people drawn at random against the published tables."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.diversity import measure_people
from facegen.measurements import CORRELATIONS, EARS, MEASUREMENTS, NAMES, published
from facegen.model import MorphableModel
from facegen.person import ATTRIBUTES
from facegen.population import sample_person, stacked

PEOPLE = 3000


@pytest.fixture(scope="module")
def crowd(model: MorphableModel) -> tuple[np.ndarray, np.ndarray]:
    """Measurements (PEOPLE, M) with head size kept, and attributes (PEOPLE, A)."""
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


def test_measurements_go_together_as_published(crowd: tuple[np.ndarray, np.ndarray]) -> None:
    pooled = np.mean([np.corrcoef(of(sex, crowd).T) for sex in ("women", "men")], axis=0)
    for (first, second), value in CORRELATIONS.items():
        assert pooled[NAMES.index(first), NAMES.index(second)] == pytest.approx(value, abs=0.08), (first, second)
    ears = np.isin(NAMES, EARS)
    assert np.abs(pooled[np.ix_(ears, ~ears)]).max() < 0.25


def test_every_published_measurement_is_there_once() -> None:
    assert len(NAMES) == len(set(NAMES)) == 26
    assert sum(m.source.startswith("ANSUR") for m in MEASUREMENTS) == 12


def test_the_size_mode_alone_enlarges_the_head_in_every_direction(model: MorphableModel) -> None:
    coefficients = np.zeros((2, model.shape_modes), np.float32)
    coefficients[1, model.size_mode] = 1
    mean, larger = measure_people(model, coefficients)
    assert (larger > mean).all()
