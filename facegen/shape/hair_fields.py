"""Semantic shape fields of hair: where it begins, as displacements (V, 3) in mm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import ramp
from dcign.facegen.shape.geometry import Geometry


def hairline(g: Geometry) -> Float64:
    """A high forehead: the hairline moves up, the skull does not."""
    rise = 3.6 * np.exp(-((g.regions.inside_hair / 26) ** 2)) * ramp(g.z, 20, 70)
    upwards = np.array([0, 1, 0]) - g.regions.normals[:, 1:2] * g.regions.normals
    return rise[:, None] * upwards


def receding_temples(g: Geometry) -> Float64:
    """The hairline falls back beside the forehead, not in its middle."""
    corner = np.exp(-(((g.away - 44) / 16) ** 2) - ((g.regions.inside_hair / 20) ** 2)) * ramp(g.z, 0, 50)
    back = np.array([0, 0.7, -0.7])
    backwards = back - (g.regions.normals @ back)[:, None] * g.regions.normals
    return np.asarray(4.0 * corner[:, None] * backwards)


HAIR_FIELDS: tuple[Callable[[Geometry], Float64], ...] = (hairline, receding_temples)
