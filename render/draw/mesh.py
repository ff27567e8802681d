"""What all faces of a batch share: usually the triangles, and the part of the head of each vertex."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix

from dcign.arrays import Float32, Float64, Int32, UInt8
from dcign.render.draw.scene import Scene


@dataclass(frozen=True, eq=False)
class Mesh:
    """The mesh of all faces of a batch.

    triangles (T, 3), counter-clockwise from outside; rest (V, 3) mm, the mean face; parts (V,) index into part_names;
    uv (V, 2) in 0..1, v up, if faces have textures, which replace their albedos; own_triangles: each face brings its
    own triangles, at most T. Of `triangles` then only the length T is used. landmarks: name -> vertex.
    """

    triangles: Int32
    rest: Float32
    parts: UInt8
    part_names: tuple[str, ...]
    uv: Float32 | None = None
    own_triangles: bool = False
    landmarks: dict[str, int] = field(default_factory=dict)

    @property
    def vertices(self) -> int:
        """Number of vertices V."""
        return len(self.rest)


def gloss_rows(mesh: Mesh, scene: Scene) -> Float32:
    """Return the row of each vertex (V,) in the scene's table of gloss; parts without a row have the first."""
    numbers = {row.part: number for number, row in reversed(list(enumerate(scene.gloss)))}
    return np.array([numbers.get(name, 0) for name in mesh.part_names], np.float32)[mesh.parts]


def shadow_triangles(mesh: Mesh) -> Int32:
    """Return about a quarter of the triangles, on about a quarter of the vertices (t, 3): enough to cast a shadow.

    Take vertices from the most to the least prominent. Keep a vertex if no neighbour is kept. Each other vertex moves
    onto its nearest kept neighbour. Works for any mesh; closed meshes stay closed.
    """
    edges = np.concatenate([mesh.triangles[:, pair] for pair in ((0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2))])
    ones = np.ones(len(edges), np.int8)
    neighbours = csr_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(mesh.vertices, mesh.vertices))
    kept = np.zeros(mesh.vertices, bool)
    dropped = np.zeros(mesh.vertices, bool)
    for vertex in np.argsort(-_height(mesh, neighbours), kind="stable"):
        if not dropped[vertex]:
            kept[vertex] = True
            dropped[neighbours.indices[neighbours.indptr[vertex] : neighbours.indptr[vertex + 1]]] = True
    moves = edges[kept[edges[:, 1]] & ~kept[edges[:, 0]]]
    lengths = np.linalg.norm(mesh.rest[moves[:, 0]] - mesh.rest[moves[:, 1]], axis=1)
    moves = moves[np.argsort(-lengths, kind="stable")]
    onto = np.arange(mesh.vertices)
    onto[moves[:, 0]] = moves[:, 1]  # the last assignment, the nearest, wins
    moved = onto[mesh.triangles]
    proper = (moved[:, 0] != moved[:, 1]) & (moved[:, 1] != moved[:, 2]) & (moved[:, 2] != moved[:, 0])
    return np.ascontiguousarray(moved[proper], np.int32)


def _height(mesh: Mesh, neighbours: csr_matrix) -> Float64:
    """Return how far each vertex (V,) stands out from the mean of its neighbours, in whole micrometres."""
    points = mesh.rest.astype(np.float64)
    a, b, c = points[mesh.triangles].transpose(1, 0, 2)
    normals = np.zeros_like(points)
    for corner in mesh.triangles.T:
        np.add.at(normals, corner, np.cross(b - a, c - a))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    around = neighbours.astype(bool).astype(np.float64)  # an edge that two triangles share counts once
    means = (around @ points) / np.maximum(np.asarray(around.sum(1)), 1)
    return np.asarray(np.round(1000 * ((points - means) * normals).sum(1)))
