"""What can vary of a person alone, and people that are put together from traits of several.

    age, sex   one number each
    shape      the person's own coefficients of shape, which sex and age move
    skin       the coefficients of colour that are not of the hair
    hair       cut, length and volume, the coefficients of the hair's colour and of the hairline, and the tone of the
               skin with which the hair goes: otherwise dark skin would darken the hair

Traits are independent: nobody's haircut follows from the sex or age that somebody else gave.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float32, Float64, IntP
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import ATTRIBUTES, HAIR_TONE, Person
from dcign.facegen.model.population import shape_of

SCALARS = ("age", "sex")
TRAITS = (*SCALARS, "shape", "skin", "hair")
HAIR_APART = {"skin", "hair"}  # where one of these varies, the hair has a tone of its own


@dataclass(frozen=True, eq=False)
class Assembled:
    """N people: shape (N, Ks), albedo (N, Ka), attributes (N, A); own_shape (N, Ks), or None without a population."""

    shape: Float32
    albedo: Float32
    attributes: Float32
    own_shape: Float32 | None


def traits_of(model: MorphableModel) -> tuple[str, ...]:
    """Return which of TRAITS people of this model have."""
    known = model.population is not None
    held = {
        **dict.fromkeys(SCALARS, known),
        "shape": model.shape_modes > 0,
        "skin": model.albedo_modes > 0,
        "hair": known and model.hair is not None,
    }
    return tuple(name for name in TRAITS if held[name])


def attribute_names(model: MorphableModel, traits: Collection[str]) -> tuple[str, ...]:
    """Return the names of people's attributes where these traits vary alone."""
    known = model.population is not None
    return (*model.attributes, HAIR_TONE) if known and HAIR_APART & {*traits} else model.attributes


def varies_with(model: MorphableModel, traits: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return which traits move each column of a person's coefficients, several separated by commas.

    Keys: shape (Ks,), albedo (Ka,), attributes (A,), and own_shape (Ks,) if the model has a population.
    """
    colours = tuple("hair" if of_hair else "skin" for of_hair in model.albedo.of_hair)
    if model.population is None:
        return {"shape": ("shape",) * model.shape_modes, "albedo": colours}
    return {
        "shape": ("shape,age,sex",) * model.shape_modes,
        "albedo": colours,
        "attributes": tuple(name if name in SCALARS else "hair" for name in attribute_names(model, traits)),
        "own_shape": ("shape",) * model.shape_modes,
    }


def assemble(
    model: MorphableModel,
    people: Sequence[Person],
    givers: Mapping[str, IntP],
    scalars: Mapping[str, Float32],
    traits: Collection[str],
    *,
    keep_size: bool = False,
) -> Assembled:
    """Put N people together.

    Parameters
    ----------
    people : those who give the traits
    givers : for each of TRAITS which of the people gives it (N,)
    scalars : ages (N,) and sexes (N,), where they are not those of the givers
    traits : what varies alone
    keep_size : as in `population.sample_person`
    """
    own, albedo, attributes = (
        np.stack([getattr(person, name) for person in people]) for name in ("own_shape", "albedo", "attributes")
    )
    own = own[givers["shape"]]
    colours = np.where(model.albedo.of_hair, albedo[givers["hair"]], albedo[givers["skin"]])
    if model.population is None:
        return Assembled(_sized(model, own, keep_size), colours, attributes[givers["hair"]], None)
    giver_of = {name: givers[name if name in SCALARS else "hair"] for name in ATTRIBUTES}
    columns = [scalars.get(name, attributes[giver_of[name], column]) for column, name in enumerate(ATTRIBUTES)]
    if HAIR_TONE in attribute_names(model, traits):
        columns.append(albedo[givers["hair"], model.albedo.coefficient_names.index("tone")])
    about = np.stack(columns, axis=1)
    shape = shapes_of(model, own, about, keep_size=keep_size, blended="sex" in scalars)
    return Assembled(shape, colours, about, own)


def shapes_of(model: MorphableModel, own: Float32, attributes: Float32, *, keep_size: bool, blended: bool) -> Float32:
    """Return the shape coefficients (N, Ks) of N people with these own ones (N, Ks) and attributes (N, A).

    blended: as in `population.shape_of`. Sums are those of single people, so they do not depend on N.
    """
    population = model.population
    assert population is not None  # people of other models have no attributes
    sex, age = (attributes[:, ATTRIBUTES.index(name)].astype(np.float64) for name in ("sex", "age"))
    rows = zip(sex.tolist(), age.tolist(), own.astype(np.float64), strict=True)
    return _sized(model, np.stack([shape_of(population, *row, blended=blended) for row in rows]), keep_size)


def _sized(model: MorphableModel, shape: Float32 | Float64, keep_size: bool) -> Float32:
    """Return the shapes (N, Ks) with the size of the mean head, unless size is kept."""
    sized = shape.astype(np.float32)
    if model.size_mode is not None and not keep_size:
        sized[:, model.size_mode] = 0.0
    return sized
