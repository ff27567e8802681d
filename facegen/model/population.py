"""Draw people at random from a morphable model.

    shape = sex * sex_shape + decades * age_shape + women_shape or men_shape @ z,   z ~ N(0, I)

with decades counted from the mean age. Each coefficient has mean 0 and variance 1 over the whole population, and men
and women have their measured means, standard deviations and correlations.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dcign.arrays import Float32, Float64
from dcign.facegen.haircuts import cut_probabilities
from dcign.facegen.model.morphable import MorphableModel, Population
from dcign.facegen.model.person import AGES, ATTRIBUTES, MEAN_PERSON, Person
from dcign.facegen.model.selection import AGE_BETA, EVERYBODY, SEX_CENTRE, SEX_DEVIATION, Selection
from dcign.facegen.primitives import ramp

# Mean and standard deviation of |sex|, that is, within one sex.
SEX_SIDE = 0.9062
SEX_WITHIN_SIDE = float(np.sqrt(1 - SEX_SIDE**2))
BLEND = 0.9  # standard deviations of sex: the means of women and men have their own spread
AGE_MEAN = MEAN_PERSON[ATTRIBUTES.index("age")]
AGE_DEVIATION = 14.2
MOST_HAIR_DEVIATION = 2.0  # standard deviations, of length and of volume
UNCHANGED = 1e-4  # standard deviations: a shape that differs less from that of its own shape is only rounded
BALD = (0.0, 0.0, 0.0)  # cut, length and volume


def sample_person(
    model: MorphableModel,
    rng: np.random.Generator,
    *,
    keep_size: bool = False,
    hair: bool = True,
    selection: Selection = EVERYBODY,
) -> Person:
    """Draw one person, from a part of the population if a selection is given.

    Head size looks like the camera's distance, so it stays at the mean unless keep_size. A model without a population
    has independent N(0, 1) coefficients and no attributes.
    """
    shape = rng.standard_normal(model.shape_modes)
    albedo = rng.standard_normal(model.albedo_modes)
    own_shape = shape.astype(np.float32)
    attributes: list[float] = []
    if model.population is not None:
        sex = rng.choice((-SEX_CENTRE, SEX_CENTRE)) + SEX_DEVIATION * rng.standard_normal()
        age = AGES[0] + (AGES[1] - AGES[0]) * rng.beta(*AGE_BETA)
        sex, age = selection.sex_of(sex), selection.age_of(age)
        shape = shape_of(model.population, sex, age, shape)
        attributes = [sex, age, *(_hair(sex, age, rng, selection) if hair and model.hair is not None else BALD)]
    if model.size_mode is not None and not keep_size:
        shape[model.size_mode] = 0.0
    return Person(shape.astype(np.float32), albedo.astype(np.float32), np.array(attributes, np.float32), own_shape)


def _hair(sex: float, age: float, rng: np.random.Generator, selection: Selection) -> tuple[float, float, float]:
    """Draw a cut, with probabilities by sex and age, and its length and volume in standard deviations, clipped."""
    chances = selection.cut_chances(cut_probabilities(sex, age))
    length, volume = np.clip(rng.standard_normal(2), -MOST_HAIR_DEVIATION, MOST_HAIR_DEVIATION)
    return float(rng.choice(len(chances), p=chances)), float(length), float(volume)


def shape_of(population: Population, sex: float, age: float, own: Float64, *, blended: bool = False) -> Float64:
    """Return a person's shape coefficients (Ks,); age in years; own (Ks,), N(0, 1): variation beyond sex and age.

    blended: pass smoothly from the spread of women to that of men between -BLEND and BLEND. The step at 0 moves
    vertices by 1 mm, and would be seen where sex varies alone.
    """
    arrays = population.arrays
    spread = arrays["women_shape"] if sex < 0 else arrays["men_shape"]
    if blended:
        spread = arrays["women_shape"] + ramp(np.asarray(sex), -BLEND, BLEND) * (
            arrays["men_shape"] - arrays["women_shape"]
        )
    return np.asarray(
        sex * arrays["sex_shape"] + (age - AGE_MEAN) / 10 * arrays["age_shape"] + spread @ own, dtype=np.float64
    )


def at_sex_and_age(model: MorphableModel, person: Person, sex: float, age: float) -> Person:
    """Return the same person at another sex (standard deviations) and age (years) of the model's population.

    The person's own shape stays, and what was changed about the shape since it was drawn. A head size that was left out
    stays left out.
    """
    population = model.population
    assert population is not None  # the caller has checked it
    was = float(person.attributes[ATTRIBUTES.index("sex")]), float(person.attributes[ATTRIBUTES.index("age")])
    own = _own_shape(model, population, person, *was)
    shape = person.shape + (shape_of(population, sex, age, own) - shape_of(population, *was, own))
    if model.size_mode is not None and person.shape[model.size_mode] == 0:
        shape[model.size_mode] = 0.0
    attributes = np.array([sex, age, *person.attributes[2:]], np.float32)
    return replace(person, shape=shape.astype(np.float32), attributes=attributes)


def own_shape_of(model: MorphableModel, person: Person) -> Float32:
    """Return the own shape (Ks,) that gives a person's shape: the known one, and what was changed about the shape."""
    population = model.population
    if population is None:
        return person.shape
    sex, age = (float(person.attributes[ATTRIBUTES.index(name)]) for name in ("sex", "age"))
    if person.own_shape is None:
        return _own_shape(model, population, person, sex, age).astype(np.float32)
    own = person.own_shape.astype(np.float64)
    rest = _rest(model, person, shape_of(population, sex, age, own))
    if np.abs(rest).max() < UNCHANGED:
        return person.own_shape
    return np.asarray(own + _unspread(population, sex, rest), np.float32)


