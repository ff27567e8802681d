"""Camera, light and the reflection of skin: what all pictures share besides the face, and the matrices that follow.

Conventions: camera space has +x to the right of the picture, +y up, and looks along -z. Interfaces use degrees and
millimetres; only the matrices use radians. Every result depends on these numbers, so each shard holds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from dcign.arrays import Float32, Float64, Floating
from dcign.errors import RenderError

GLOSS_ROWS = 16  # of the table in shaders/face.vert
# A number in JSON. The bounds refuse NaN and infinities. An integer stays one: the configuration's hash depends on it.
Number = Annotated[int, Meta(ge=-(10**9), le=10**9)] | Annotated[float, Meta(ge=-1e9, le=1e9)]


def without_unset(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a dictionary without values that are None or (): the defaults of fields that later versions added.

    A configuration that does not use such fields keeps its JSON and its hash.
    """
    return {name: value for name, value in pairs if value is not None and value != ()}


@dataclass(frozen=True)
class Camera:
    """A perspective camera that sees the whole head at every pose.

    fill: share of the picture's height that the mean head's bounding sphere fills; distance_mm: from the camera to the
    sphere's centre; replaces the distance that follows from `fill`.
    """

    field_of_view_degrees: Number = 20.0
    fill: Number = 0.9
    distance_mm: Number | None = None

    def __post_init__(self) -> None:
        if not (0 < self.field_of_view_degrees < 180 and self.fill > 0):
            raise RenderError(
                "expected a field of view between 0 and 180 degrees and a fill above 0, found "
                f"{self.field_of_view_degrees:g} and {self.fill:g}: correct the configuration."
            )
        if self.distance_mm is not None and not self.distance_mm > 0:
            raise RenderError(
                f"expected a camera distance above 0 mm, found {self.distance_mm:g}: correct the configuration."
            )

    def distance(self, radius: float) -> float:
        """Return the distance in mm from the camera to the centre of a head's sphere of `radius`."""
        return float(self.distances(radius, np.array(self.field_of_view_degrees)))

    def distances(self, radius: float, field_of_view: Floating) -> Float64:
        """Return the same for any field of view in degrees: () or (N,) -> the same shape.

        The sphere's outline is at the angle asin(radius / distance), the picture's edge at half the field of view.
        """
        if self.distance_mm is not None:
            return np.full(field_of_view.shape, self.distance_mm)
        half = np.radians(field_of_view.astype(np.float64)) / 2
        return np.asarray(radius / np.sin(np.arctan(self.fill * np.tan(half))))


@dataclass(frozen=True)
class Light:
    """One directional light that stays with the camera, and ambient light.

    fill: how much more ambient light comes from the side of the directional light than from the other; shadows: whether
    the face shades itself.
    """

    elevation_degrees: Number = 20.0
    ambient: Number = 0.30
    diffuse: Number = 1.15
    fill: Number = 0.2
    shadows: bool = True


@dataclass(frozen=True)
class Skin:
    """Subsurface scattering: light leaves skin beside where it entered, red farther away, so the terminator is soft.

    The light on a normal at cosine n.l is max(n.l, 0) averaged over n.l +- scatter (formula: shaders/shade.frag).
    """

    scatter_red: Number = 0.36
    scatter_green_blue: Number = 0.14


@dataclass(frozen=True)
class Gloss:
    """Specular highlights of one part of the head, in linear light: Blinn-Phong with exponents 16 and 128.

    broad, sharp: strengths of the two; strands: the part is hair, with a highlight in a band across the strands.
    """

    part: str
    broad: Number
    sharp: Number
    strands: bool = False


# Parts without a row use the first. Chosen by eye: skin reflects 3 to 4 % and is rough; lips, nostrils and eyelids are
# wetter; an eye is a wet ball with one sharp highlight.
GLOSS = (
    Gloss("skin", 0.040, 0.010),
    Gloss("neck", 0.030, 0.000),
    Gloss("ear", 0.040, 0.010),
    Gloss("lip", 0.060, 0.060),
    Gloss("nostril", 0.020, 0.000),
    Gloss("brow", 0.020, 0.000),
    Gloss("hair", 0.012, 0.016, strands=True),
    Gloss("sclera", 0.050, 0.500),
    Gloss("iris", 0.020, 0.900),
)


