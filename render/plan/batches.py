"""Plan batch k as numbers that depend only on configuration, seed, split and k.

Seeding is counter-based: every batch and every person has its own generator, keyed by its numbers. So any shard can be
made alone, in any order and on any machine, and comes out the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from dcign.arrays import Float32, Floating, Int64, UInt8
from dcign.data.schema import BATCH_SIZE, FACTORS, SPLITS
from dcign.facegen.objects.collection import Collection
from dcign.render.draw.scene import Scene
from dcign.render.plan.choice import Crowd
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.correlation import correlated
from dcign.render.plan.objects import Subject, choose_objects
from dcign.render.plan.people import plan_people
from dcign.render.plan.ranges import Range
from dcign.render.plan.seeding import BATCH_STREAM, DEAL_STREAM, NUISANCE_STREAM, OBJECT_STREAM, generator


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """Twenty pictures before they are drawn.

    factors (20, F), columns as in configuration.factors; identity_index (20,); nuisance: name -> (20,);
    shape (P, Ks), albedo (P, Ka) and attributes (P, A), P = 1 if all show one person, else 20; None for objects;
    own_shape (P, Ks) and source (20, T): as in `people.PlannedPeople`.
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
    own_shape: Float32 | None = None
    source: UInt8 | None = None


def plan_batch(
    configuration: RenderConfiguration, model: Subject, split: str, number: int, crowd: Crowd | None = None
) -> BatchPlan:
    """Plan batch `number` of a split.

    train and test vary one thing, iid all; sweep shows 20 faces on a grid, mix shows people and their recombinations.
    crowd: the people, if the configuration shows those of a file.
    """
    varies, factors, nuisance = plan_labels(configuration, split, number)
    if isinstance(model, Collection):
        index = plan_objects(configuration, len(model.solids), split, number, varies)
        return BatchPlan(split, number, varies, _table(configuration, factors), index, None, None, None, nuisance)
    people = plan_people(
        configuration, model, split, number, varies, {name: float(v[0]) for name, v in factors.items()}, crowd
    )
    return BatchPlan(
        split=split,
        number=number,
        varies=varies,
        factors=_table(configuration, {**factors, **people.scalars}),
        identity_index=people.index,
        shape=people.shape,
        albedo=people.albedo,
        attributes=people.attributes,
        nuisance=nuisance,
        own_shape=people.own_shape,
        source=people.source,
    )


def plan_labels(
    configuration: RenderConfiguration, split: str, number: int
) -> tuple[str, dict[str, Floating], dict[str, Float32]]:
    """Plan what varies in batch `number` of a split, its factors and its nuisances, each name -> (20,).

    Nothing here depends on the model: factors that are properties of people are not among them, except those that a
    sweep gives to all.
    """
    if split == "sweep":
        varies, factors = "identity", _sweep_factors(configuration, number)
    else:
        rng = generator(configuration.seed, BATCH_STREAM, SPLITS.index(split), number)
        usual = configuration.kinds[number % len(configuration.kinds)]
        varies = {"iid": "all", "mix": "identity"}.get(split, usual)
        factors = _drawn_factors(configuration, varies, rng)
    return varies, factors, _nuisances(configuration, split, number, varies)


def plan_objects(configuration: RenderConfiguration, count: int, split: str, number: int, varies: str) -> Int64:
    """Choose which of `count` objects (20,) a batch shows. There are few, so batches show them repeatedly."""
    own = generator(configuration.seed, OBJECT_STREAM, SPLITS.index(split), number)
    order = generator(configuration.seed, DEAL_STREAM)
    return np.broadcast_to(choose_objects(count, split, varies, order=order, rng=own), BATCH_SIZE).copy()


def _table(configuration: RenderConfiguration, factors: Mapping[str, Floating]) -> Float32:
    """Return factors, name -> (20,), as columns (20, F)."""
    return np.stack([factors[name] for name in configuration.ranges], axis=1).astype(np.float32)


def _of_person(configuration: RenderConfiguration) -> set[str]:
    """Return the names of the factors that people have, not batches."""
    return {factor.name for factor in configuration.factors if factor.of_identity}


def _drawn_factors(configuration: RenderConfiguration, varies: str, rng: np.random.Generator) -> dict[str, Floating]:
    """Draw factors (20,) but those of people: 20 uniform values of each that varies, else one for all pictures."""
    found: dict[str, Floating] = {
        name: rng.uniform(allowed.low, allowed.high, BATCH_SIZE)
        for name, allowed in configuration.ranges.items()
        if name not in _of_person(configuration)
    }
    if configuration.correlate:
        found |= _joined(configuration, {name: values for name, values in found.items() if name != varies})
    return {
        name: values if varies in (name, "all") else np.full(BATCH_SIZE, values[0]) for name, values in found.items()
    }


def _joined(configuration: RenderConfiguration, drawn: dict[str, Floating]) -> dict[str, Floating]:
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
            rng = generator(configuration.seed, NUISANCE_STREAM, crc32(name.encode()), SPLITS.index(split), number)
            if name in backgrounds:
                values = rng.integers(int(allowed.low), int(allowed.high), BATCH_SIZE, endpoint=True).astype(np.float64)
            else:
                values = rng.uniform(allowed.low, allowed.high, BATCH_SIZE)
        found[name] = (values if varies == "all" else np.full(BATCH_SIZE, values[0])).astype(np.float32)
    return found


def sweep_defaults(configuration: RenderConfiguration) -> dict[str, float]:
    """Return the value of each factor in the sweeps of the others, but of those that are people's own."""
    of_person = _of_person(configuration)
    ranges = {name: allowed for name, allowed in configuration.ranges.items() if name not in of_person}
    return {name: _usual(configuration.scene, name, allowed) for name, allowed in ranges.items()}


def _sweep_factors(configuration: RenderConfiguration, number: int) -> dict[str, Floating]:
    """Return factors (20,): one level of one factor for all, the others at their usual values, or people's own.

    The levels are from end to end, but on a circle the last would be the first again.
    """
    values = sweep_defaults(configuration)
    circular = {factor.name for factor in configuration.factors if factor.circular}
    for (name, allowed), levels in zip(configuration.ranges.items(), configuration.splits.sweep_levels, strict=True):
        if number < levels:
            placed = np.linspace(allowed.low, allowed.high, levels, endpoint=name not in circular)
            values[name] = float(placed[number])
            break
        number -= levels
    return {name: np.full(BATCH_SIZE, value) for name, value in values.items()}


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
