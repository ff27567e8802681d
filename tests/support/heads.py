"""Small heads in millimetres, with which tests write model files in the layouts of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import trimesh

from dcign.arrays import Float64, Floating, Int64
from dcign.facegen.model.bounding_sphere import head_sphere
from dcign.facegen.model.morphable import MorphableModel


@dataclass(frozen=True, eq=False)
class Head:
    """vertices (V, 3) mm, +x the subject's left, nose at +z; modes (V, 3, K) mm a standard deviation; triangles (T, 3)
    outward; colours (V, 3) sRGB 0..1 with colour_modes (V, 3, Ka); nose and left: the vertices of nose and left ear.
    """

    vertices: Float64
    modes: Float64
    triangles: Int64
    colours: Float64
    colour_modes: Float64
    nose: int
    left: int


def head(*, subdivisions: int = 2, modes: int = 4, left_ear: bool = True) -> Head:
    """An egg with a nose and, so that left and right differ, one ear. Its modes are of growing width."""
    ball = trimesh.creation.icosphere(subdivisions=subdivisions)
    points = np.array(ball.vertices)
    nose = int(np.argmax(points @ np.array([0.0, -0.1, 1.0])))
    left = int(np.argmax(points[:, 0]))
    points = points * (75.0, 115.0, 97.0)
    points[nose, 2] += 22.0
    if left_ear:
        points[left, 0] += 15.0
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(modes, 3)) * 80
    bumps = np.exp(-((points[:, None] - centres) ** 2).sum(-1) / 2 / 70**2)  # (V, K)
    moves = bumps[:, None, :] * rng.normal(size=(3, modes)) * np.arange(modes, 0, -1)
    colours = np.clip(0.5 + points / 400, 0, 1)
    colour_modes = 0.05 * bumps[:, None, :2] * np.array([1.0, 0.8, 0.7])[:, None]
    return Head(points, moves, np.array(ball.faces, np.int64), colours, colour_modes, nose, left)


def deviations_out(modes: Float64) -> tuple[Float64, Float64]:
    """Modes (V, 3, K) as orthonormal columns (3 V, K), with a rotation of the coefficients, and deviations (K,)."""
    columns, deviations, _ = np.linalg.svd(modes.reshape(-1, modes.shape[2]), full_matrices=False)
    return columns, deviations


def covariance(basis: Float64) -> Float64:
    """What a basis (V, 3, K) says of the population, whatever the rotation of its coefficients: (3 V, 3 V)."""
    columns = np.asarray(basis, np.float64).reshape(-1, basis.shape[2])
    return np.asarray(columns @ columns.T)


def check_same_head(model: MorphableModel, given: Head) -> None:
    """That a model is this head, wherever its middle is: in millimetres, looking forward, its surface outward."""
    moved = model.mean - given.vertices
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=0.02)
    np.testing.assert_allclose(covariance(model.shape_basis), covariance(given.modes), atol=0.01)
    assert int(np.argmax(model.mean[:, 2])) == given.nose
    assert int(np.argmax(model.mean[:, 0])) == given.left
    corners = model.mean[model.triangles].astype(np.float64)
    assert np.linalg.det(corners).sum() > 0  # six times the volume
    assert len(model.triangles) == len(given.triangles)
    centre, _ = head_sphere(model)
    assert np.abs(centre).max() < 25  # the camera's aim is near the origin


def posed(poses: Floating) -> dict[str, Floating]:
    """Labels of N pictures: azimuth, elevation and light azimuth (N, 3) by name."""
    return dict(zip(("azimuth", "elevation", "light_azimuth"), np.asarray(poses, np.float32).T, strict=True))


def one_pose(pose: Sequence[float]) -> dict[str, float]:
    """Labels of one picture."""
    return {name: float(value) for name, value in zip(("azimuth", "elevation", "light_azimuth"), pose, strict=True)}
