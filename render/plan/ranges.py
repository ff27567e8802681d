"""What a factor or nuisance may be, and the range of it that a data set samples. Units are `Factor`'s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dcign.data.schema import MORE_FACTORS, Factor
from dcign.errors import RenderError
from dcign.render.draw.scene import Number, Scene

Pair = tuple[float, float]
FURTHER = tuple(factor.name for factor in MORE_FACTORS)


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, of which a factor or nuisance is drawn uniformly."""

    low: Number
    high: Number


@dataclass(frozen=True)
class Bounds:
    """What a factor may be: from lowest to highest, and the range that it varies in if none is given."""

    lowest: float
    highest: float
    usual: Range


# Straight above, a light has no azimuth; nearer than 300 mm the camera would touch noses.
BOUNDS = {
    "azimuth": Bounds(-180, 180, Range(-86.0, 86.0)),
    "elevation": Bounds(-90, 90, Range(-23.0, 23.0)),
    "light_azimuth": Bounds(-180, 180, Range(-80.0, 80.0)),
    "light_elevation": Bounds(-85, 85, Range(-30.0, 70.0)),
    "distance": Bounds(300, 20_000, Range(750.0, 1_300.0)),
    "field_of_view": Bounds(2, 60, Range(8.0, 45.0)),
    "light_to_ambient": Bounds(0.2, 100, Range(1.0, 12.0)),
}


def check_range(factor: Factor, given: Range) -> None:
    """Raise RenderError unless the range is one, within bounds."""
    bounds = BOUNDS[factor.name]
    if not bounds.lowest <= given.low < given.high <= bounds.highest:
        raise _out_of_bounds(factor, given)


def further_fields(scene: Scene, given: Mapping[str, Pair | None], vary: Sequence[str]) -> dict[str, Any]:
    """Fields of a configuration that say what of the scene is set, sampled as a nuisance, or a factor of its own.

    given: lowest and highest value of each of `dcign.data.schema.MORE_FACTORS`; two equal ones set it; None leaves it
    as it is. vary: those that are factors; without a range they get their usual one.

    Raises RenderError for a factor that there is not, or that is set, and for values out of bounds.
    """
    asked = [name.replace("-", "_") for name in vary]
    for name in asked:
        if name not in FURTHER:
            raise RenderError(f"--vary {name} names no further factor; give one of {', '.join(FURTHER)}.")
    fields: dict[str, Any] = {"vary": tuple(name for name in FURTHER if name in asked)}
    for factor in MORE_FACTORS:
        pair = given.get(factor.name)
        if pair is None and factor.name not in asked:
            continue
        wanted = BOUNDS[factor.name].usual if pair is None else Range(*pair)
        if wanted.low != wanted.high:
            fields[factor.name] = wanted
        elif factor.name in asked:
            raise RenderError(
                f"{_option(factor)} {wanted.low:g} {wanted.high:g} is one value; --vary {factor.name} wants LO < HI."
            )
        else:
            scene = _set(scene, factor, wanted)
    return {**fields, "scene": scene}


def _set(scene: Scene, factor: Factor, wanted: Range) -> Scene:
    """The scene with this one value."""
    value, bounds = wanted.low, BOUNDS[factor.name]
    if not bounds.lowest <= value <= bounds.highest:
        raise _out_of_bounds(factor, wanted)
    camera, light = scene.camera, scene.light
    if factor.name == "light_elevation":
        return replace(scene, light=replace(light, elevation_degrees=value))
    if factor.name == "light_to_ambient":
        return replace(scene, light=replace(light, ambient=light.diffuse / value))
    if factor.name == "distance":
        return replace(scene, camera=replace(camera, distance_mm=value))
    return replace(scene, camera=replace(camera, field_of_view_degrees=value))


def _option(factor: Factor) -> str:
    return "--" + factor.name.replace("_", "-")


def _out_of_bounds(factor: Factor, given: Range) -> RenderError:
    bounds, unit = BOUNDS[factor.name], f" {factor.plural}" if factor.plural else ""
    order = "<=" if factor in MORE_FACTORS else "<"  # equal, they set what does not vary
    return RenderError(
        f"{_option(factor)} {given.low:g} {given.high:g} is out of bounds; "
        f"give LO {order} HI within {bounds.lowest:g} to {bounds.highest:g}{unit}."
    )
