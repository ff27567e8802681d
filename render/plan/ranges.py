"""The values that a factor or nuisance may have, and the range of them that a data set samples, in `Factor`'s units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dcign.data.schema import MORE_FACTORS, PERSON_PARTS, Factor
from dcign.errors import RenderError
from dcign.facegen.model.person import AGES
from dcign.render.draw.scene import Number, Scene

Pair = tuple[float, float]
FURTHER = tuple(factor.name for factor in MORE_FACTORS)
VARIED = (*FURTHER, *PERSON_PARTS)


@dataclass(frozen=True)
class Range:
    """A factor or nuisance is drawn uniformly between `low` and `high`."""

    low: Number
    high: Number


@dataclass(frozen=True)
class Bounds:
    """The lowest and highest value that a factor may have, and its range if none is given."""

    lowest: float
    highest: float
    usual: Range


# A light straight above has no azimuth; nearer than 300 mm the camera would touch noses.
BOUNDS = {
    "azimuth": Bounds(-180, 180, Range(-86.0, 86.0)),
    "elevation": Bounds(-90, 90, Range(-23.0, 23.0)),
    "light_azimuth": Bounds(-180, 180, Range(-80.0, 80.0)),
    "light_elevation": Bounds(-85, 85, Range(-30.0, 70.0)),
    "distance": Bounds(300, 20_000, Range(750.0, 1_300.0)),
    "field_of_view": Bounds(2, 60, Range(8.0, 45.0)),
    "light_to_ambient": Bounds(0.2, 100, Range(1.0, 12.0)),
    "age": Bounds(*AGES, Range(*AGES)),
    "sex": Bounds(-3, 3, Range(-2.0, 2.0)),
}
_SCENE_FIELDS = {
    "light_elevation": ("light", "elevation_degrees"),
    "distance": ("camera", "distance_mm"),
    "field_of_view": ("camera", "field_of_view_degrees"),
    "light_to_ambient": ("light", "ambient"),
}


def check_range(factor: Factor, given: Range, *, fixed: bool = False) -> None:
    """Raise RenderError unless low < high within bounds; if fixed, unless low = high within bounds."""
    bounds = BOUNDS[factor.name]
    if bounds.lowest <= given.low <= given.high <= bounds.highest and fixed == (given.low == given.high):
        return
    order = "<=" if factor in MORE_FACTORS else "<"  # equal values fix a further factor
    unit = f" {factor.plural}" if factor.plural else ""
    raise RenderError(
        f"expected LO {order} HI within {bounds.lowest:g} to {bounds.highest:g}{unit} for {_option(factor)}, "
        f"found {given.low:g} {given.high:g}: give other values."
    )


def further_fields(scene: Scene, given: Mapping[str, Pair | None], vary: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a configuration for the further factors: vary, scene, and the ranges that are sampled.

    given: lowest and highest value of each of `dcign.data.schema.MORE_FACTORS`; two equal values fix it in the scene;
    None leaves it as it is. vary: names of those that are factors, which without a range get their usual one, and of
    `dcign.data.schema.PERSON_PARTS`.

    Raises RenderError for an unknown factor, for one that is fixed and varied, and for values out of bounds.
    """
    asked = [name.replace("-", "_") for name in vary]
    for name in asked:
        if name not in VARIED:
            raise RenderError(f"expected --vary with one of {', '.join(VARIED)}, found {name}: give one of these.")
    fields: dict[str, Any] = {"vary": tuple(name for name in VARIED if name in asked)}
    for factor in MORE_FACTORS:
        pair = given.get(factor.name)
        if pair is None and factor.name not in asked:
            continue
        wanted = BOUNDS[factor.name].usual if pair is None else Range(*pair)
        if wanted.low != wanted.high:
            fields[factor.name] = wanted
        elif factor.name in asked:
            raise RenderError(
                f"expected a range for --vary {factor.name}, found one value, {_option(factor)} {wanted.low:g} "
                f"{wanted.high:g}: give LO < HI."
            )
        elif factor.of_identity:
            check_range(factor, wanted)  # refuses it: only a range can vary
        else:
            check_range(factor, wanted, fixed=True)
            scene = _fixed(scene, factor.name, wanted.low)
    return {**fields, "scene": scene}


def _fixed(scene: Scene, name: str, value: float) -> Scene:
    """Return the scene with this value of a further factor."""
    part, field = _SCENE_FIELDS[name]
    if name == "light_to_ambient":
        value = scene.light.diffuse / value
    return replace(scene, **{part: replace(getattr(scene, part), **{field: value})})


def _option(factor: Factor) -> str:
    return "--" + factor.name.replace("_", "-")
