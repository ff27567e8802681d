"""Small heads in millimetres, which tests write to model files in the formats of others."""

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
    """A head: vertices (V, 3) mm, +x the subject's left, nose at +z; modes (V, 3, K) mm per standard deviation.

    triangles (T, 3), outward; colours (V, 3) and colour_modes (V, 3, Ka), sRGB 0..1; nose, left: vertices of the nose
    and of the left ear.
    """

    vertices: Float64
    modes: Float64
    triangles: Int64
    colours: Float64
    colour_modes: Float64
    nose: int
    left: int


def head(*, subdivisions: int = 2, modes: int = 4, left_ear: bool = True) -> Head:
    """Make an egg with a nose and one ear, which tells left from right. Its modes have decreasing amplitude."""
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
    """Factor modes (V, 3, K), up to a rotation of coefficients, into orthonormal columns (3 V, K) and deviations."""
    columns, deviations, _ = np.linalg.svd(modes.reshape(-1, modes.shape[2]), full_matrices=False)
    return columns, deviations


def covariance(basis: Float64) -> Float64:
    """Return the covariance (3 V, 3 V) of a basis (V, 3, K), which a rotation of its coefficients leaves alone."""
    columns = np.asarray(basis, np.float64).reshape(-1, basis.shape[2])
    return np.asarray(columns @ columns.T)


def check_same_head(model: MorphableModel, given: Head) -> None:
    """Check that a model is this head up to a shift: in millimetres, looking forward, its surface outward."""
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
    """Return labels of N pictures by name from azimuth, elevation and light azimuth (N, 3)."""
    return dict(zip(("azimuth", "elevation", "light_azimuth"), np.asarray(poses, np.float32).T, strict=True))


def one_pose(pose: Sequence[float]) -> dict[str, float]:
    """Return the labels of one picture."""
    return {name: float(value) for name, value in zip(("azimuth", "elevation", "light_azimuth"), pose, strict=True)}
