"""Edge collapse: free vertices go, fixed vertices stay, and the result is still a surface."""

from __future__ import annotations

import numpy as np
import trimesh

from dcign.facegen.levels.collapse import EDGE, FIXED, FREE, collapse_edges


def square(places: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A flat grid: triangles, points (V, 3) and which of them lie on its edge."""
    across, down = (each.ravel() for each in np.meshgrid(np.arange(places), np.arange(places)))
    corner = (across + places * down)[(across < places - 1) & (down < places - 1)]
    quads = np.stack([corner, corner + 1, corner + places + 1, corner + places], 1)
    on_edge = (np.minimum(across, down) == 0) | (np.maximum(across, down) == places - 1)
    points = np.stack([across, down, 0 * across], 1).astype(float)
    return np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]]), points, on_edge


def corners_fixed(points: np.ndarray, on_edge: np.ndarray) -> np.ndarray:
    end = points.max()
    corner = np.isin(points[:, 0], (0, end)) & np.isin(points[:, 1], (0, end))
    return np.where(corner, FIXED, np.where(on_edge, EDGE, FREE))


def area(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = points[triangles].swapaxes(0, 1)
    return np.asarray(np.cross(b - a, c - a)[:, 2] / 2)


def test_a_flat_square_collapses_to_its_corners_and_keeps_its_area() -> None:
    triangles, points, on_edge = square(9)
    (found,) = collapse_edges(triangles, points, points[None], corners_fixed(points, on_edge), [6])
    assert len(np.unique(found)) <= 6
    areas = area(points, found)
    assert (areas > 0).all()
    assert areas.sum() == 64


def test_fixed_vertices_stay_and_each_count_is_reached_in_turn() -> None:
    triangles, points, on_edge = square(9)
    kind = corners_fixed(points, on_edge)
    kind[40] = FIXED  # the middle
    finer, coarser = collapse_edges(triangles, points, points[None], kind, [40, 12])
    assert (len(np.unique(finer)), len(np.unique(coarser))) == (40, 12)
    for found in (finer, coarser):
        assert {0, 8, 40, 72, 80} <= set(found.ravel().tolist())
    assert set(coarser.ravel().tolist()) < set(finer.ravel().tolist())


def test_a_line_of_another_colour_is_kept_where_shape_alone_would_lose_it() -> None:
    triangles, points, on_edge = square(13)
    colour = 5.0 * (np.abs(points[:, :1] - 6) < 0.5)
    kind = corners_fixed(points, on_edge)
    (shape,) = collapse_edges(triangles, points, points[None], kind, [30])
    (both,) = collapse_edges(triangles, np.concatenate([points, colour], 1), points[None], kind, [30])
    on_line = np.flatnonzero(colour[:, 0])
    assert np.isin(np.unique(both), on_line).sum() >= 2
    assert np.isin(np.unique(both), on_line).sum() > np.isin(np.unique(shape), on_line).sum()


def test_a_ball_stays_closed_and_nearly_a_ball() -> None:
    ball = trimesh.creation.icosphere(3, 50.0)
    points = np.asarray(ball.vertices)
    (found,) = collapse_edges(np.asarray(ball.faces), points, points[None], np.full(len(points), FREE), [150])
    used, triangles = np.unique(found, return_inverse=True)
    coarse = trimesh.Trimesh(points[used], triangles.reshape(-1, 3), process=False)
    assert len(used) == 150
    assert coarse.is_watertight
    assert coarse.euler_number == 2
    assert coarse.volume > 0.95 * ball.volume


def test_no_triangle_turns_over_in_any_of_the_faces() -> None:
    """The centre of a hexagon may move onto any corner, except where a dented face would fold."""
    turn = np.radians(60.0 * np.arange(6))
    hexagon = np.concatenate([np.stack([np.cos(turn), np.sin(turn), 0 * turn], 1), np.zeros((1, 3))])
    dented = hexagon.copy()
    dented[1] *= 0.2
    fan = np.stack([np.full(6, 6), np.arange(6), (np.arange(6) + 1) % 6], 1)
    kind = np.array([FIXED] * 6 + [FREE])
    (unaware,) = collapse_edges(fan, hexagon, hexagon[None], kind, [6])
    assert (area(dented, unaware) < 0).any()
    (found,) = collapse_edges(fan, hexagon, np.stack([hexagon, dented]), kind, [6])
    assert len(found) == 4
    assert (area(dented, found) > 0).all()
