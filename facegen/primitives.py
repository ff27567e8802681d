"""Signed distances, blends and ramps of which the sculpture consists.

A signed distance is negative inside, positive outside, in millimetres. Points are (N, 3), distances (N,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator

from dcign.arrays import Float64

Curve = Callable[[Float64], Float64]
SignedDistance = Callable[[Float64], Float64]  # points (N, 3) -> distances (N,), mm


def ellipsoid(points: Float64, centre: Float64, radii: Float64, turn: float = 0.0) -> Float64:
    """Return the distance to an ellipsoid, exact near its surface; it is turned by `turn` degrees about +y."""
    local = points - centre
    if turn:
        local = local @ rotation_about_y(turn)
    scaled = local / radii
    inside = _length(scaled)
    slope = _length(scaled / radii) + 1e-9
    return np.asarray(inside * (inside - 1) / slope)


def tapered_capsule(points: Float64, start: Float64, end: Float64, radius_start: float, radius_end: float) -> Float64:
    """Return the distance to a rod between two points whose radius changes linearly."""
    distance, along = segment_distance(points, start, end)
    return np.asarray(distance - (radius_start + (radius_end - radius_start) * along))


def segment_distance(points: Float64, start: Float64, end: Float64) -> tuple[Float64, Float64]:
    """Return the distance (N,) to a segment, and the position (N,), 0..1, of the nearest point along it."""
    axis = end - start
    offset = points - start
    along = np.clip((offset @ axis) / (axis @ axis), 0, 1)
    return _length(offset - along[:, None] * axis), along


def smooth_union(first: Float64, second: Float64, blend: float) -> Float64:
    """Unite two bodies, with a fillet that starts where the two distances differ by `blend`, mm."""
    # The cubic smooth minimum of I. Quilez: at most blend / 6 below the sharp one.
    closeness = np.maximum(blend - np.abs(first - second), 0) / blend
    return np.asarray(np.minimum(first, second) - closeness**3 * blend / 6)


def smooth_maximum(first: Float64, second: Float64, blend: float) -> Float64:
    """Intersect two bodies; the edge is rounded where the two distances differ by less than `blend`, mm."""
    return -smooth_union(-first, -second, blend)


def smooth_carve(body: Float64, tool: Float64, blend: float) -> Float64:
    """Subtract the tool from the body; the edge is rounded."""
    return -smooth_union(-body, tool, blend)


def rotation_about_y(degrees: float) -> Float64:
    """Return a matrix whose columns are the axes of a body turned about +y; positive turns its front towards +x."""
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def curve(stations: Sequence[tuple[float, float]]) -> Curve:
    """Return a smooth curve through (t, value) stations that never overshoots; it is constant beyond its ends."""
    return _curve(tuple(stations))


@lru_cache
def _curve(stations: tuple[tuple[float, float], ...]) -> Curve:
    t, values = np.array(stations, float).T
    interpolate = PchipInterpolator(t, values)
    return lambda at: np.asarray(interpolate(np.clip(at, t[0], t[-1])))


def ramp(t: Float64, low: float, high: float) -> Float64:
    """Return 0 below low, 1 above high, smooth between them."""
    u = np.clip((t - low) / (high - low), 0, 1)
    return np.asarray(u * u * (3 - 2 * u))


def window(t: Float64, rise: tuple[float, float], fall: tuple[float, float]) -> Float64:
    """Return 1 between the ramps `rise` and `fall`, and 0 outside them."""
    return ramp(t, *rise) * (1 - ramp(t, *fall))


def step(t: Float64, width: float) -> Float64:
    """Return a soft step at t = 0, from 0 below to 1 above; the transition is about four times `width` wide."""
    return np.asarray(1 / (1 + np.exp(-np.clip(t / width, -40, 40))))


def bump(points: Float64, centre: Sequence[float] | Float64, radii: Sequence[float]) -> Float64:
    """Return a Gaussian of height 1: exp(-|(point - centre) / radii|^2)."""
    scaled = (points - np.asarray(centre, float)) / np.asarray(radii, float)
    return np.asarray(np.exp(-(scaled**2).sum(1)))


def _length(vectors: Float64) -> Float64:
    # A sum over an axis of three is slow; einsum is not.
    return np.asarray(np.sqrt(np.einsum("nc,nc->n", vectors, vectors)))
