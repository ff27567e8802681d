"""Texture coordinates of head and hair, and the triangle that each texel shows.

The head has an azimuthal map around an axis above the forehead; the antipode is under the neck, so that no seam is
visible. Rings and sectors are spaced so that the face gets most texels: it is upright in the lower half of the map. The
hair's surface has a strip on the right, with locks running across it.
"""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float64, Int64, Integer
from dcign.facegen.primitives import curve

AXIS_TILT = 18.0  # degrees from straight up towards the face
# Angle from the axis, degrees -> radius in the map; the face lies between 40 and 120 degrees.
_RINGS = curve(
    ((0, 0.0), (20, 0.09), (40, 0.22), (60, 0.38), (80, 0.54), (100, 0.69), (120, 0.795), (140, 0.89), (155, 0.955),
     (180, 1.0))
)  # fmt: skip
_SECTORS = 0.32  # how much denser sectors are in front
_DISC = (0.435, 0.5, 0.43, 0.495)  # centre and radii of the map, in u and v
_STRIP = (0.89, 0.10, 0.01, 0.98)  # hair: u = first + second * along, v = third + fourth * side
_WIDEST_TRIANGLE = 0.2  # of the map: a wider one contains the antipode


def head_uv(directions: Float64) -> Float64:
    """Return texture coordinates (S, 2), v up, of the skin along directions (S, 3) from the mesh's centre."""
    tilt = np.radians(AXIS_TILT)
    x, y, z = directions.T
    up, ahead = y * np.cos(tilt) + z * np.sin(tilt), z * np.cos(tilt) - y * np.sin(tilt)
    angle = np.degrees(np.arctan2(np.hypot(x, ahead), up))
    around = np.arctan2(x, ahead)
    around = around + _SECTORS * np.sin(around)
    radius = _RINGS(angle)
    return np.stack([_DISC[0] + _DISC[2] * radius * np.sin(around), _DISC[1] - _DISC[3] * radius * np.cos(around)], 1)


def hair_uv(strand: Float64) -> Float64:
    """Return texture coordinates (S, 2) of points on the hair: strand (S, 2), side and along."""
    return np.stack([_STRIP[0] + _STRIP[1] * strand[:, 1], _STRIP[2] + _STRIP[3] * strand[:, 0]], 1)


def strand_at(uv: Float64) -> Float64:
    """Return the strand coordinates (S, 2) at texture coordinates; NaN outside the hair's strip."""
    along, side = (uv[:, 0] - _STRIP[0]) / _STRIP[1], (uv[:, 1] - _STRIP[2]) / _STRIP[3]
    margin = (along > -0.15) & (along < 1.1)
    strand = np.stack([np.clip(side, 0, 1), np.clip(along, 0, 1)], 1)
    return np.where(margin[:, None], strand, np.nan)


def texel_uv(size: int) -> Float64:
    """Return texture coordinates (size * size, 2) of the texels' centres, row 0 on top."""
    row, column = np.divmod(np.arange(size * size), size)
    return np.stack([(column + 0.5) / size, 1 - (row + 0.5) / size], 1)


def rasterise(uv: Float64, triangles: Integer, size: int) -> tuple[Int64, Float64]:
    """Return the triangle (size * size,) at each texel, -1 for none, and its barycentric weights (size * size, 3)."""
    corners = (uv * (1, -1) + (0, 1))[triangles] * size - 0.5  # in texels, (column, row)
    low = np.ceil(corners.min(1)).astype(np.int64)
    extent = np.floor(corners.max(1)).astype(np.int64) - low + 1
    kept = np.flatnonzero((extent > 0).all(1) & (extent < _WIDEST_TRIANGLE * size).all(1))
    low, extent, corners = low[kept], extent[kept], corners[kept]
    # Every texel of every bounding box, in one long list.
    count = extent.prod(1)
    box = np.repeat(np.arange(len(kept)), count)
    step = np.arange(len(box)) - np.repeat(np.cumsum(count) - count, count)
    texel = low[box] + np.stack([step % extent[box, 0], step // extent[box, 0]], 1)
    origin, along, across = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    dx, dy = (texel - origin[box]).T
    second = (dx * across[box, 1] - dy * across[box, 0]) / area[box]
    third = (dy * along[box, 0] - dx * along[box, 1]) / area[box]
    weights = np.stack([1 - second - third, second, third], 1)
    inside = (weights.min(1) >= -1e-9) & (texel >= 0).all(1) & (texel < size).all(1)
    number = texel[inside, 1] * size + texel[inside, 0]
    shown = np.full(size * size, -1, np.int64)
    shown[number] = kept[box[inside]]
    where = np.zeros((size * size, 3))
    where[number] = weights[inside]
    return shown, where
