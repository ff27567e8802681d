"""What a picture is taken of, apart from the face: where from, in which light, and how skin answers light.

Conventions: camera space has +x to the right of the picture, +y up, and looks along -z. Degrees and
millimetres outside; radians only inside the matrices. Every decibel of a result depends on these numbers,
so they are written into each shard.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from dcign.arrays import Float32, Float64
from dcign.errors import RenderError

GLOSS_ROWS = 16  # of the table in shaders/face.vert
# A number in JSON. The bounds refuse NaN and infinities. An integer stays one: the configuration's hash depends on it.
Number = Annotated[int, Meta(ge=-(10**9), le=10**9)] | Annotated[float, Meta(ge=-1e9, le=1e9)]


def without_unset(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary without what is None or (): fields that came later mean by these that all is as it was before.

    So what does not use them is written, and hashed, as it always was.
    """
    return {name: value for name, value in pairs if value is not None and value != ()}


@dataclass(frozen=True)
class Camera:
    """A perspective camera that sees the whole head at every pose.

    fill: share of the picture's height that the mean head's bounding sphere takes; distance_mm: from the camera to
    the sphere's centre, in place of the distance at which it fills its share.
    """

    field_of_view_degrees: Number = 20.0
    fill: Number = 0.9
    distance_mm: Number | None = None

    def __post_init__(self) -> None:
        if not (0 < self.field_of_view_degrees < 180 and self.fill > 0):
            raise RenderError(
                f"a field of view of {self.field_of_view_degrees:g} degrees, of which the head is to fill "
                f"{self.fill:g}, shows nothing; wanted more than 0 and less than 180 degrees: mend the configuration."
            )
        if self.distance_mm is not None and not self.distance_mm > 0:
            raise RenderError(f"a camera at {self.distance_mm:g} mm sees nothing; wanted more: mend the configuration.")

    def distance(self, radius: float) -> float:
        """Millimetres from the camera to the centre of a head's sphere of `radius`."""
        return float(self.distances(radius, np.array(self.field_of_view_degrees)))

    def distances(self, radius: float, field_of_view: NDArray[np.floating[Any]]) -> Float64:
        """The same through lenses of any field of view, degrees: () or (N,) -> the same shape.

        The sphere's outline is seen at asin(radius / distance), the picture's edge at half the field of view.
        """
        if self.distance_mm is not None:
            return np.full(field_of_view.shape, self.distance_mm)
        half = np.radians(field_of_view.astype(np.float64)) / 2
        return np.asarray(radius / np.sin(np.arctan(self.fill * np.tan(half))))


@dataclass(frozen=True)
class Light:
    """One directional light that stays with the camera, and light from everywhere.

    fill: how much more of the light from everywhere comes from the side of the directional light than from the other.
    shadows: whether the face shades itself.
    """

    elevation_degrees: Number = 20.0
    ambient: Number = 0.30
    diffuse: Number = 1.15
    fill: Number = 0.2
    shadows: bool = True


@dataclass(frozen=True)
class Skin:
    """Light leaves skin beside where it came in, red farther away than green and blue: a soft, warm terminator.

    What falls on a normal at cosine n.l is max(n.l, 0) averaged over n.l +- scatter (the formula: shaders/shade.frag).
    """

    scatter_red: Number = 0.36
    scatter_green_blue: Number = 0.14


@dataclass(frozen=True)
class Gloss:
    """How one part of the head shines, in linear light: Blinn and Phong's highlight with exponents 16 and 128.

    broad, sharp: strengths of the two. strands: the part is hair, and shines in a band across the strands.
    """

    part: str
    broad: Number
    sharp: Number
    strands: bool = False


# The first row serves every part that has none. Chosen by eye: skin reflects 3 to 4 % and is rough, lips, nostrils and
# the skin of the lids are wetter, an eye is a wet ball with one sharp highlight.
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
    """All that is the same in every picture of a data set."""

    camera: Camera = Camera()
    light: Light = Light()
    skin: Skin = Skin()
    gloss: tuple[Gloss, ...] = GLOSS

    def __post_init__(self) -> None:
        if not 1 <= len(self.gloss) <= GLOSS_ROWS:
            raise RenderError(f"{len(self.gloss)} rows of gloss given; give 1 to {GLOSS_ROWS}.")


DEFAULT_SCENE = Scene()

SHADOW_REACH = 1.25  # radii of the head from its centre: nearly all that the camera sees
# Millimetres towards the light, from where it is asked whether light gets there: at n.l = 1, and how much more at 0.
SHADOW_BIAS = (1.0, 3.0)
# Where the map is fine it can be less, and must: in the fold under the jaw it lets light in, and that is red.
FINE_SHADOW_BIAS = (0.4, 1.6)


@dataclass(frozen=True)
class HeadFrame:
    """The sphere that the camera aims at: the mean head without its neck, in model space, millimetres."""

    centre: tuple[float, float, float]
    radius: float


def view_matrices(
    azimuth: NDArray[np.floating[Any]],
    elevation: NDArray[np.floating[Any]],
    head: HeadFrame,
    distance: float | Float64,
) -> Float32:
    """Model space to camera space: turn the head about +y, then raise the camera.

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


def projection_matrices(distance: Float64, field_of_view: NDArray[np.floating[Any]], head: HeadFrame) -> Float32:
    """Camera space to clip space of a square picture.

    The near and far planes leave room for a neck and for heads well beyond the mean.

    distance (N,) mm, field_of_view (N,) degrees -> (N, 4, 4)
    """
    near, far = np.maximum(distance - 4 * head.radius, distance / 50), distance + 4 * head.radius
    scale = 1.0 / np.tan(np.radians(field_of_view.astype(np.float64)) / 2)
    projections = np.zeros((len(distance), 4, 4))
    projections[:, 0, 0] = projections[:, 1, 1] = scale
    projections[:, 2, 2], projections[:, 2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
    projections[:, 3, 2] = -1.0
    return projections.astype(np.float32)


def light_directions(azimuth: NDArray[np.floating[Any]], elevation: float | NDArray[np.floating[Any]]) -> Float32:
    """Unit vectors towards the light in camera space, so that the light does not move with the head.

    azimuth (N,), elevation () or (N,), degrees -> (N, 3)
    """
    a, e = np.broadcast_arrays(np.radians(np.asarray(azimuth, np.float64)), np.radians(np.asarray(elevation, float)))
    return np.stack([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)], axis=1).astype(np.float32)


def shadow_matrices(
    views: NDArray[np.floating[Any]],
    lights: NDArray[np.floating[Any]],
    head: HeadFrame,
    distance: float | Float64,
) -> Float64:
    """Model space to the space of each picture's shadow map: a cube of -1..1 along the light, about the head.

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
