"""Plan batch k as numbers that depend only on configuration, seed, split and k.

Seeding is counter-based: every batch and every person has its own generator, keyed by its numbers. So any shard can be
made alone, in any order and on any machine, and comes out the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from dcign.arrays import Float32, Float64, Int64
from dcign.data.schema import BATCH_SIZE, FACTORS, SPLITS
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.facegen.model.population import sample_person, stacked
from dcign.facegen.model.selection import EVERYBODY
from dcign.facegen.objects.collection import Collection
from dcign.render.draw.scene import Scene
from dcign.render.plan.choice import Crowd, choose_people
from dcign.render.plan.configuration import RenderConfiguration, has_hair
from dcign.render.plan.correlation import correlated
from dcign.render.plan.objects import Subject, choose_objects
from dcign.render.plan.ranges import Range

PEOPLE_PER_SPLIT = 10**12  # identity numbers of split i start at i times this: no person is in two splits
_BATCH_STREAM, _PERSON_STREAM, _NUISANCE_STREAM, _DEAL_STREAM, _OBJECT_STREAM = range(5)


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """Twenty pictures before they are drawn.

    factors (20, F), columns as in configuration.factors; identity_index (20,); nuisance: name -> (20,);
    shape (P, Ks), albedo (P, Ka) and attributes (P, A), P = 1 if all show one person, else 20; None for objects.
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


def plan_batch(
    configuration: RenderConfiguration, model: Subject, split: str, number: int, crowd: Crowd | None = None
) -> BatchPlan:
    """Plan batch `number` of a split: train and test vary one thing, iid all, sweep shows 20 faces on a grid.

    crowd: the people, if the configuration shows those of a file.
    """
    if split == "sweep":
        varies, factors = "identity", _sweep_factors(configuration, number)
    else:
        rng = _generator(configuration.seed, _BATCH_STREAM, SPLITS.index(split), number)
        varies = "all" if split == "iid" else configuration.kinds[number % len(configuration.kinds)]
        factors = _drawn_factors(configuration, varies, rng)
    shape = albedo = attributes = None
    if isinstance(model, Collection) or crowd is not None:
        # There are few objects, so batches show them repeatedly; likewise people of a file.
        own = _generator(configuration.seed, _OBJECT_STREAM, SPLITS.index(split), number)
        order = _generator(configuration.seed, _DEAL_STREAM)
    if isinstance(model, Collection):
        shown = choose_objects(len(model.solids), split, varies, order=order, rng=own)
    elif crowd is not None:
        splits = tuple(configuration.splits.batches())
        shown = choose_people(len(crowd.people), splits, split, varies, order=order, rng=own)
        shape, albedo, attributes = stacked([crowd.people[person] for person in shown])
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
    selection = EVERYBODY if configuration.people is None else configuration.people.selection(model)
    hair = has_hair(configuration.hair)
    return sample_person(model, rng, keep_size=configuration.keep_head_size, hair=hair, selection=selection)


def _people(split: str, number: int, varies: str) -> Int64:
    """Return who is in the batch: one person, or twenty; in the sweep always the same twenty."""
    first = SPLITS.index(split) * PEOPLE_PER_SPLIT + (0 if split == "sweep" else number * BATCH_SIZE)
    return first + np.arange(BATCH_SIZE if varies in ("identity", "all") else 1)


def _drawn_factors(configuration: RenderConfiguration, varies: str, rng: np.random.Generator) -> Float32:
    """Draw factors (20, F): 20 uniform values of each that varies, one for all pictures of each that does not."""
    drawn = {name: rng.uniform(each.low, each.high, BATCH_SIZE) for name, each in configuration.ranges.items()}
    if configuration.correlate:
        drawn |= _joined(configuration, {name: values for name, values in drawn.items() if name != varies})
    columns = [values if varies in (name, "all") else np.full(BATCH_SIZE, values[0]) for name, values in drawn.items()]
    return np.stack(columns, axis=1).astype(np.float32)


def _joined(configuration: RenderConfiguration, drawn: dict[str, Float64]) -> dict[str, Float64]:
    """Return independent uniform values of some factors, name -> (20,), with the configuration's correlations.

    What varies alone in a batch is not among them: it runs through its range, whatever the constant factors are.
    """
    ranges = [configuration.ranges[name] for name in drawn]
    uniform = np.stack(
        [(drawn[name] - each.low) / (each.high - each.low) for name, each in zip(drawn, ranges, strict=True)]
    )
    joined = correlated(uniform, tuple(drawn), configuration.correlate)
    return {
        name: np.clip(each.low + (each.high - each.low) * values, each.low, each.high)
        for name, each, values in zip(drawn, ranges, joined, strict=True)
    }


def _nuisances(configuration: RenderConfiguration, split: str, number: int, varies: str) -> dict[str, Float32]:
    """Draw each nuisance (20,): one value for all, 20 if everything varies; in the sweep the same in all batches.

    Each has its own generator, so that an additional one leaves poses and people unchanged.
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
    """Return the value of each factor in the sweeps of the others."""
    return {name: _usual(configuration.scene, name, allowed) for name, allowed in configuration.ranges.items()}


def _sweep_factors(configuration: RenderConfiguration, number: int) -> Float32:
    """Return factors (20, F): one level of one factor for all, the others at their usual values."""
    values = list(sweep_defaults(configuration).values())
    for column, allowed in enumerate(configuration.ranges.values()):
        levels = configuration.splits.sweep_levels[column]
        if number < levels:
            values[column] = float(np.linspace(allowed.low, allowed.high, levels)[number])
            break
        number -= levels
    return np.tile(np.asarray(values, np.float32), (BATCH_SIZE, 1))


def _usual(scene: Scene, name: str, allowed: Range) -> float:
    """Return a factor's or nuisance's value in other factors' sweeps: zero or the scene's, clipped to its range.

    A sampled distance or background has no usual value: the middle of its range is used.
    """
    middle = (allowed.low + allowed.high) / 2
    usual = {
        "light_elevation": scene.light.elevation_degrees,
        "field_of_view": scene.camera.field_of_view_degrees,
        "light_to_ambient": scene.light.diffuse / scene.light.ambient,
        **dict.fromkeys((factor.name for factor in FACTORS), 0.0),
    }
    return min(max(usual.get(name, middle), allowed.low), allowed.high)
