"""Distances, meshing and normals, each compared with an exact or a slow computation."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from dcign.facegen.normals import VertexNormals
from dcign.facegen.primitives import curve, ellipsoid, rotation_about_y, smooth_union, tapered_capsule
from dcign.facegen.sculpture.features import Ellipsoid, near
from dcign.facegen.sculpture.head import FEATURES, head_distance
from dcign.facegen.sculpture.landmarks import LANDMARKS, SURFACE_LANDMARKS
from dcign.facegen.template.mesh import CENTRE, project, scatter
from dcign.facegen.template.triangulation import triangulate


def random_directions(count: int, seed: int = 0) -> np.ndarray:
    directions = np.random.default_rng(seed).standard_normal((count, 3))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def test_a_round_ellipsoid_is_a_sphere() -> None:
    points = 50 * random_directions(100)
    np.testing.assert_allclose(ellipsoid(points, np.zeros(3), np.full(3, 20.0)), 30, atol=1e-6)


def test_a_capsules_distance_is_exact_beyond_its_ends() -> None:
    start, end = np.zeros(3), np.array([0, 10.0, 0])
    points = np.array([[0, -5.0, 0], [0, 20.0, 0], [7.0, 0, 0]])
    np.testing.assert_allclose(tapered_capsule(points, start, end, 2.0, 3.0), [3, 7, 5])


def test_a_blend_only_adds_and_only_where_bodies_are_close() -> None:
    first, second = np.random.default_rng(0).uniform(-30, 30, (2, 500))
    blended, sharp = smooth_union(first, second, 6.0), np.minimum(first, second)
    assert (blended <= sharp).all()
    assert (sharp - blended).max() <= 1.0
    np.testing.assert_array_equal(blended[np.abs(first - second) > 6], sharp[np.abs(first - second) > 6])


def test_a_turn_about_y_takes_forward_towards_the_left() -> None:
    np.testing.assert_allclose(rotation_about_y(90.0) @ (0, 0, 1), (1, 0, 0), atol=1e-12)


def test_curves_pass_through_their_stations_and_end_flat() -> None:
    stations = [(0, 1.0), (2, 5.0), (3, 4.0)]
    np.testing.assert_allclose(curve(stations)(np.array([-9, 0, 2, 3, 99.0])), [1, 1, 5, 4, 4])


def test_rays_find_the_surface() -> None:
    def sphere(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points - CENTRE, axis=1) - 80

    np.testing.assert_allclose(project(sphere, random_directions(50)), 80, atol=0.02)


def test_scattered_vertices_keep_their_distance() -> None:
    points = 80 * random_directions(4000)
    kept = scatter(points, np.full(4000, 9.0), np.full(4000, -2), np.random.default_rng(0))
    left = points[kept]
    gaps = np.linalg.norm(left[:, None] - left[None], axis=2) + 1e9 * np.eye(len(left))
    assert gaps.min() >= 0.86 * 9
    assert gaps.min(1).max() < 2 * 9


def test_flipping_leaves_a_closed_symmetric_surface_with_wide_angles() -> None:
    ring = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    middle = np.stack([0 * ring, np.sin(ring), np.cos(ring)], 1)
    left = random_directions(400)
    left = left[left[:, 0] > 0.12]
    directions = np.concatenate([middle, left, left * (-1, 1, 1)])
    mirror = np.concatenate([np.arange(60), 60 + len(left) + np.arange(len(left)), 60 + np.arange(len(left))])
    triangles = triangulate(directions * (80, 100, 90), directions, mirror)
    assert len(triangles) == 2 * len(directions) - 4
    edges = {tuple(edge) for t in triangles.tolist() for edge in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))}
    assert all((b, a) in edges for a, b in edges)


def test_normals_agree_with_a_plain_loop_over_triangles() -> None:
    rng = np.random.default_rng(0)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    positions = rng.standard_normal((2, 4, 3)).astype(np.float32)
    for position, fast in zip(positions, VertexNormals(triangles, 4)(positions), strict=True):
        slow = np.zeros((4, 3))
        for a, b, c in triangles:
            slow[[a, b, c]] += np.cross(position[b] - position[a], position[c] - position[a])
        np.testing.assert_allclose(fast, slow / np.linalg.norm(slow, axis=1, keepdims=True), atol=1e-5)


def test_landmarks_lie_on_the_sculpted_skin() -> None:
    places = np.array([LANDMARKS[name] for name in SURFACE_LANDMARKS], float)
    off = dict(zip(SURFACE_LANDMARKS, np.abs(head_distance(places)), strict=True))
    off.pop("neck_front")
    assert max(off.values()) < 5, max(off, key=off.__getitem__)


def test_features_are_anchored_to_known_landmarks_and_named_once() -> None:
    names = [feature.name for feature in FEATURES]
    assert len(set(names)) == len(names)


def test_moving_a_landmark_moves_the_features_on_it() -> None:
    ball = Ellipsoid("tip", near("pronasale"), (5, 5, 5), blend=1)
    points = np.array([[0, 0, 30.0]])
    far = np.full(1, 1e3)
    before = ball.apply(far, points, {"pronasale": (0, 0, 0)})
    after = ball.apply(far, points, {"pronasale": (0, 0, 10)})
    assert (before - after)[0] == pytest.approx(10)


def test_the_documents_worked_examples_change_lines_that_exist() -> None:
    repository = Path(__file__).parents[3]
    sources = "".join(source.read_text() for source in (repository / "facegen").rglob("*.py"))
    document = (repository / "docs" / "face.md").read_text()
    replaced = re.findall(r"^-( {4}.*)$", document, re.MULTILINE)
    assert len(replaced) == 2
    assert all(line in sources for line in replaced)
