"""Outlines, rows of vertices and sliding vertices, on bodies whose surface is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from dcign.facegen.sculpture.head import head_distance
from dcign.facegen.sculpture.landmarks import LANDMARKS, SURFACE_LANDMARKS
from dcign.facegen.sculpture.loft import Loft
from dcign.facegen.sculpture.outlines import FACE, NECK
from dcign.facegen.template.feature_rows import feature_rows, seen_from_front
from dcign.facegen.template.relaxation import onto_surface, relax

RADIUS = 80.0


def sphere(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points, axis=1) - RADIUS


def rough_sphere(count: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3) in a random, mirrored arrangement, triangles (T, 3), mirror (V,)."""
    directions = np.random.default_rng(0).standard_normal((count, 3))
    directions[:, 0] = np.abs(directions[:, 0]) + 0.05
    left = RADIUS * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    triangles = ConvexHull(np.concatenate([left, left * (-1, 1, 1)])).simplices.astype(np.int64)
    return np.concatenate([left, left * (-1, 1, 1)]), triangles, np.roll(np.arange(2 * count), count)


def test_a_loft_of_equal_circles_is_a_cylinder() -> None:
    azimuth = np.radians(np.arange(0, 181, 20))
    circle = tuple(zip(50 * np.sin(azimuth), 50 * np.cos(azimuth), strict=True))
    cylinder = Loft("cylinder", tuple((height, circle) for height in (40, 20, 10, 0, -10, -20, -40)), blend=1)
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, 200)
    points = np.stack([60 * np.sin(angles), np.linspace(-20, 20, 200), 60 * np.cos(angles)], 1)
    np.testing.assert_allclose(cylinder.body(points), 10, atol=0.3)


@pytest.mark.parametrize("loft", [FACE, NECK])
def test_a_loft_passes_through_its_outlines(loft: Loft) -> None:
    without_border = replace(loft, under=())
    for height, outline in loft.outlines[1:-1]:
        x, z = np.array([place for place in outline if place[1] > 0], float).reshape(-1, 2).T
        distance = without_border.body(np.stack([x, np.full_like(x, height), z], 1))
        assert np.abs(distance).max(initial=0) < 2.5, height  # the table of radii is smoothed


@pytest.mark.parametrize("loft", [FACE, NECK])
def test_a_loft_has_no_crack(loft: Loft) -> None:
    azimuth = np.radians(np.arange(0, 90, 0.25))
    for height in np.linspace(loft.outlines[1][0], loft.outlines[-2][0], 40):
        ring = np.stack([40 * np.sin(azimuth), np.full_like(azimuth, height), 40 * np.cos(azimuth)], 1)
        assert np.abs(np.diff(replace(loft, under=()).body(ring), 2)).max() < 0.2, height


def test_the_jaws_border_cuts_the_loft_off() -> None:
    below = np.array([[0, -135.0, 80], [40, -110, 10], [40, -60, -20]])
    assert (FACE.body(below) > 5).all()


def test_sliding_spreads_vertices_evenly_and_keeps_them_on_the_surface() -> None:
    vertices, triangles, mirror = rough_sphere()
    moved = relax(vertices, triangles, mirror, np.ones(len(vertices)), sphere, steps=8)

    def edges(positions: np.ndarray) -> np.ndarray:
        corners = positions[triangles]
        return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)

    assert np.abs(sphere(moved)).max() < 0.05
    assert edges(moved).std() < 0.75 * edges(vertices).std()
    np.testing.assert_allclose(moved[mirror], moved * (-1, 1, 1))


def test_vertices_without_freedom_stay_where_they_are() -> None:
    vertices, triangles, mirror = rough_sphere()
    freedom = (vertices[:, 1] > 0).astype(float)
    moved = relax(vertices, triangles, mirror, freedom, sphere, steps=3)
    np.testing.assert_array_equal(moved[freedom == 0], vertices[freedom == 0])
    assert (moved[freedom == 1] != vertices[freedom == 1]).any(1).mean() > 0.9


def test_points_near_a_surface_move_onto_it_the_shortest_way() -> None:
    points = (RADIUS + 1.2) * np.eye(3)
    np.testing.assert_allclose(onto_surface(points, sphere), RADIUS * np.eye(3), atol=0.05)


def test_what_is_seen_from_the_front_is_the_foremost_surface() -> None:
    seen = seen_from_front(np.array([[0, 0], [48, 0], [0, 64.0]]), sphere)
    np.testing.assert_allclose(seen[:, 2], [80, 64, 48], atol=0.01)


def test_every_landmark_beside_the_midline_becomes_a_vertex() -> None:
    single = {tuple(row[0]) for row in feature_rows(head_distance) if len(row) == 1}
    beside = {tuple(map(float, LANDMARKS[name])) for name in SURFACE_LANDMARKS if LANDMARKS[name][0] > 0}
    assert beside <= single


def test_rows_lie_on_the_skin() -> None:
    rows = [row for row in feature_rows(head_distance) if len(row) > 1]
    assert len(rows) > 20
    assert np.median(np.abs(head_distance(np.concatenate(rows)))) < 0.1
