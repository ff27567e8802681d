"""Freckles, age spots and moles: small round spots on the skin. Each has a rank: spots of high rank appear first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from dcign.arrays import Float64, Integer
from dcign.facegen.primitives import bump, ramp
from dcign.facegen.sculpture.features import near
from dcign.facegen.sculpture.landmarks import LANDMARKS


@dataclass(frozen=True, eq=False)
class Spots:
    """centres (n, 3) mm; radii (n,) mm; ranks (n,), 1 for the first to appear, 0 for the last."""

    centres: Float64
    radii: Float64
    ranks: Float64

    def mask(self, points: Float64, footprint: Float64) -> Float64:
        """Return the rank (S,) of the spot at each point, 0 beyond its rim. Spots finer than the sites are fainter."""
        found_away, found_nearest = cKDTree(self.centres).query(points, distance_upper_bound=4 * self.radii.max())
        away, nearest = np.asarray(found_away), np.asarray(found_nearest)
        found = np.isfinite(away)
        radius = self.radii[nearest[found]]
        blurred = np.hypot(radius, 0.5 * footprint[found])
        mask = np.zeros(len(points))
        mask[found] = self.ranks[nearest[found]] * (radius / blurred) ** 2 * np.exp(-((away[found] / blurred) ** 4))
        return mask


def scatter_spots(
    vertices: Float64,
    triangles: Integer,
    count: int,
    where: Callable[[Float64], Float64],
    radii: tuple[float, float],
    rng: np.random.Generator,
) -> Spots:
    """Scatter spots over a mesh with the density `where` (n, 3) -> (n,). Most are small."""
    corners = vertices[triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    weights = areas * where(corners.mean(1))
    chosen = rng.choice(len(triangles), count, p=weights / weights.sum())
    u, v = rng.uniform(size=(2, count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    centres = (corners[chosen] * np.stack([1 - u - v, u, v], 1)).sum(1)
    sizes = radii[0] + (radii[1] - radii[0]) * rng.beta(1.2, 3.0, count)
    return Spots(centres, sizes, rng.uniform(0.15, 1, count))


def on_cheeks_and_nose(points: Float64) -> Float64:
    """Density of freckles: on the nose and the cheek bones, a few on the forehead."""
    half = _half(points)
    cheeks = bump(half, near("malare", -4, 4).position(LANDMARKS), (26, 20, 40))
    nose = bump(half, LANDMARKS["rhinion"], (14, 20, 30))
    forehead = 0.25 * bump(half, (0, 50, 90), (50, 28, 60))
    return np.asarray((cheeks + nose + forehead + 0.06) * anywhere(points))


def on_sunny_skin(points: Float64) -> Float64:
    """Density of age spots: on temples, cheeks, forehead and scalp."""
    half = _half(points)
    temple = bump(half, near("frontotemporale", 8, -14, -8).position(LANDMARKS), (22, 38, 40))
    scalp = 0.5 * ramp(points[:, 1], 55, 85)
    return np.asarray((temple + scalp + 0.12) * anywhere(points))


def anywhere(points: Float64) -> Float64:
    """Density of moles: 1 on face, scalp and neck; 0 in the eyes and on the lips."""
    half = _half(points)
    eyes = bump(half, LANDMARKS["pupil"], (19, 10, 20))
    lips = bump(half, LANDMARKS["stomion"], (30, 13, 30))
    return np.asarray(np.clip(1 - 2.5 * (eyes + lips), 0, 1))


def _half(points: Float64) -> Float64:
    return np.abs(points) * (1, 0, 0) + points * (0, 1, 1)
