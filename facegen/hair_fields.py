"""Semantic shape fields of hair: where it begins and how far it stands out, as displacements (V, 3) in mm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from facegen.fields import soft_side
from facegen.geometry import Geometry
from facegen.primitives import Array, ramp, window


def hairline(g: Geometry) -> Array:
    """A high forehead: the hairline moves up, the skull does not."""
    rise = 5.0 * np.exp(-((g.regions.inside_hair / 26) ** 2)) * ramp(g.z, 20, 70)
    upwards = np.array([0, 1, 0]) - g.regions.normals[:, 1:2] * g.regions.normals
    return rise[:, None] * upwards


def receding_temples(g: Geometry) -> Array:
    """The hairline falls back beside the forehead, not in its middle."""
    corner = np.exp(-(((g.away - 44) / 16) ** 2) - ((g.regions.inside_hair / 20) ** 2)) * ramp(g.z, 0, 50)
    back = np.array([0, 0.7, -0.7])
    backwards = back - (g.regions.normals @ back)[:, None] * g.regions.normals
    return np.asarray(4.0 * corner[:, None] * backwards)


def hair_volume(g: Geometry) -> Array:
    """Thick hair all over."""
    return 2.2 * g.regions.hair_volume[:, None] * g.regions.normals


def hair_top(g: Geometry) -> Array:
    """Hair that stands high on top."""
    return 4.0 * (g.regions.hair_volume * ramp(g.y, 50, 110))[:, None] * g.regions.normals


def hair_sides(g: Geometry) -> Array:
    """Hair that stands out above the ears."""
    side = g.regions.hair_volume * ramp(g.away, 35, 65) * ramp(g.y, -25, 25)
    return g.move(out=3.0 * soft_side(g.vertices, 16) * side, forward=1.0 * side)


def quiff(g: Geometry) -> Array:
    """Hair that stands up over the forehead."""
    front = g.regions.hair_volume * ramp(g.z, 20, 70) * ramp(g.y, 55, 85)
    return g.move(up=3.0 * front, forward=2.5 * front)


def long_hair(g: Geometry) -> Array:
    """Hair that stands out behind the ears and the neck."""
    azimuth = np.degrees(np.arctan2(g.away, g.z))
    # Wide ramps: a short one gives a fin behind each ear.
    hanging = ramp(azimuth, 98, 140) * window(-g.y, (-10, 60), (55, 100)) * ramp(g.regions.inside_hair, 0, 24)
    radial = np.stack([g.x, 0 * g.x, g.z + 10], 1) / np.hypot(g.x, g.z + 10)[:, None]
    return np.asarray(3.2 * hanging[:, None] * radial)


HAIR_FIELDS: tuple[Callable[[Geometry], Array], ...] = (
    hairline, receding_temples, hair_volume, hair_top, hair_sides, quiff, long_hair,
)  # fmt: skip
