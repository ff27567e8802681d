"""Measuring a head: callipers between landmarks and tapes laid over the skin, as chains of points on the mesh.

A point lies on an edge of the mesh, so every length is a function of vertices, and its gradient is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import ConvexHull

from dcign.arrays import Float64, Integer

Vector = tuple[float, float, float]
EVERYWHERE: Vector = (1, 1, 1)


@dataclass(frozen=True)
class Calliper:
    """The straight distance between two landmarks; axes (0, 1, 0) counts its height alone."""

    start: str
    end: str
    axes: Vector = EVERYWHERE


@dataclass(frozen=True)
class Tape:
    """The tight tape round the head in the level plane through a landmark, lifted by `rise` mm.

    lean: degrees by which the plane climbs towards the back; hair: mm by which pressed hair keeps the tape off
    the skin.
    """

    at: str
    rise: float = 0.0
    lean: float = 0.0
    hair: float = 0.0


@dataclass(frozen=True)
class Arc:
    """The tight tape from one landmark over a second, on the midline, to a third."""

    start: str
    over: str
    end: str


Course = Calliper | Tape | Arc


@dataclass(frozen=True, eq=False)
class Chains:
    """M lengths on one mesh, each a sum of segments between points on edges.

    edges (P, 2) vertices; share (P,) how much of the point is its edge's first vertex; segments (S, 2) points; axes
    (S, 3) which count; first (M,) the first segment of each length; added (M,) mm, what hair adds.
    """

    edges: Integer
    share: Float64
    segments: Integer
    axes: Float64
    first: Integer
    added: Float64

    @property
    def vertices(self) -> Integer:
        """The vertices that any length depends on, ascending."""
        return np.unique(self.edges)

    def among(self, vertices: Integer) -> Chains:
        """The same chains on a mesh of which only these vertices, ascending, are kept."""
        return replace(self, edges=np.searchsorted(vertices, self.edges))


def lay(courses: Sequence[Course], vertices: Float64, triangles: Integer, landmarks: Mapping[str, int]) -> Chains:
    """Where the courses run on the mesh: vertices (V, 3) mm, triangles (T, 3)."""
    edges, share, segments, axes, first = [], [], list[Integer](), [], []
    points = 0
    for course in courses:
        own_edges, own_share, closed = _points(course, vertices, triangles, landmarks)
        count = len(own_edges)
        steps = np.stack([np.arange(count), np.roll(np.arange(count), -1)], 1)[: count if closed else count - 1]
        first.append(sum(len(part) for part in segments))
        edges.append(own_edges)
        share.append(own_share)
        segments.append(steps + points)
        axes.append(np.tile(course.axes if isinstance(course, Calliper) else EVERYWHERE, (len(steps), 1)))
        points += count
    return Chains(
        np.concatenate(edges),
        np.concatenate(share),
        np.concatenate(segments),
        np.concatenate(axes).astype(float),
        np.array(first),
        # A tape kept off a convex outline by h is longer by 2 pi h.
        np.array([2 * np.pi * course.hair if isinstance(course, Tape) else 0.0 for course in courses]),
    )


def lengths(chains: Chains, vertices: Float64) -> Float64:
    """All lengths of heads (..., V, 3) -> (..., M), mm."""
    spans = _spans(chains, vertices)
    return np.add.reduceat(np.sqrt((spans**2).sum(-1)), chains.first, -1) + chains.added


def length_slopes(chains: Chains, vertices: Float64, modes: Float64) -> Float64:
    """How much each mode (V, 3, K) changes each length of the head (V, 3), to first order: (M, K)."""
    spans = _spans(chains, vertices)
    directions = spans / np.linalg.norm(spans, axis=-1, keepdims=True)
    return np.add.reduceat(np.einsum("sc,sck->sk", directions, _moved_spans(chains, modes)), chains.first, 0)


def length_bias(chains: Chains, vertices: Float64, modes: Float64) -> Float64:
    """How much longer (M,) the lengths are on average than on the head (V, 3), if modes (V, 3, K) have unit variance.

    A span of length l whose direction sways: E |span| = l + (total variance - variance along it) / 2 l.
    """
    spans = _spans(chains, vertices)
    long = np.linalg.norm(spans, axis=-1)
    swaying = _moved_spans(chains, modes)
    along = np.einsum("sc,sck->sk", spans / long[:, None], swaying)
    return np.add.reduceat(((swaying**2).sum((1, 2)) - (along**2).sum(1)) / (2 * long), chains.first)


def _spans(chains: Chains, vertices: Float64) -> Float64:
    """The segments (..., S, 3) of heads (..., V, 3), axes that do not count set to zero."""
    first, second = chains.edges.T
    share = chains.share[:, None]
    points = share * vertices[..., first, :] + (1 - share) * vertices[..., second, :]
    start, end = chains.segments.T
    return np.asarray((points[..., end, :] - points[..., start, :]) * chains.axes)


def _moved_spans(chains: Chains, modes: Float64) -> Float64:
    """What modes (V, 3, K) do to the segments: (S, 3, K)."""
    return np.moveaxis(_spans(chains, np.moveaxis(modes, 2, 0)), 0, 2)


def _points(
    course: Course, vertices: Float64, triangles: Integer, landmarks: Mapping[str, int]
) -> tuple[Integer, Float64, bool]:
    """Points (n, 2) on edges, the share (n,) of the first vertex, and whether the chain closes."""
    match course:
        case Calliper(start, end):
            ends = np.array([landmarks[start], landmarks[end]])
            return np.stack([ends, ends], 1), np.ones(2), False
        case Tape(at, rise, lean, _):
            origin = vertices[landmarks[at]] + (0, rise, 0)
            backwards = np.array([0, np.sin(np.radians(lean)), -np.cos(np.radians(lean))])
            edges, share, flat = _section(vertices, triangles, origin, backwards)
            outline = ConvexHull(flat).vertices
            return edges[outline], share[outline], True
        case Arc(start, over, end):
            ends = np.array([landmarks[start], landmarks[end]])
            forwards = vertices[landmarks[over]] - vertices[ends].mean(0)
            edges, share, flat = _section(vertices, triangles, vertices[ends].mean(0), forwards * (0, 1, 1))
            ahead = flat[:, 1] > 1e-6
            corners = np.stack([vertices[ends][:, 0], np.zeros(2)], 1)
            edges = np.concatenate([np.stack([ends, ends], 1), edges[ahead]])
            share = np.concatenate([np.ones(2), share[ahead]])
            outline = ConvexHull(np.concatenate([corners, flat[ahead]])).vertices
            outline = np.roll(outline, -int(np.flatnonzero(outline == 0)[0]))
            if outline[1] == 1:  # the hull's closing side, from ear to ear through the head, is not skin
                outline = np.roll(outline[::-1], 1)
            return edges[outline], share[outline], False


def _section(
    vertices: Float64, triangles: Integer, origin: Float64, along: Float64
) -> tuple[Integer, Float64, Float64]:
    """The mesh cut by the plane through `origin` that contains +x and `along`.

    Edges (n, 2), the share (n,) of their first vertices, and where they are in the plane (n, 2): x and along.
    """
    along = along / np.linalg.norm(along)
    normal = np.cross((1, 0, 0), along)
    height = (vertices - origin) @ normal
    edges = np.unique(
        np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), 1), axis=0
    )
    first, second = height[edges].T
    crossed = (first > 0) != (second > 0)
    edges, first, second = edges[crossed], first[crossed], second[crossed]
    share = second / (second - first)
    points = share[:, None] * vertices[edges[:, 0]] + (1 - share)[:, None] * vertices[edges[:, 1]]
    return edges, share, np.stack([points[:, 0], (points - origin) @ along], 1)
