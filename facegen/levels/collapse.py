"""Edge collapse by quadrics in any number of dimensions: which vertices a coarser mesh keeps, and its triangles.

Garland and Heckbert 1998: each vertex has the sum of squared distances, in R^n, to the planes of the triangles that
it replaces, weighted by their areas. n is 3 for shape alone; further dimensions hold whatever else must be kept, such
as colour, in the same units. A vertex only moves onto a neighbour, so that the vertices kept are vertices of the mesh.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from dcign.arrays import Float64, Int64

LEAST_COSINE = 0.2  # between the normals of a triangle before and after a collapse
FREE, EDGE, FIXED = 0, 1, 2  # a vertex may move onto any neighbour, only along the edge of the mesh, or not at all


def collapse_edges(
    triangles: Int64, features: Float64, faces: Float64, kind: Int64, counts: Sequence[int]
) -> list[Int64]:
    """Collapse edges until no more than each of `counts` vertices are left, or no more collapses are allowed.

    Parameters
    ----------
    triangles: (T, 3)
    features: (V, n) mm, the space in which errors are measured
    faces: (N, V, 3) shapes of the mesh; no triangle may turn over in any of them
    kind: (V,) FREE, EDGE or FIXED
    counts: numbers of vertices, in descending order

    Returns
    -------
    For each count the triangles (t, 3), into the same vertices.
    """
    mesh = _Mesh(triangles, features, faces, kind)
    found = []
    for count in counts:
        mesh.reduce(count)
        found.append(mesh.triangles[mesh.alive])
    return found


class _Mesh:
    """A mesh during collapse: its triangles, the triangles around each vertex, quadrics, and a heap of edges."""

    def __init__(self, triangles: Int64, features: Float64, faces: Float64, kind: Int64) -> None:
        self.triangles = triangles.astype(np.int64).copy()
        self.alive = np.ones(len(triangles), bool)
        self.features, self.faces, self.kind = features, faces, kind
        self.around: list[set[int]] = [set() for _ in range(len(features))]
        for index, corners in enumerate(self.triangles.tolist()):
            for corner in corners:
                self.around[corner].add(index)
        self.matrix, self.vector, self.constant = _quadrics(self.triangles, features)
        self.left = sum(1 for owned in self.around if owned)
        self.version = [0] * len(features)
        self.heap: list[tuple[float, int, int, int, int]] = []
        start, end = self.triangles.ravel(), np.roll(self.triangles, -1, 1).ravel()
        both = np.unique(np.concatenate([np.stack([start, end], 1), np.stack([end, start], 1)]), axis=0)
        self._push(both[:, 0], both[:, 1])

    def reduce(self, count: int) -> None:
        """Collapse the cheapest edges until `count` vertices are left."""
        while self.left > count and self.heap:
            _, vertex, onto, seen, other = heapq.heappop(self.heap)
            if seen == self.version[vertex] and other == self.version[onto] and self._allowed(vertex, onto):
                self._move(vertex, onto)

    def _move(self, vertex: int, onto: int) -> None:
        """Collapse the edge from a vertex to another."""
        for index in list(self.around[vertex]):
            corners = self.triangles[index]
            if onto in corners:
                self.alive[index] = False
                for corner in corners.tolist():
                    self.around[corner].discard(index)
            else:
                corners[corners == vertex] = onto
                self.around[onto].add(index)
        self.around[vertex] = set()
        for sums in (self.matrix, self.vector, self.constant):
            sums[onto] += sums[vertex]
        self.left -= 1
        self.version[vertex] += 1
        self.version[onto] += 1
        near = np.array(sorted(self._neighbours(onto)))
        here = np.full(len(near), onto)
        self._push(np.concatenate([near, here]), np.concatenate([here, near]))

    def _neighbours(self, vertex: int) -> set[int]:
        found = {corner for index in self.around[vertex] for corner in self.triangles[index].tolist()}
        found.discard(vertex)
        return found

    def _allowed(self, vertex: int, onto: int) -> bool:
        """Return whether the mesh stays a surface (the link condition) and no triangle turns over."""
        shared = self.around[vertex] & self.around[onto]
        if self.kind[vertex] == EDGE and len(shared) != 1:
            return False
        if len(self._neighbours(vertex) & self._neighbours(onto)) != len(shared):
            return False
        moved = np.array(sorted(self.around[vertex] - shared), np.int64)
        if not len(moved):
            return False
        corners = self.triangles[moved]
        after = np.where(corners == vertex, onto, corners)
        old, new = (_normals(self.faces[:, each]) for each in (corners, after))
        return bool(((old * new).sum(-1) > LEAST_COSINE * np.sqrt((old * old).sum(-1) * (new * new).sum(-1))).all())

    def _push(self, vertices: Int64, onto: Int64) -> None:
        """Add those collapses that the kinds of the vertices allow to the heap, with their costs."""
        movable = self.kind[vertices] != FIXED
        movable &= (self.kind[vertices] != EDGE) | (self.kind[onto] != FREE)
        vertices, onto = vertices[movable], onto[movable]
        at = self.features[onto]
        matrix = self.matrix[vertices] + self.matrix[onto]
        vector = self.vector[vertices] + self.vector[onto]
        cost = (((matrix @ at[..., None])[..., 0] + 2 * vector) * at).sum(1)
        cost += self.constant[vertices] + self.constant[onto]
        for each, vertex, other in zip(cost.tolist(), vertices.tolist(), onto.tolist(), strict=True):
            heapq.heappush(self.heap, (each, vertex, other, self.version[vertex], self.version[other]))


def _quadrics(triangles: Int64, features: Float64) -> tuple[Float64, Float64, Float64]:
    """Return the quadrics, sums over each vertex's triangles: matrix A (V, n, n), vector b (V, n), constant c (V,).

    The squared distance of x to the plane of a triangle at p with orthonormal e, f in it is
    x A x + 2 b x + c, with A = 1 - e e - f f, b = (p.e) e + (p.f) f - p, c = p.p - (p.e)^2 - (p.f)^2
    """
    p, q, r = features[triangles].swapaxes(0, 1)
    first, second = q - p, r - p
    e = first / np.maximum(np.linalg.norm(first, axis=1), 1e-9)[:, None]
    across = second - (second * e).sum(1, keepdims=True) * e
    height = np.linalg.norm(across, axis=1)
    f = across / np.maximum(height, 1e-9)[:, None]
    area = np.linalg.norm(first, axis=1) * height / 2
    along_e, along_f = (p * e).sum(1), (p * f).sum(1)
    parts = (
        area[:, None, None] * (np.eye(features.shape[1]) - e[:, :, None] * e[:, None] - f[:, :, None] * f[:, None]),
        area[:, None] * (along_e[:, None] * e + along_f[:, None] * f - p),
        area * ((p * p).sum(1) - along_e**2 - along_f**2),
    )
    sums = [np.zeros((len(features), *part.shape[1:])) for part in parts]
    for total, part in zip(sums, parts, strict=True):
        for corner in triangles.T:
            np.add.at(total, corner, part)
    return sums[0], sums[1], sums[2]


def _normals(corners: Float64) -> Float64:
    """Return normals (N, t, 3) of triangles (N, t, 3, 3), twice as long as the areas; np.cross is slow on so few."""
    a, b = corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0]
    return np.asarray(a[..., [1, 2, 0]] * b[..., [2, 0, 1]] - a[..., [2, 0, 1]] * b[..., [1, 2, 0]])
