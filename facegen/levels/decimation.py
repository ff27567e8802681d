"""Coarser triangulations of some of a mesh's own vertices, by quadric edge collapse (Garland and Heckbert 1997).

The library moves vertices to where the error is least. A level must be made of the model's own vertices, so that it
shares its basis: each group of vertices that collapsed into one is stood for by the one nearest to that place.
"""

from __future__ import annotations

import fast_simplification as quadrics
import numpy as np
from scipy.spatial import cKDTree

from dcign.arrays import Float32, Int32, Int64
from dcign.facegen.model.morphable import Level

VERTICES = (5_000, 2_500)  # what render draws with up to 256 and 96 pixels
WORTH_IT = 1.3  # times fewer vertices: what is nearer is not worth a level
SYMMETRIC = 0.5  # mm
FOLDED, ROUNDS = 0.2, 4  # cosine of a triangle's turn below which it is mended, and how often all are looked at


def coarser_levels(mean: Float32, triangles: Int32, landmarks: dict[str, int]) -> tuple[Level, ...]:
    """Levels of a mesh (V, 3) mm with triangles (T, 3), finest first; landmarks stay where no two fall together."""
    wanted = [count for count in VERTICES if len(mean) > WORTH_IT * count]
    return tuple(_coarser(mean, triangles, count, landmarks) for count in wanted)


def mirror_of(mean: Float32) -> Int32:
    """The vertex across the midline of each (V,), or itself for all where the mesh is not symmetric."""
    flipped = mean * np.array([-1, 1, 1], np.float32)
    distance, across = (np.asarray(part) for part in cKDTree(mean).query(flipped))
    own = np.arange(len(mean))
    if distance.max() > SYMMETRIC or (across[across] != own).any():
        across = own
    return across.astype(np.int32)


def _coarser(mean: Float32, triangles: Int32, vertices: int, landmarks: dict[str, int]) -> Level:
    share = 1 - vertices / len(mean)
    _, _, collapses = quadrics.simplify(mean, triangles, target_reduction=share, return_collapses=True)
    places, cells, group = quadrics.replay_simplification(mean, triangles, collapses)
    fixed = np.fromiter(landmarks.values(), np.int64)
    kept = _representatives(mean, places, group, fixed)
    _unfold(kept, mean, places, cells, group, fixed)
    used, corners = np.unique(cells, return_inverse=True)
    chosen = kept[used]
    return Level(chosen.astype(np.int32), corners.reshape(-1, 3).astype(np.int32), mirror_of(mean[chosen]))


def _representatives(mean: Float32, places: Float32, group: Int64, fixed: Int64) -> Int64:
    """For each place (v, 3) the vertex of its group that is nearest to it, or a fixed one; group (V,) -> (v,)."""
    away = np.linalg.norm(mean - places[group], axis=1)
    away[fixed] = -1
    order = np.lexsort((away, group))  # by group, nearest first
    groups, first = np.unique(group[order], return_index=True)
    kept = np.zeros(len(places), np.int64)
    kept[groups] = order[first]
    return kept


def _unfold(
    kept: Int64,
    mean: Float32,
    places: Float32,
    cells: Int32,
    group: Int64,
    fixed: Int64,
) -> None:
    """Where a triangle has turned over, let others of their groups stand for its corners; changes `kept`."""
    wanted = _normals(places[cells])
    for _ in range(ROUNDS):
        folded = np.einsum("tc,tc->t", _normals(mean[kept[cells]]), wanted) < FOLDED
        for place in np.unique(cells[folded]):
            if kept[place] in fixed:
                continue
            around = np.flatnonzero((cells == place).any(1))
            members = np.flatnonzero(group == place)
            corners = np.repeat(mean[kept[cells[around]]][None], len(members), 0)  # (members, triangles, 3, 3)
            at = np.nonzero(cells[around] == place)
            corners[:, at[0], at[1]] = mean[members][:, None]
            agreement = np.einsum("mtc,tc->mt", _normals(corners), wanted[around]).min(1)
            kept[place] = members[np.argmax(agreement)]


def _normals(corners: Float32) -> Float32:
    """Unit normals (..., 3) of triangles (..., 3, 3)."""
    first, second, third = (corners[..., corner, :] for corner in range(3))
    normals = np.cross(second - first, third - first)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=-1), 1e-12)[..., None])