@dataclass(frozen=True)
class Scene:
    """Camera, light and materials of every picture of a data set."""

    camera: Camera = Camera()
    light: Light = Light()
    skin: Skin = Skin()
    gloss: tuple[Gloss, ...] = GLOSS

    def __post_init__(self) -> None:
        if not 1 <= len(self.gloss) <= GLOSS_ROWS:
            raise RenderError(f"expected 1 to {GLOSS_ROWS} rows of gloss, found {len(self.gloss)}: merge some.")


DEFAULT_SCENE = Scene()

SHADOW_REACH = 1.25  # radii of the head from its centre: nearly all that the camera sees
# Millimetres by which a point moves towards the light before its shadow lookup: at n.l = 1, and how much more at 0.
SHADOW_BIAS = (1.0, 3.0)
# A fine map allows less, and needs less: more would let red light into the fold under the jaw.
FINE_SHADOW_BIAS = (0.4, 1.6)


@dataclass(frozen=True)
class HeadFrame:
    """The sphere that the camera aims at: the mean head without its neck, in model space, millimetres."""

    centre: tuple[float, float, float]
    radius: float


def view_matrices(azimuth: Floating, elevation: Floating, head: HeadFrame, distance: float | Float64) -> Float32:
    """Return model space to camera space: turn the head about +y, then raise the camera.

    camera = Rx(elevation) @ Ry(azimuth) @ (model - centre) - (0, 0, distance)

    azimuth, elevation (N,) degrees, distance () or (N,) mm -> (N, 4, 4)
    """
    a, e = np.radians(np.asarray(azimuth, np.float64)), np.radians(np.asarray(elevation, np.float64))
    views = np.zeros((len(a), 4, 4))
    views[:, 0] = np.stack([np.cos(a), 0 * a, np.sin(a), 0 * a], axis=1)
    views[:, 1] = np.stack([np.sin(e) * np.sin(a), np.cos(e), -np.sin(e) * np.cos(a), 0 * a], axis=1)
    views[:, 2] = np.stack([-np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a), 0 * a], axis=1)
    views[:, :3, 3] = -views[:, :3, :3] @ np.asarray(head.centre)
    views[:, 2, 3] -= distance
    views[:, 3, 3] = 1.0
    return views.astype(np.float32)


def projection_matrices(distance: Float64, field_of_view: Floating, head: HeadFrame) -> Float32:
    """Return camera space to clip space of a square picture.

    The near and far planes leave room for a neck and for heads much larger than the mean.

    distance (N,) mm, field_of_view (N,) degrees -> (N, 4, 4)
    """
    near, far = np.maximum(distance - 4 * head.radius, distance / 50), distance + 4 * head.radius
    scale = 1.0 / np.tan(np.radians(field_of_view.astype(np.float64)) / 2)
    projections = np.zeros((len(distance), 4, 4))
    projections[:, 0, 0] = projections[:, 1, 1] = scale
    projections[:, 2, 2], projections[:, 2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
    projections[:, 3, 2] = -1.0
    return projections.astype(np.float32)


def light_directions(azimuth: Floating, elevation: float | Floating) -> Float32:
    """Return unit vectors towards the light in camera space, so that the light does not move with the head.

    azimuth (N,), elevation () or (N,), degrees -> (N, 3)
    """
    a, e = np.broadcast_arrays(np.radians(np.asarray(azimuth, np.float64)), np.radians(np.asarray(elevation, float)))
    return np.stack([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)], axis=1).astype(np.float32)


def shadow_matrices(views: Floating, lights: Floating, head: HeadFrame, distance: float | Float64) -> Float64:
    """Return model space to the space of each picture's shadow map: the cube -1..1 about the head, along the light.

    (right, up, away from the light) @ (camera + (0, 0, distance)) / (reach * radius)

    views (N, 4, 4), lights (N, 3), distance () or (N,) mm -> (N, 4, 4) float64
    """
    away = -np.asarray(lights, np.float64)
    right = np.cross(away, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    axes = np.stack([right, np.cross(right, away), away], axis=1) / (SHADOW_REACH * head.radius)
    matrices = np.zeros((len(away), 4, 4))
    matrices[:, :3] = axes @ np.asarray(views[:, :3], np.float64)
    matrices[:, :3, 3] += np.reshape(distance, (-1, 1)) * axes[:, :, 2]
    matrices[:, 3, 3] = 1.0
    return matrices
