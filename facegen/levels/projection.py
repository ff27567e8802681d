"""Fit the vertices of a coarse mesh so that its surface is nearest to that of a fine mesh, by least squares.

Each vertex x of the fine mesh lies on a triangle of the coarse one; its three barycentric weights are a row of B. The
coarse vertices c minimise the sum of area * |B c - x|^2 + stiffness * |c - own|^2, where own is a vertex's original
position. The solution is linear in x, so it applies to a mean, to each column of a basis, and to colours. Example: a
coarse mesh whose vertices lie on a ball lies inside the ball. The fitted mesh lies partly outside and partly inside, so
its error is smaller.
"""

from __future__ import annotations

import numpy as np
import trimesh
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from dcign.arrays import Float32, Float64, Floating, Int32, Int64
from dcign.facegen.normals import VertexNormals

CANDIDATES = 32  # triangles near a vertex, on one of which it lies
LEAST_COSINE = 0.5  # between the normals of a vertex and its triangle: below it, they belong to different folds of skin
MM_PER_COSINE = 6.0  # penalty below LEAST_COSINE, as a distance
# Weight, times the mean area, that pulls a vertex to its own position; needed where no fine vertex is near.
STIFFNESS = 0.01


class Projection:
    """A map from values at all vertices of a mesh to values at the vertices of a coarser mesh, a subset of them."""

    def __init__(self, rest: Float32, triangles: Int32, mirror: Int32, coarse: Int64, pinned: Int64) -> None:
        """Prepare the map.

        rest (V, 3) mm, triangles (T, 3) and mirror (V,) are the fine mesh; coarse (t, 3) are the coarse triangles, as
        indices of the fine mesh's vertices. Values at pinned vertices do not change.
        """
        self.kept = np.unique(coarse)
        position = np.full(len(rest), -1)
        position[self.kept] = np.arange(len(self.kept))
        weights = _barycentric(rest.astype(np.float64), triangles, coarse)[:, self.kept]
        across = position[mirror[self.kept]]
        weights = (weights + weights[mirror][:, across]) / 2  # exactly symmetric
        area = _areas(rest, triangles)
        weighted = weights.T.multiply(area).tocsr()
        stiffness = np.full(len(self.kept), STIFFNESS * area.mean())
        self._free = ~np.isin(self.kept, pinned)
        normal = (weighted @ weights + diags(stiffness)).tocsc()
        self._weighted, self._stiffness = weighted[self._free], stiffness[self._free, None]
        self._of_pinned = normal[self._free][:, ~self._free]
        self._solve = splu(normal[self._free][:, self._free].tocsc()).solve

    def __call__(self, values: Floating) -> Float64:
        """Map values (V, k) to (v, k), float64."""
        fine = values.astype(np.float64)
        found = fine[self.kept]
        wanted = self._weighted @ fine + self._stiffness * found[self._free] - self._of_pinned @ found[~self._free]
        found[self._free] = self._solve(wanted)
        return found


def _barycentric(points: Float64, triangles: Int32, coarse: Int64) -> csr_matrix:
    """Return B (V, V): row v has the weights of vertex v on the nearest coarse triangle of its own fold of skin."""
    normals = VertexNormals(triangles, len(points))(points[None].astype(np.float32))[0]
    corners = points[coarse]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    nearest = np.full(len(points), np.inf)
    chosen = np.zeros(len(points), np.int64)
    nearest_points = np.zeros_like(points)
    _, near = cKDTree(corners.mean(1)).query(points, k=min(CANDIDATES, len(coarse)))
    for candidate in np.asarray(near).T:
        point = trimesh.triangles.closest_point(corners[candidate], points)  # type: ignore[no-untyped-call]
        turn = np.maximum(LEAST_COSINE - (facing[candidate] * normals).sum(1), 0)
        distance = ((point - points) ** 2).sum(1) + (MM_PER_COSINE * turn) ** 2
        better = distance < nearest
        nearest[better], chosen[better], nearest_points[better] = distance[better], candidate[better], point[better]
    weights = trimesh.triangles.points_to_barycentric(corners[chosen], nearest_points)  # type: ignore[no-untyped-call]
    weights = np.clip(weights, 0, 1)
    weights /= weights.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), 3)
    return csr_matrix((weights.ravel(), (rows, coarse[chosen].ravel())), shape=(len(points), len(points)))


def _areas(points: Float32, triangles: Int32) -> Float64:
    """Return a third of the area of the triangles around each vertex (V,)."""
    a, b, c = points[triangles].astype(np.float64).swapaxes(0, 1)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return np.asarray(np.bincount(triangles.ravel(), np.repeat(area / 3, 3), minlength=len(points)), np.float64)
