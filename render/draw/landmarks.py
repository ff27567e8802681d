"""The positions of a face's landmarks in a picture and their visibility, from geometry, independent of the resolution.

A landmark is visible if it is in the picture, one of its own triangles faces the camera, and no other triangle that
faces the camera lies in front of it. Triangles that face away are not drawn, so they hide nothing.
"""

from __future__ import annotations

import numpy as np

from dcign.arrays import Bool, Float32, Float64, Int32, Int64

NEARER = 0.05  # mm: a triangle hides a landmark if it is nearer by more than this


def place_landmarks(positions: Float32, triangles: Int32, landmarks: Int64, seen: Float32, size: int) -> Float32:
    """Return columns as in dcign.data.schema.LANDMARK_COLUMNS: x right and y down in pixels, depth in mm, 1 if visible.

    positions (P, V, 3) mm of one face or one per picture, triangles (T, 3), landmarks (L,) vertices,
    seen (N, 4, 4) model space to clip space, size in pixels -> (N, L, 4)
    """
    matrices = seen[:, [0, 1, 3]].astype(np.float64)
    clip = positions @ matrices[..., :3].transpose(0, 2, 1) + matrices[:, None, :, 3]
    screen = clip / clip[..., 2:] * (0.5 * size, -0.5 * size, 0) + (0.5 * size, 0.5 * size, 0)
    screen[..., 2] = clip[..., 2]  # w is the depth along the camera's axis
    placed = np.concatenate([screen[:, landmarks], np.zeros((len(seen), len(landmarks), 1))], axis=2)
    for picture, rows in zip(screen, placed, strict=True):
        inside = ((rows[:, :2] >= 0) & (rows[:, :2] < size)).all(axis=1)
        rows[:, 3] = inside & _unhidden(picture, triangles, landmarks)
    return placed.astype(np.float32)


def _unhidden(screen: Float64, triangles: Int32, landmarks: Int64) -> Bool:
    """Return which landmarks (L,) nothing hides in one picture. screen (V, 3): x, y down in pixels, depth in mm."""
    corners = np.ascontiguousarray(triangles.T)  # numpy reduces rows of three slowly, three rows fast
    x, y = screen[:, 0][corners], screen[:, 1][corners]
    facing = (x[1] - x[0]) * (y[2] - y[0]) < (x[2] - x[0]) * (y[1] - y[0])
    triangles, x, y = triangles[facing], np.compress(facing, x, axis=1), np.compress(facing, y, axis=1)
    corner, triangle = _pairs(screen[landmarks], x, y)
    own = (triangles[triangle] == landmarks[corner, None]).any(axis=1)
    corner, triangle = corner[~own], triangle[~own]
    # Barycentric: twice the signed areas that the landmark spans with each edge, all negative inside (y points down).
    right = x[:, triangle].T - screen[landmarks[corner], :1]
    below = y[:, triangle].T - screen[landmarks[corner], 1:2]
    spans = np.roll(right, -1, 1) * np.roll(below, -2, 1) - np.roll(right, -2, 1) * np.roll(below, -1, 1)
    closeness = (spans / screen[triangles[triangle], 2]).sum(axis=1)  # 1 / depth is linear on the screen
    depth = spans.sum(axis=1) / np.where(closeness < 0, closeness, -1e-12)
    hidden = (spans < 0).all(axis=1) & (depth < screen[landmarks[corner], 2] - NEARER)
    faces_camera = np.zeros(len(screen), bool)
    faces_camera[triangles] = True
    unhidden = faces_camera[landmarks]
    unhidden[corner[hidden]] = False
    return unhidden


def _pairs(points: Float64, x: Float64, y: Float64) -> tuple[Int64, Int64]:
    """Return each point (L, 2 or more) with each triangle whose bounding box holds it: x, y (3, T) -> two of (M,)."""
    order = np.argsort(points[:, 0])
    across = points[order, 0]
    first, last = np.searchsorted(across, x.min(axis=0)), np.searchsorted(across, x.max(axis=0), "right")
    triangle = np.repeat(np.arange(x.shape[1]), last - first)
    started = np.cumsum(last - first) - (last - first)
    point = order[np.arange(len(triangle)) - np.repeat(started - first, last - first)]
    held = (y.min(axis=0)[triangle] <= points[point, 1]) & (points[point, 1] <= y.max(axis=0)[triangle])
    return point[held], triangle[held]
