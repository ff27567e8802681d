"""The scene's geometry, as laws."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.render.draw.scene import Camera, HeadFrame, light_directions, projection_matrices, view_matrices

HEAD = HeadFrame((3.0, -5.0, 10.0), 120.0)
CAMERA = Camera()


def placed(point: tuple[float, float, float], azimuth: float, elevation: float) -> np.ndarray:
    """A point of model space in camera space."""
    view = view_matrices(np.array([azimuth]), np.array([elevation]), HEAD, CAMERA.distance(HEAD.radius))[0]
    return (view @ np.array([*point, 1.0]))[:3]


def on_screen(camera_point: np.ndarray) -> np.ndarray:
    distance, field_of_view = np.array([CAMERA.distance(HEAD.radius)]), np.array([CAMERA.field_of_view_degrees])
    clip = projection_matrices(distance, field_of_view, HEAD)[0] @ np.append(camera_point, 1.0)
    return clip[:2] / clip[3]


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (86, 23), (-180, -90), (40, -10)])
def test_the_head_turns_about_the_point_that_the_camera_aims_at(azimuth: float, elevation: float) -> None:
    centre = placed(HEAD.centre, azimuth, elevation)
    np.testing.assert_allclose(centre, [0, 0, -CAMERA.distance(HEAD.radius)], atol=1e-3)


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (86, 23), (-86, -23), (30, 60)])
def test_the_head_sphere_fills_nine_tenths_of_the_frame_at_every_pose(azimuth: float, elevation: float) -> None:
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((4000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points = np.asarray(HEAD.centre) + HEAD.radius * directions
    reach = max(np.linalg.norm(on_screen(placed(tuple(point), azimuth, elevation))) for point in points)
    assert 0.885 < reach <= 0.9 + 1e-4


def test_positive_azimuth_turns_the_nose_to_the_right_of_the_picture() -> None:
    nose = (HEAD.centre[0], HEAD.centre[1], HEAD.centre[2] + 100)
    assert placed(nose, 30, 0)[0] > 0


def test_positive_elevation_shows_the_top_of_the_head() -> None:
    top = (HEAD.centre[0], HEAD.centre[1] + 100, HEAD.centre[2])
    assert placed(top, 0, 20)[2] > placed(top, 0, 0)[2]


def test_the_light_comes_from_the_right_of_the_picture_at_positive_azimuth_and_is_of_unit_length() -> None:
    directions = light_directions(np.array([-60.0, 0.0, 60.0]), 20.0)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-6)
    assert directions[0, 0] < 0 < directions[2, 0]
    assert directions[1, 2] > 0  # from behind the camera