def _own_shape(model: MorphableModel, population: Population, person: Person, sex: float, age: float) -> Float64:
    """Return a person's own shape (Ks,); if it is not known, a head size that was left out counts as the usual one."""
    if person.own_shape is not None:
        return person.own_shape.astype(np.float64)
    return _unspread(population, sex, _rest(model, person, shape_of(population, sex, age, np.zeros(len(person.shape)))))


def _rest(model: MorphableModel, person: Person, shape: Float64) -> Float64:
    """Return a person's shape (Ks,) less another, but 0 for a head size that was left out."""
    rest = np.asarray(person.shape - shape, np.float64)
    if model.size_mode is not None and person.shape[model.size_mode] == 0:
        rest[model.size_mode] = 0.0
    return rest


def _unspread(population: Population, sex: float, rest: Float64) -> Float64:
    """Return the own shape (Ks,) whose spread is this."""
    spread = population.arrays["women_shape" if sex < 0 else "men_shape"]
    return np.asarray(np.linalg.solve(spread, rest), dtype=np.float64)


def stacked(people: list[Person]) -> tuple[Float32, Float32, Float32]:
    """Return several people as arrays: shape (N, Ks), albedo (N, Ka), attributes (N, A)."""
    shape, albedo, attributes = zip(*((each.shape, each.albedo, each.attributes) for each in people), strict=True)
    return np.stack(shape), np.stack(albedo), np.stack(attributes)


def typical_person(model: MorphableModel, *, sex: float = 0.0, age: float = MEAN_PERSON[1], cut: int = 0) -> Person:
    """Return the average person of a sex (standard deviations) and an age (years), with a cut of the model's hair."""
    shape, albedo = np.zeros(model.shape_modes), np.zeros(model.albedo_modes)
    attributes: list[float] = []
    if model.population is not None:
        shape = shape_of(model.population, sex, age, shape)
        attributes = [sex, age, cut, 0.0, 0.0]
    return Person(shape.astype(np.float32), albedo.astype(np.float32), np.array(attributes, np.float32))
