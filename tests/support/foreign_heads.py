"""Heads that dcign did not make, as photographs of them would come: stock pyrender, any framing, any background.

An egg with a nose and two blue eyes, made of trimesh's primitives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import trimesh

from benchmarks.render.stock_pyrender import stock_renderer
from dcign.arrays import Float64, UInt8

if TYPE_CHECKING:
    import pyrender

SIZE = 200  # px
EYES = np.array([[-32.0, 5, 88], [32, 5, 88]])  # mm, the subject's right one first: left in a picture
SKIN, BLUE = (0.8, 0.6, 0.5, 1.0), (0.0, 0.0, 1.0, 1.0)
VIEW = np.radians(20.0)


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture (SIZE, SIZE, 3), the head's azimuth in degrees, and its eyes X Y X Y in pixels."""

    picture: UInt8
    azimuth: float
    eyes: tuple[float, ...]


def shots(count: int, rng: np.random.Generator) -> list[Shot]:
    """Draw pictures of the head at random azimuths, distances, places, rolls and backgrounds."""
    with stock_renderer(SIZE) as renderer:
        return [_shot(renderer, rng) for _ in range(count)]


def _shot(renderer: pyrender.OffscreenRenderer, rng: np.random.Generator) -> Shot:
    import pyrender  # after `stock_renderer` has chosen EGL: without X11 it cannot be imported otherwise

    azimuth, roll = rng.uniform(-25, 25), rng.uniform(-20, 20)
    place = np.array([*rng.uniform(-25, 25, 2), -rng.uniform(800, 1300)])
    turned = _rotation(roll, (0, 0, 1)) @ _rotation(azimuth, (0, 1, 0))
    pose = trimesh.transformations.translation_matrix(place) @ turned
    scene = pyrender.Scene(ambient_light=(0.4, 0.4, 0.4), bg_color=(*rng.uniform(0, 1, 3), 1.0))
    for mesh, colour in _parts():
        material = pyrender.MetallicRoughnessMaterial(baseColorFactor=colour, metallicFactor=0.0)
        scene.add(pyrender.Mesh.from_trimesh(mesh, material=material, smooth=True), pose=pose)
    scene.add(pyrender.PerspectiveCamera(yfov=VIEW), pose=np.eye(4))
    scene.add(pyrender.DirectionalLight(intensity=3.0), pose=np.eye(4))
    eyes = np.concatenate([EYES, np.ones((2, 1))], axis=1) @ pose.T
    pixels = SIZE / 2 * (1 + eyes[:, :2] * (1, -1) / (-eyes[:, 2:3] * np.tan(VIEW / 2)))
    return Shot(renderer.render(scene)[0], azimuth, tuple(pixels.ravel()))


def _parts() -> list[tuple[trimesh.Trimesh, tuple[float, ...]]]:
    egg = trimesh.creation.icosphere(subdivisions=3)
    egg.apply_scale((75.0, 115.0, 97.0))
    nose = trimesh.creation.icosphere(subdivisions=2, radius=14)
    nose.apply_translation((0, -25, 97))
    eyes = [trimesh.creation.icosphere(subdivisions=2, radius=9) for _ in EYES]
    for eye, place in zip(eyes, EYES, strict=True):
        eye.apply_translation(place)
    return [(egg, SKIN), (nose, SKIN), *((eye, BLUE) for eye in eyes)]


def _rotation(degrees: float, axis: tuple[int, int, int]) -> Float64:
    matrix: Float64 = trimesh.transformations.rotation_matrix(np.radians(degrees), axis)
    return matrix
