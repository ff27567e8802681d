"""The vertices of a coarser mesh that bring its surface nearest to what it stands for: least squares, once for all.

A vertex x of the fine mesh lies on a triangle of the coarse one, where its three weights make a row of B. The coarse
vertices c minimise  sum of area |B c - x|^2 + stiffness |c - own|^2. That is linear in x, so the same holds of a mean,
of each column of a basis, and of colours. Chords of a ball lie inside of it; these cut through it.
"""

from __future__ import annotations

import numpy as np
import trimesh
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from dcign.arrays import Float32, Float64, Floating, Int32, Int64
from dcign.facegen.normals import VertexNormals

CANDIDATES = 32  # triangles near a vertex, of which it lies on one
TURNED = 0.5  # cosine between the normals of a vertex and its triangle, below which it is taken to be another fold's
MM_OF_TURN = 6.0  # as which a turn counts beyond that
STIFFNESS = 0.01  # mean weights, towards a vertex's own place: for vertices that nothing lies on


class Projection:
    """From values at all vertices of a mesh to values at those of a coarser one made of some of them."""

    def __init__(self, rest: Float32, triangles: Int32, mirror: Int32, coarse: Int64, pinned: Int64) -> None:
        """rest (V, 3) mm with triangles (T, 3) and mirror (V,); coarse (t, 3), into the same vertices; pinned: stay."""
        self.kept = np.unique(coarse)
        position = np.full(len(rest), -1)
        position[self.kept] = np.arange(len(self.kept))
        lies = _lying(rest.astype(np.float64), triangles, coarse)[:, self.kept]
        across = position[mirror[self.kept]]
        lies = (lies + lies[mirror][:, across]) / 2  # exactly symmetric
        area = _areas(rest, triangles)
        weighted = lies.T.multiply(area).tocsr()
        stiffness = np.full(len(self.kept), STIFFNESS * area.mean())
        self._free = ~np.isin(self.kept, pinned)
        whole = (weighted @ lies + diags(stiffness)).tocsc()
        self._weighted, self._stiffness = weighted[self._free], stiffness[self._free, None]
        self._of_pinned = whole[self._free][:, ~self._free]
        self._solve = splu(whole[self._free][:, self._free].tocsc()).solve

    def __call__(self, values: Floating) -> Float64:
        """Values (V, k) -> (v, k), float64."""
        fine = values.astype(np.float64)
        found = fine[self.kept]
        wanted = self._weighted @ fine + self._stiffness * found[self._free] - self._of_pinned @ found[~self._free]
        found[self._free] = self._solve(wanted)
        return found


def _lying(points: Float64, triangles: Int32, coarse: Int64) -> csr_matrix:
    """Row v: the weights (V, V) of the coarse triangle's corners where vertex v lies on it, nearest on its own fold."""
    normals = VertexNormals(triangles, len(points))(points[None].astype(np.float32))[0]
    corners = points[coarse]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    nearest = np.full(len(points), np.inf)
    chosen = np.zeros(len(points), np.int64)
    places = np.zeros_like(points)
    _, near = cKDTree(corners.mean(1)).query(points, k=min(CANDIDATES, len(coarse)))
    for candidate in np.asarray(near).T:
        place = trimesh.triangles.closest_point(corners[candidate], points)  # type: ignore[no-untyped-call]
        turn = np.maximum(TURNED - (facing[candidate] * normals).sum(1), 0)
        distance = ((place - points) ** 2).sum(1) + (MM_OF_TURN * turn) ** 2
        better = distance < nearest
        nearest[better], chosen[better], places[better] = distance[better], candidate[better], place[better]
    weights = trimesh.triangles.points_to_barycentric(corners[chosen], places)  # type: ignore[no-untyped-call]
    weights = np.clip(weights, 0, 1)
    weights /= weights.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), 3)
    return csr_matrix((weights.ravel(), (rows, coarse[chosen].ravel())), shape=(len(points), len(points)))


def _areas(points: Float32, triangles: Int32) -> Float64:
    """Of a third of the triangles around each vertex (V,)."""
    a, b, c = points[triangles].astype(np.float64).swapaxes(0, 1)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return np.asarray(np.bincount(triangles.ravel(), np.repeat(area / 3, 3), minlength=len(points)), np.float64)
