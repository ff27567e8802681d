"""The plan: batch k as numbers, from configuration, seed, split and k alone.

Seeding is counter-based: every batch and every person has a generator of their own, keyed by what they are, so
that any shard can be made alone, by anybody, in any order, and comes out the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.schema import BATCH_SIZE, FACTORS, SPLITS
from facegen.model import MorphableModel
from facegen.person import Person
from facegen.population import sample_person, stacked
from render.configuration import Range, RenderConfiguration, has_hair

Float = NDArray[np.float32]

SINGLE_FACTORS = (*(factor.name for factor in FACTORS), "identity")  # batch k varies the (k mod 4)th
PEOPLE_A_SPLIT = 10**12  # identity numbers of a split start at its place times this: no person is in two splits
_BATCH_STREAM, _PERSON_STREAM = 0, 1


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """Twenty pictures before they are drawn.

    factors (20, F) degrees, columns as in data.schema.FACTORS; identity_index (20,);
    shape (P, Ks), albedo (P, Ka) and attributes (P, A) with P = 1 if all show one person, else 20.
    """

    split: str
    number: int
    varies: str
    factors: Float
    identity_index: NDArray[np.int64]
    shape: Float
    albedo: Float
    attributes: Float


def plan_batch(configuration: RenderConfiguration, model: MorphableModel, split: str, number: int) -> BatchPlan:
    """Batch `number` of a split: train and test vary one thing, iid all, sweep holds 20 faces on a grid."""
    if split == "sweep":
        varies, factors = "identity", _sweep_factors(configuration, number)
    else:
        rng = _generator(configuration.seed, _BATCH_STREAM, SPLITS.index(split), number)
        varies = "all" if split == "iid" else SINGLE_FACTORS[number % len(SINGLE_FACTORS)]
        factors = _drawn_factors(configuration, varies, rng)
    people = _people(split, number, varies)
    shape, albedo, attributes = stacked([_person(configuration, model, int(person)) for person in people])
    return BatchPlan(
        split=split,
        number=number,
        varies=varies,
        factors=factors,
        identity_index=np.broadcast_to(people, BATCH_SIZE).copy(),
        shape=shape,
        albedo=albedo,
        attributes=attributes,
    )


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def _person(configuration: RenderConfiguration, model: MorphableModel, person: int) -> Person:
    rng = _generator(configuration.seed, _PERSON_STREAM, person)
    return sample_person(model, rng, keep_size=configuration.keep_head_size, hair=has_hair(configuration.hair))


def _people(split: str, number: int, varies: str) -> NDArray[np.int64]:
    """Who is in the batch: one person, or twenty; in the sweep always the same twenty."""
    first = SPLITS.index(split) * PEOPLE_A_SPLIT + (0 if split == "sweep" else number * BATCH_SIZE)
    return first + np.arange(BATCH_SIZE if varies in ("identity", "all") else 1)


def _drawn_factors(configuration: RenderConfiguration, varies: str, rng: np.random.Generator) -> Float:
    """(20, F): uniform in its range where it varies, one such value for all where it does not."""
    columns = []
    for name, allowed in configuration.ranges.items():
        values = rng.uniform(allowed.low, allowed.high, BATCH_SIZE)
        columns.append(values if varies in (name, "all") else np.full(BATCH_SIZE, values[0]))
    return np.stack(columns, axis=1).astype(np.float32)


def _sweep_factors(configuration: RenderConfiguration, number: int) -> Float:
    """(20, F): one level of one factor for all; the others at zero, or as near to it as their range allows."""
    values = [_nearest_to_zero(allowed) for allowed in configuration.ranges.values()]
    for column, allowed in enumerate(configuration.ranges.values()):
        levels = configuration.splits.sweep_levels[column]
        if number < levels:
            values[column] = float(np.linspace(allowed.low, allowed.high, levels)[number])
            break
        number -= levels
    return np.tile(np.asarray(values, np.float32), (BATCH_SIZE, 1))


def _nearest_to_zero(allowed: Range) -> float:
    return min(max(0.0, allowed.low), allowed.high)
