"""The plan: batch k as numbers, from configuration, seed, split and k alone.

Seeding is counter-based: every batch and every person has a generator of their own, keyed by what they are, so
that any shard can be made alone, by anybody, in any order, and comes out the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from dcign.arrays import Float32, Int64
from dcign.data.schema import BATCH_SIZE, FACTORS, SPLITS
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.facegen.model.population import sample_person, stacked
from dcign.facegen.objects.collection import Collection
from dcign.render.draw.scene import Scene
from dcign.render.plan.configuration import RenderConfiguration, has_hair
from dcign.render.plan.objects import choose_objects
from dcign.render.plan.ranges import Range
from dcign.render.plan.subject import Subject

PEOPLE_PER_SPLIT = 10**12  # identity numbers of a split start at its place times this: no person is in two splits
_BATCH_STREAM, _PERSON_STREAM, _NUISANCE_STREAM, _DEAL_STREAM, _OBJECT_STREAM = range(5)


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """Twenty pictures before they are drawn.

    factors (20, F), columns as in configuration.factors; identity_index (20,); nuisance: name -> (20,);
    shape (P, Ks), albedo (P, Ka) and attributes (P, A) with P = 1 if all show one person, else 20; None of objects.
    """

    split: str
    number: int
    varies: str
    factors: Float32
    identity_index: Int64
    shape: Float32 | None
    albedo: Float32 | None
    attributes: Float32 | None
    nuisance: dict[str, Float32]


def plan_batch(configuration: RenderConfiguration, model: Subject, split: str, number: int) -> BatchPlan:
    """Batch `number` of a split: train and test vary one thing, iid all, sweep holds 20 faces on a grid."""
    if split == "sweep":
        varies, factors = "identity", _sweep_factors(configuration, number)
    else:
        rng = _generator(configuration.seed, _BATCH_STREAM, SPLITS.index(split), number)
        varies = "all" if split == "iid" else configuration.kinds[number % len(configuration.kinds)]
        factors = _drawn_factors(configuration, varies, rng)
    shape = albedo = attributes = None
    if isinstance(model, Collection):
        shown = _objects(configuration.seed, len(model.solids), split, number, varies)
    else:
        shown = _people(split, number, varies)
        shape, albedo, attributes = stacked([_person(configuration, model, int(person)) for person in shown])
    return BatchPlan(
        split=split,
        number=number,
        varies=varies,
        factors=factors,
        identity_index=np.broadcast_to(shown, BATCH_SIZE).copy(),
        shape=shape,
        albedo=albedo,
        attributes=attributes,
        nuisance=_nuisances(configuration, split, number, varies),
    )


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def _person(configuration: RenderConfiguration, model: MorphableModel, person: int) -> Person:
    rng = _generator(configuration.seed, _PERSON_STREAM, person)
    return sample_person(model, rng, keep_size=configuration.keep_head_size, hair=has_hair(configuration.hair))


def _people(split: str, number: int, varies: str) -> Int64:
    """Who is in the batch: one person, or twenty; in the sweep always the same twenty."""
    first = SPLITS.index(split) * PEOPLE_PER_SPLIT + (0 if split == "sweep" else number * BATCH_SIZE)
    return first + np.arange(BATCH_SIZE if varies in ("identity", "all") else 1)


def _objects(seed: int, count: int, split: str, number: int, varies: str) -> Int64:
    """Which of the objects are in the batch: they are few, so batches show them again and again."""
    rng = _generator(seed, _OBJECT_STREAM, SPLITS.index(split), number)
    return choose_objects(count, split, varies, order=_generator(seed, _DEAL_STREAM), rng=rng)


def _drawn_factors(configuration: RenderConfiguration, varies: str, rng: np.random.Generator) -> Float32:
    """(20, F): uniform in its range where it varies, one such value for all where it does not."""
    columns = []
    for name, allowed in configuration.ranges.items():
        values = rng.uniform(allowed.low, allowed.high, BATCH_SIZE)
        columns.append(values if varies in (name, "all") else np.full(BATCH_SIZE, values[0]))
    return np.stack(columns, axis=1).astype(np.float32)


def _nuisances(configuration: RenderConfiguration, split: str, number: int, varies: str) -> dict[str, Float32]:
    """Each nuisance (20,): one value for all, 20 where everything varies; in the sweep the same in all batches.

    Each has a generator of its own: with one more, poses and people stay as they were.
    """
    found = {}
    background = configuration.background
    backgrounds = background.nuisances(configuration.channels) if background else {}
    for name, allowed in configuration.nuisances.items():
        if split == "sweep":
            usual = _usual(configuration.scene, name, allowed)
            values = np.full(BATCH_SIZE, np.floor(usual) if name in backgrounds else usual)
        else:
            rng = _generator(configuration.seed, _NUISANCE_STREAM, crc32(name.encode()), SPLITS.index(split), number)
            if name in backgrounds:
                values = rng.integers(int(allowed.low), int(allowed.high), BATCH_SIZE, endpoint=True).astype(np.float64)
            else:
                values = rng.uniform(allowed.low, allowed.high, BATCH_SIZE)
        found[name] = (values if varies == "all" else np.full(BATCH_SIZE, values[0])).astype(np.float32)
    return found


def sweep_defaults(configuration: RenderConfiguration) -> dict[str, float]:
    """What each factor is in the sweep of another."""
    return {name: _usual(configuration.scene, name, allowed) for name, allowed in configuration.ranges.items()}


def _sweep_factors(configuration: RenderConfiguration, number: int) -> Float32:
    """(20, F): one level of one factor for all; the others as usual, or as near to it as their range allows."""
    values = list(sweep_defaults(configuration).values())
    for column, allowed in enumerate(configuration.ranges.values()):
        levels = configuration.splits.sweep_levels[column]
        if number < levels:
            values[column] = float(np.linspace(allowed.low, allowed.high, levels)[number])
            break
        number -= levels
    return np.tile(np.asarray(values, np.float32), (BATCH_SIZE, 1))


def _usual(scene: Scene, name: str, allowed: Range) -> float:
    """What a factor or nuisance is while others are looked at: zero, or the scene's, or the range's nearest end.

    A sampled distance or background has no usual value: the middle of its range.
    """
    middle = (allowed.low + allowed.high) / 2
    usual = {
        "light_elevation": scene.light.elevation_degrees,
        "field_of_view": scene.camera.field_of_view_degrees,
        "light_to_ambient": scene.light.diffuse / scene.light.ambient,
        **dict.fromkeys((factor.name for factor in FACTORS), 0.0),
    }
    return min(max(usual.get(name, middle), allowed.low), allowed.high)
