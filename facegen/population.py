"""Who there is: drawing people at random from a morphable model."""

from __future__ import annotations

import numpy as np

from facegen.model import MorphableModel
from facegen.person import AGES, ATTRIBUTES, MEAN_PERSON, Float, Person

# Two sexes, each spread about its own; everybody together has unit variance.
SEX_CENTRE = 0.9
SEX_DEVIATION = float(np.sqrt(1 - SEX_CENTRE**2))
# How strongly the colours of a face follow its sex: a correlation. It leaves every single coefficient N(0, 1);
# without it every other broad jaw would come with made-up lips.
SEX_CORRELATION = 0.8


def sample_person(
    model: MorphableModel, rng: np.random.Generator, *, keep_size: bool = False, hair: bool = True
) -> Person:
    """One person, with hair unless told otherwise.

    Head size mimics the camera's distance, so it is left at the mean unless keep_size. Models without a population have
    coefficients that are N(0, 1) each, and no attributes.
    """
    shape = rng.standard_normal(model.shape_modes)
    albedo = rng.standard_normal(model.albedo_modes)
    if model.size_mode is not None and not keep_size:
        shape[model.size_mode] = 0.0
    attributes: list[float] = []
    if model.population is not None:
        sex = rng.choice((-SEX_CENTRE, SEX_CENTRE)) + SEX_DEVIATION * rng.standard_normal()
        directions = model.population.arrays
        shape += (sex - directions["sex_shape"] @ shape) * directions["sex_shape"]
        own = directions["sex_albedo"] @ albedo
        shared = SEX_CORRELATION * sex + np.sqrt(1 - SEX_CORRELATION**2) * own
        albedo += (shared - own) * directions["sex_albedo"]
        attributes = [sex, rng.uniform(*AGES), 0.0, 0.0, 0.0]
        assert len(attributes) == len(ATTRIBUTES)
    return Person(shape.astype(np.float32), albedo.astype(np.float32), np.array(attributes, np.float32))


def stacked(people: list[Person]) -> tuple[Float, Float, Float]:
    """Several people as arrays: shape (N, Ks), albedo (N, Ka), attributes (N, A)."""
    return (
        np.stack([person.shape for person in people]),
        np.stack([person.albedo for person in people]),
        np.stack([person.attributes for person in people]),
    )


def typical_person(model: MorphableModel, *, sex: float = 0.0, age: float = MEAN_PERSON[1], cut: int = 0) -> Person:
    """Who is average for a sex (standard deviations) and an age (years), with a cut of the model's hair."""
    shape, albedo = np.zeros(model.shape_modes), np.zeros(model.albedo_modes)
    attributes: list[float] = []
    if model.population is not None:
        directions = model.population.arrays
        shape += sex * directions["sex_shape"]
        albedo += SEX_CORRELATION * sex * directions["sex_albedo"]
        attributes = [sex, age, cut, 0.0, 0.0]
    return Person(shape.astype(np.float32), albedo.astype(np.float32), np.array(attributes, np.float32))
