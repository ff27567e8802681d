"""Levels of models read from files: coarser meshes by quadric edge collapse (Garland and Heckbert 1997).

The library moves vertices to where the error is least. A level must consist of the model's own vertices, so that it
shares the model's basis: each of the library's vertices is replaced by the nearest of those that collapsed into it.
"""

from __future__ import annotations

import fast_simplification as quadrics
import numpy as np
from scipy.spatial import cKDTree

from dcign.arrays import Float32, Int32, Int64
from dcign.facegen.model.morphable import Level

VERTICES = (5_000, 2_500)  # what render draws with up to 256 and 96 pixels
LEAST_RATIO = 1.3  # of the mesh's vertices to a level's
SYMMETRIC = 0.5  # mm
LEAST_COSINE, ROUNDS = 0.2, 4  # of the turn of a triangle that needs no repair; rounds of repair


def coarser_levels(mean: Float32, triangles: Int32, landmarks: dict[str, int]) -> tuple[Level, ...]:
    """Return levels of a mesh (V, 3) mm with triangles (T, 3), finest first; of landmarks that collapse, one stays."""
    wanted = [count for count in VERTICES if len(mean) > LEAST_RATIO * count]
    return tuple(_coarser(mean, triangles, count, landmarks) for count in wanted)


def mirror_of(mean: Float32) -> Int32:
    """Return the vertex across the midline of each vertex (V,), or each vertex itself if the mesh is not symmetric."""
    flipped = mean * np.array([-1, 1, 1], np.float32)
    distance, across = (np.asarray(part) for part in cKDTree(mean).query(flipped))
    own = np.arange(len(mean))
    if distance.max() > SYMMETRIC or (across[across] != own).any():
        across = own
    return across.astype(np.int32)


def _coarser(mean: Float32, triangles: Int32, vertices: int, landmarks: dict[str, int]) -> Level:
    reduction = 1 - vertices / len(mean)
    _, _, collapses = quadrics.simplify(mean, triangles, target_reduction=reduction, return_collapses=True)
    positions, cells, group = quadrics.replay_simplification(mean, triangles, collapses)
    fixed = np.fromiter(landmarks.values(), np.int64)
    kept = _representatives(mean, positions, group, fixed)
    _unfold(kept, mean, positions, cells, group, fixed)
    used, corners = np.unique(cells, return_inverse=True)
    chosen = kept[used]
    return Level(chosen.astype(np.int32), corners.reshape(-1, 3).astype(np.int32), mirror_of(mean[chosen]))


def _representatives(mean: Float32, positions: Float32, group: Int64, fixed: Int64) -> Int64:
    """Return the vertex (v,) of each group that is fixed, or else nearest to the group's position (v, 3)."""
    away = np.linalg.norm(mean - positions[group], axis=1)
    away[fixed] = -1
    order = np.lexsort((away, group))  # by group, nearest first
    groups, first = np.unique(group[order], return_index=True)
    kept = np.zeros(len(positions), np.int64)
    kept[groups] = order[first]
    return kept


def _unfold(kept: Int64, mean: Float32, positions: Float32, cells: Int32, group: Int64, fixed: Int64) -> None:
    """Choose other vertices of their groups for the corners of triangles that have turned over; changes `kept`."""
    wanted = _normals(positions[cells])
    for _ in range(ROUNDS):
        folded = np.einsum("tc,tc->t", _normals(mean[kept[cells]]), wanted) < LEAST_COSINE
        for number in np.unique(cells[folded]):
            if kept[number] in fixed:
                continue
            around = np.flatnonzero((cells == number).any(1))
            members = np.flatnonzero(group == number)
            corners = np.repeat(mean[kept[cells[around]]][None], len(members), 0)  # (members, triangles, 3, 3)
            at = np.nonzero(cells[around] == number)
            corners[:, at[0], at[1]] = mean[members][:, None]
            agreement = np.einsum("mtc,tc->mt", _normals(corners), wanted[around]).min(1)
            kept[number] = members[np.argmax(agreement)]


def _normals(corners: Float32) -> Float32:
    """Return unit normals (..., 3) of triangles (..., 3, 3)."""
    first, second, third = (corners[..., corner, :] for corner in range(3))
    normals = np.cross(second - first, third - first)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=-1), 1e-12)[..., None])
