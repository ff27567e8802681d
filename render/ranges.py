"""What a factor or nuisance may be, and the range of it that a data set samples. Units are `data.schema.Factor`'s."""

from __future__ import annotations

from dataclasses import dataclass

from data.schema import Factor
from render.scene import RenderError


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, of which a factor or nuisance is drawn uniformly."""

    low: float
    high: float


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
    option, bounds = "--" + factor.name.replace("_", "-"), BOUNDS[factor.name]
    if not bounds.lowest <= given.low < given.high <= bounds.highest:
        unit = {"degree": " degrees", "millimetre": " mm"}.get(factor.units, "")
        raise RenderError(
            f"{option} {given.low:g} {given.high:g} is out of bounds; "
            f"give LO < HI within {bounds.lowest:g} to {bounds.highest:g}{unit}."
        )
