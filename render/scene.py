"""What a picture is taken of, apart from the face: where from, in which light, and how skin answers light.

Conventions: camera space has +x to the right of the picture, +y up, and looks along -z. Degrees and
millimetres outside; radians only inside the matrices. Every decibel of a result depends on these numbers,
so they are written into each shard.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

GRAY_WEIGHTS = (0.21, 0.72, 0.07)  # Kulkarni et al. 2015; of linear R, G, B, where a sum of light means something


class RenderError(RuntimeError):
    """A picture or a data set cannot be made; the text says what was found, wanted, and what to do."""


@dataclass(frozen=True)
class Camera:
    """A perspective camera that sees the whole head at every pose.

    fill: share of the picture's height that the mean head's bounding sphere takes.
    """

    field_of_view_degrees: float = 20.0
    fill: float = 0.9

    def distance(self, radius: float) -> float:
        """Millimetres from the camera to the centre of a sphere of `radius` that fills its share.

        The sphere's outline is seen at asin(radius / distance), the picture's edge at half the field of view.
        """
        half = np.radians(self.field_of_view_degrees) / 2
        return float(radius / np.sin(np.arctan(self.fill * np.tan(half))))


@dataclass(frozen=True)
class Light:
    """One directional light that stays with the camera, and light from everywhere."""

    elevation_degrees: float = 20.0
    ambient: float = 0.30
    diffuse: float = 1.15


@dataclass(frozen=True)
class Skin:
    """A faint Blinn-Phong highlight on top of Lambert's law, in linear light.

    The exponent is 2 ** shininess_doublings: repeated squaring costs software GL a tenth less than pow.
    """

    specular: float = 0.05
    shininess_doublings: int = 4


@dataclass(frozen=True)
class Scene:
    """All that is the same in every picture of a data set."""

    camera: Camera = Camera()
    light: Light = Light()
    skin: Skin = Skin()

    def as_dict(self) -> dict[str, dict[str, float]]:
        """The scene as JSON-able numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, about: dict[str, dict[str, Any]]) -> Scene:
        """Back from `as_dict`. Raises KeyError or TypeError if it is not one."""
        return cls(Camera(**about["camera"]), Light(**about["light"]), Skin(**about["skin"]))


DEFAULT_SCENE = Scene()


@dataclass(frozen=True)
class HeadFrame:
    """The sphere that the camera aims at: the mean head without its neck, in model space, millimetres."""

    centre: tuple[float, float, float]
    radius: float


def view_matrices(azimuth: Float, elevation: Float, head: HeadFrame, camera: Camera) -> Float:
    """Model space to camera space: turn the head about +y, then raise the camera.

    camera = Rx(elevation) @ Ry(azimuth) @ (model - centre) - (0, 0, distance)

    azimuth, elevation (N,) degrees -> (N, 4, 4)
    """
    a, e = np.radians(np.asarray(azimuth, np.float64)), np.radians(np.asarray(elevation, np.float64))
    views = np.zeros((len(a), 4, 4))
    views[:, 0] = np.stack([np.cos(a), 0 * a, np.sin(a), 0 * a], axis=1)
    views[:, 1] = np.stack([np.sin(e) * np.sin(a), np.cos(e), -np.sin(e) * np.cos(a), 0 * a], axis=1)
    views[:, 2] = np.stack([-np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a), 0 * a], axis=1)
    views[:, :3, 3] = -views[:, :3, :3] @ np.asarray(head.centre)
    views[:, 2, 3] -= camera.distance(head.radius)
    views[:, 3, 3] = 1.0
    return views.astype(np.float32)


def projection_matrix(head: HeadFrame, camera: Camera) -> Float:
    """Camera space to clip space of a square picture. (4, 4)

    The near and far planes leave room for a neck and for heads well beyond the mean.
    """
    distance = camera.distance(head.radius)
    near, far = max(distance - 4 * head.radius, distance / 50), distance + 4 * head.radius
    scale = 1.0 / np.tan(np.radians(camera.field_of_view_degrees) / 2)
    projection = np.zeros((4, 4))
    projection[0, 0] = projection[1, 1] = scale
    projection[2, 2:] = (far + near) / (near - far), 2 * far * near / (near - far)
    projection[3, 2] = -1.0
    return projection.astype(np.float32)


def light_directions(azimuth: Float, light: Light) -> Float:
    """Unit vectors towards the light in camera space, so that the light does not move with the head.

    azimuth (N,) degrees -> (N, 3)
    """
    a, e = np.radians(np.asarray(azimuth, np.float64)), np.radians(light.elevation_degrees)
    return np.stack([np.sin(a) * np.cos(e), np.full_like(a, np.sin(e)), np.cos(a) * np.cos(e)], axis=1).astype(
        np.float32
    )
