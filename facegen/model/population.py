"""Who there is: drawing people at random from a morphable model.

    shape = sex * sex_shape + decades * age_shape + women_shape or men_shape @ z,   z ~ N(0, I)

with decades counted from the mean age: each coefficient has mean 0 and variance 1 over everybody, and men and women
have the means, deviations and correlations that were measured of them.
"""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float32, Float64
from dcign.facegen.haircuts import cut_probabilities
from dcign.facegen.model.morphable import MorphableModel, Population
from dcign.facegen.model.person import AGES, ATTRIBUTES, MEAN_PERSON, Person

# Two sexes, each spread about its own; everybody together has unit variance.
SEX_CENTRE = 0.9
SEX_DEVIATION = float(np.sqrt(1 - SEX_CENTRE**2))
# Mean and deviation of |sex|: of those on one side of 0.
SEX_SIDE = 0.9062
SEX_WITHIN_SIDE = float(np.sqrt(1 - SEX_SIDE**2))
# Ages are spread over AGES as a beta distribution: most are young, one in ten is over 60.
AGE_SPREAD = (1.2, 2.18)
AGE_MEAN = MEAN_PERSON[ATTRIBUTES.index("age")]
AGE_DEVIATION = 14.2
FARTHEST_HAIR = 2.0  # standard deviations of length and volume


def sample_person(
    model: MorphableModel, rng: np.random.Generator, *, keep_size: bool = False, hair: bool = True
) -> Person:
    """One person, with hair unless told otherwise.

    Head size mimics the camera's distance, so it is left at the mean unless keep_size. Models without a population have
    coefficients that are N(0, 1) each, and no attributes.
    """
    shape = rng.standard_normal(model.shape_modes)
    albedo = rng.standard_normal(model.albedo_modes)
    attributes: list[float] = []
    if model.population is not None:
        sex = rng.choice((-SEX_CENTRE, SEX_CENTRE)) + SEX_DEVIATION * rng.standard_normal()
        age = AGES[0] + (AGES[1] - AGES[0]) * rng.beta(*AGE_SPREAD)
        shape = shape_of(model.population, sex, age, shape)
        attributes = [sex, age, *(_hair(sex, age, rng) if hair and model.hair is not None else (0.0, 0.0, 0.0))]
        assert len(attributes) == len(ATTRIBUTES)
    if model.size_mode is not None and not keep_size:
        shape[model.size_mode] = 0.0
    return Person(shape.astype(np.float32), albedo.astype(np.float32), np.array(attributes, np.float32))


def _hair(sex: float, age: float, rng: np.random.Generator) -> tuple[float, float, float]:
    """A cut, as its wearers' sex and age have it, and its length and volume in standard deviations, none far out."""
    chances = cut_probabilities(sex, age)
    length, volume = np.clip(rng.standard_normal(2), -FARTHEST_HAIR, FARTHEST_HAIR)
    return float(rng.choice(len(chances), p=chances)), float(length), float(volume)


def shape_of(population: Population, sex: float, age: float, own: Float64) -> Float64:
    """Shape coefficients (Ks,) of somebody of this sex, this age in years, and a nature `own` (Ks,), N(0, 1)."""
    arrays = population.arrays
    spread = arrays["women_shape"] if sex < 0 else arrays["men_shape"]
    return np.asarray(
        sex * arrays["sex_shape"] + (age - AGE_MEAN) / 10 * arrays["age_shape"] + spread @ own, dtype=np.float64
    )


def stacked(people: list[Person]) -> tuple[Float32, Float32, Float32]:
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
        shape = shape_of(model.population, sex, age, shape)
        attributes = [sex, age, cut, 0.0, 0.0]
    return Person(shape.astype(np.float32), albedo.astype(np.float32), np.array(attributes, np.float32))
