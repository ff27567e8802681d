"""The kinds of feature in the tables of the sculpture. Each row says where a feature is, how large and how soft.

A position is `near(landmark, dx, dy, dz)`: millimetres from a landmark of landmarks.py. The tables describe only the
left half; the sculpture mirrors it. Rows are applied in order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import (
    curve,
    ellipsoid,
    ramp,
    segment_distance,
    smooth_carve,
    smooth_union,
    tapered_capsule,
    window,
)

Vector = tuple[float, float, float]
Span = tuple[float, float]
Anchors = Mapping[str, Vector]


@dataclass(frozen=True)
class LandmarkOffset:
    """A point given by its offset from a landmark, mm."""

    landmark: str
    offset: Vector

    def position(self, anchors: Anchors) -> Float64:
        """Return the coordinates (3,)."""
        return np.add(anchors[self.landmark], self.offset)


def near(landmark: str, dx: float = 0, dy: float = 0, dz: float = 0) -> LandmarkOffset:
    """Return the point (dx, dy, dz) millimetres from a landmark."""
    return LandmarkOffset(landmark, (dx, dy, dz))


@dataclass(frozen=True)
class Feature(ABC):
    """One row of a table. No two rows of the head have the same name."""

    name: str

    @abstractmethod
    def apply(self, distance: Float64, points: Float64, anchors: Anchors) -> Float64:
        """Add the feature to a body: its signed distance (N,) at points (N, 3) -> the new distance (N,)."""


@dataclass(frozen=True)
class Ellipsoid(Feature):
    """An ellipsoid, added or carved away, turned about the vertical axis by `turn` degrees."""

    at: LandmarkOffset
    radii: Vector
    blend: float
    turn: float = 0.0
    carve: bool = False

    def apply(self, distance: Float64, points: Float64, anchors: Anchors) -> Float64:
        return (smooth_carve if self.carve else smooth_union)(distance, self.body(points, anchors), self.blend)

    def body(self, points: Float64, anchors: Anchors) -> Float64:
        """Return the distance (N,) to the ellipsoid alone."""
        return ellipsoid(points, self.at.position(anchors), np.array(self.radii, float), self.turn)


@dataclass(frozen=True)
class Capsule(Feature):
    """A rod between two points with a radius at each end, added or carved away."""

    start: LandmarkOffset
    end: LandmarkOffset
    radii: Span
    blend: float
    carve: bool = False

    def apply(self, distance: Float64, points: Float64, anchors: Anchors) -> Float64:
        body = tapered_capsule(points, self.start.position(anchors), self.end.position(anchors), *self.radii)
        return (smooth_carve if self.carve else smooth_union)(distance, body, self.blend)


@dataclass(frozen=True)
class Ridge(Feature):
    """A bent rod of varying radius along one axis ("x" or "y"), such as the bridge of a nose or a lip.

    stations: (along, across, z, radius) from the landmark; across is y for a ridge along x, and x along y.
    The ends are round, at the limits of the span; with `slimness` < 1 it blends from further away.
    """

    at: LandmarkOffset
    along: str
    stations: tuple[tuple[float, float, float, float], ...]
    span: Span
    blend: float = 1.0
    squeeze: float = 1.0
    slimness: float = 0.8

    def apply(self, distance: Float64, points: Float64, anchors: Anchors) -> Float64:
        return smooth_union(distance, self.body(points, anchors), self.blend)

    def body(self, points: Float64, anchors: Anchors) -> Float64:
        """Return the distance (N,) to the ridge alone."""
        local = points - self.at.position(anchors)
        t, across = (local[:, 0], local[:, 1]) if self.along == "x" else (local[:, 1], local[:, 0])
        centre, depth, radius = (
            curve([(station[0], station[column]) for station in self.stations])(t) for column in (1, 2, 3)
        )
        round_section = np.hypot((across - centre) * self.squeeze, local[:, 2] - depth) - radius
        body = self.slimness * round_section
        beyond = np.maximum(np.maximum(self.span[0] - t, t - self.span[1]), 0)
        return np.asarray(np.hypot(np.maximum(body, 0), beyond) + np.minimum(body, 0))


@dataclass(frozen=True)
class RidgePair(Feature):
    """Two ridges that meet in a sharp line, added as one body: the lips. The ridges' own blends are not used."""

    parts: tuple[Ridge, Ridge]
    inner_blend: float
    blend: float

    def apply(self, distance: Float64, points: Float64, anchors: Anchors) -> Float64:
        first, second = (part.body(points, anchors) for part in self.parts)
        return smooth_union(distance, smooth_union(first, second, self.inner_blend), self.blend)


@dataclass(frozen=True)
class Groove(Feature):
    """A furrow (depth > 0) or a welt (depth < 0) along a segment, which fades in and out along it.

    It displaces the surface, distance += depth * exp(-(d / width)^2), because carving with thin rods leaves holes.
    """

    start: LandmarkOffset
    end: LandmarkOffset
    width: float
    depth: float
    fade_in: Span = (-2, -1)
    fade_out: Span = (2, 3)

    def apply(self, distance: Float64, points: Float64, anchors: Anchors) -> Float64:
        away, along = segment_distance(points, self.start.position(anchors), self.end.position(anchors))
        strength = window(along, self.fade_in, self.fade_out)
        return distance + self.depth * np.exp(-((away / self.width) ** 2)) * strength


@dataclass(frozen=True)
class Crease(Feature):
    """A furrow (depth > 0) or a welt (depth < 0) along a curve seen from the front.

    stations: (x, y) from the landmark. The crease exists between the ramps of `across`, mm of x from the landmark, and
    in front of the ramp `front`, mm of z.
    """

    at: LandmarkOffset
    stations: tuple[Span, ...]
    width: float
    depth: float
    across: tuple[Span, Span]
    front: Span

    def apply(self, distance: Float64, points: Float64, anchors: Anchors) -> Float64:
        x, y, z = (points - self.at.position(anchors)).T
        away = y - curve(self.stations)(x)
        strength = window(x, *self.across) * ramp(z, *self.front)
        return np.asarray(distance + self.depth * np.exp(-((away / self.width) ** 2)) * strength)
