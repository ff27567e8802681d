"""What differs between the pictures of a batch besides the face: camera position, lens and light.

Labels are degrees, millimetres and ratios. The renderer draws with matrices and vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from dcign.arrays import Float32, Float64, Floating
from dcign.render.draw.scene import (
    HeadFrame,
    Scene,
    light_directions,
    projection_matrices,
    shadow_matrices,
    view_matrices,
)

Labels = Mapping[str, Floating]  # name -> (N,)


@dataclass(frozen=True, eq=False)
class Views:
    """Camera and light of N pictures.

    views (N, 4, 4) model space to camera space, projections (N, 4, 4) camera to clip space; lights (N, 3) unit vectors
    towards the light in camera space; ambient (N,) strength of the light from everywhere; distances (N,) mm from the
    camera to the head's centre; light_spaces (N, 4, 4) float64 model space to the space of each shadow map.
    """

    views: Float32
    projections: Float32
    lights: Float32
    ambient: Float32
    distances: Float64
    light_spaces: Float64

    def __len__(self) -> int:
        """Number of pictures N."""
        return len(self.views)

    def part(self, several: slice) -> Views:
        """Return the views of some of the pictures."""
        return Views(**{each.name: getattr(self, each.name)[several] for each in fields(self)})

    @property
    def seen(self) -> Float32:
        """Model space to clip space (N, 4, 4)."""
        return self.projections @ self.views

    @property
    def from_clip(self) -> Float64:
        """Clip space to the space of each shadow map (N, 4, 4)."""
        return self.light_spaces @ np.linalg.inv(self.seen.astype(np.float64))

    @property
    def lenses(self) -> Float32:
        """The four entries of each projection that vary (N, 4): [0, 0], [1, 1], [2, 2], [2, 3]."""
        return np.ascontiguousarray(self.projections[:, [0, 1, 2, 2], [0, 1, 2, 3]])


def make_views(labels: Labels, head: HeadFrame, scene: Scene) -> Views:
    """Turn labels into matrices.

    labels: azimuth, elevation and light_azimuth (N,), and those of `dcign.data.schema.MORE_FACTORS` that replace the
    scene's values: light_elevation and field_of_view in degrees, distance in mm, and light_to_ambient, the ratio of
    diffuse to ambient light. Without a distance the camera stands where the head fills its share of the picture,
    whatever the field of view.
    """
    light, camera, count = scene.light, scene.camera, len(labels["azimuth"])
    field_of_view = np.asarray(labels.get("field_of_view", np.full(count, camera.field_of_view_degrees)))
    distances = np.asarray(labels.get("distance", camera.distances(head.radius, field_of_view)), np.float64)
    ambient = np.full(count, light.ambient, np.float64)
    if "light_to_ambient" in labels:
        ambient = light.diffuse / np.asarray(labels["light_to_ambient"], np.float64)
    views = view_matrices(labels["azimuth"], labels["elevation"], head, distances)
    lights = light_directions(labels["light_azimuth"], labels.get("light_elevation", light.elevation_degrees))
    return Views(
        views=views,
        projections=projection_matrices(distances, field_of_view, head),
        lights=lights,
        ambient=ambient.astype(np.float32),
        distances=distances,
        light_spaces=shadow_matrices(views, lights, head, distances),
    )
