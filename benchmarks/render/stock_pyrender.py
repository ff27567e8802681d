"""The usual way: pyrender's OffscreenRenderer, one image per call, with its own 4x MSAA. Tests compare with it, too."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.render.workload import Workload
from dcign.arrays import Float32, Float64, Int32, UInt8
from dcign.data.schema import GRAY_WEIGHTS
from dcign.render.draw.scene import HeadFrame, Scene, light_directions, view_matrices
from dcign.render.gl.context import Context, choose_egl


@contextlib.contextmanager
def stock_renderer(size: int) -> Iterator[Any]:  # Any: pyrender has no types
    """Yield pyrender's OffscreenRenderer, and close its context alone: its own `delete` closes the display of all."""
    choose_egl()
    from pyrender import OffscreenRenderer

    renderer = OffscreenRenderer(size, size)
    try:
        yield renderer
    finally:
        Context(renderer._platform).close()


def stock_loop(work: Workload) -> Callable[[int], object]:
    """Return a function that draws the 20 images of one batch. A mesh is uploaded once per person."""
    choose_egl()
    from pyrender import OffscreenRenderer

    renderer = OffscreenRenderer(work.configuration.size, work.configuration.size)

    def draw(batch: int) -> object:
        plan, faces = work.plans[batch % len(work.plans)], work.faces[batch % len(work.plans)]
        images = []
        for person in range(len(faces.positions)):
            scene = StockScene(faces.positions[person], faces.normals[person], faces.albedos[person], work.triangles,
                               work.head, work.configuration.scene)  # fmt: skip
            one_image_each = len(faces.positions) > 1
            for factors in plan.factors[person : person + 1] if one_image_each else plan.factors:
                images.append(scene.draw(renderer, factors))
        return np.stack(images)

    return draw


class StockScene:
    """One person in a pyrender scene with our camera and light."""

    def __init__(
        self,
        positions: Float32,
        normals: Float32,
        albedo: Float32,
        triangles: Int32,
        head: HeadFrame,
        scene: Scene,
    ) -> None:
        import pyrender

        colours = np.c_[albedo, np.ones(len(albedo), np.float32)]
        material = pyrender.MetallicRoughnessMaterial(metallicFactor=0.0, roughnessFactor=0.9)
        primitive = pyrender.Primitive(positions, normals, color_0=colours, indices=triangles, material=material)
        field = np.radians(scene.camera.field_of_view_degrees)
        distance = scene.camera.distance(head.radius)
        self._head, self._lighting = head, scene
        self._scene = pyrender.Scene(bg_color=[0, 0, 0, 0], ambient_light=[scene.light.ambient] * 3)
        self._mesh = self._scene.add(pyrender.Mesh([primitive]))
        self._scene.add(
            pyrender.PerspectiveCamera(field, znear=distance / 10, zfar=distance * 4, aspectRatio=1.0), pose=np.eye(4)
        )
        self._light = self._scene.add(pyrender.DirectionalLight(np.ones(3), intensity=np.pi * scene.light.diffuse))

    def coverage(self, renderer: Any, factors: Float32) -> Float64:  # Any: OffscreenRenderer
        """Return 1 where a pixel's centre is on the head, else 0 (H, W): drawn in one colour, without light or MSAA."""
        import pyrender

        self._pose(factors)
        colour, _ = renderer.render(
            self._scene, pyrender.RenderFlags.SEG, {self._mesh: np.array([255, 255, 255], np.uint8)}
        )
        return np.asarray(colour[..., 0], np.float64) / 255.0

    def draw(self, renderer: Any, factors: Float32) -> UInt8:  # Any: OffscreenRenderer
        """Draw one image: factors (3,) azimuth, elevation, light azimuth -> (H, W) gray."""
        self._pose(factors)
        colour, _ = renderer.render(self._scene)
        return np.asarray(np.round(colour @ np.array(GRAY_WEIGHTS)), np.uint8)

    def colour(self, renderer: Any, factors: Float32) -> UInt8:  # Any: OffscreenRenderer
        """Draw one image: factors (3,) azimuth, elevation, light azimuth -> (H, W, 4) sRGB and coverage."""
        import pyrender

        self._pose(factors)
        colour, _ = renderer.render(self._scene, pyrender.RenderFlags.RGBA)
        return np.asarray(colour, np.uint8)

    def _pose(self, factors: Float32) -> None:
        azimuth, elevation, light_azimuth = (factors[i : i + 1] for i in range(3))
        distance = self._lighting.camera.distance(self._head.radius)
        self._scene.set_pose(self._mesh, view_matrices(azimuth, elevation, self._head, distance)[0].astype(np.float64))
        direction = light_directions(light_azimuth, self._lighting.light.elevation_degrees)[0]
        self._scene.set_pose(self._light, _facing(direction))


def _facing(direction: Float32) -> Float64:
    """Return a pose (4, 4) whose +z is `direction`: pyrender's lights shine along their -z."""
    z = direction.astype(np.float64)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    return pose
