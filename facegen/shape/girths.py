"""Measure a head: callipers between landmarks, and tapes over the skin, as chains of points on the mesh.

Each point lies on an edge of the mesh, so that every length is a function of the vertices with an exact gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from dcign.arrays import Float64, Integer

Vector = tuple[float, float, float]
EVERYWHERE: Vector = (1, 1, 1)


@dataclass(frozen=True)
class Calliper:
    """The straight distance between two landmarks. Axes (0, 1, 0) measure only its height."""

    start: str
    end: str
    axes: Vector = EVERYWHERE


@dataclass(frozen=True)
class Tape:
    """A tight tape around the head, in the horizontal plane through a landmark, raised by `rise` mm.

    lean: degrees by which the plane rises towards the back; hair: thickness of pressed hair under the tape, mm.
    """

    at: str
    rise: float = 0.0
    lean: float = 0.0
    hair: float = 0.0


@dataclass(frozen=True)
class Arc:
    """A tight tape from one landmark over a second, on the midline, to a third."""

    start: str
    over: str
    end: str


Course = Calliper | Tape | Arc


@dataclass(frozen=True, eq=False)
class Chains:
    """M lengths on one mesh, each a sum of segments between points on edges.

    edges (P, 2): vertices; share (P,): weight of the edge's first vertex in each point; segments (S, 2): points; axes
    (S, 3): 1 for the axes that count; first (M,): first segment of each length; added (M,): mm added for hair.
    """

    edges: Integer
    share: Float64
    segments: Integer
    axes: Float64
    first: Integer
    added: Float64


def lay(courses: Sequence[Course], vertices: Float64, triangles: Integer, landmarks: Mapping[str, int]) -> Chains:
    """Find where the courses run on a mesh: vertices (V, 3) mm, triangles (T, 3)."""
    edges, share, segments, axes = [], [], list[Integer](), []
    points = 0
    for course in courses:
        own_edges, own_share, closed = _points(course, vertices, triangles, landmarks)
        numbers = np.arange(points, points + len(own_edges))
        steps = np.stack([numbers, np.roll(numbers, -1)], 1)[: None if closed else -1]
        edges.append(own_edges)
        share.append(own_share)
        segments.append(steps)
        axes.append(np.tile(course.axes if isinstance(course, Calliper) else EVERYWHERE, (len(steps), 1)))
        points += len(own_edges)
    return Chains(
        np.concatenate(edges),
        np.concatenate(share),
        np.concatenate(segments),
        np.concatenate(axes).astype(float),
        np.cumsum([0, *(len(steps) for steps in segments[:-1])]),
        # At a distance h from a convex outline, a tape is longer by 2 pi h.
        np.array([2 * np.pi * course.hair if isinstance(course, Tape) else 0.0 for course in courses]),
    )


def lengths(chains: Chains, vertices: Float64) -> Float64:
    """Measure all lengths of heads (..., V, 3) -> (..., M), mm."""
    spans = _spans(chains, vertices)
    return np.add.reduceat(np.sqrt((spans**2).sum(-1)), chains.first, -1) + chains.added


def length_slopes(chains: Chains, vertices: Float64, modes: Float64) -> Float64:
    """Return the derivative (M, K) of each length of the head (V, 3) by each mode (V, 3, K)."""
    spans = _spans(chains, vertices)
    directions = spans / np.linalg.norm(spans, axis=-1, keepdims=True)
    return np.add.reduceat(np.einsum("sc,sck->sk", directions, _moved_spans(chains, modes)), chains.first, 0)


def length_bias(chains: Chains, vertices: Float64, modes: Float64) -> Float64:
    """Return the mean excess (M,) of the lengths over those of the head (V, 3), for modes (V, 3, K) of unit variance.

    A segment of length l whose direction varies: E |segment| = l + (total variance - variance along it) / 2 l.
    """
    spans = _spans(chains, vertices)
    long = np.linalg.norm(spans, axis=-1)
    moved = _moved_spans(chains, modes)
    along = np.einsum("sc,sck->sk", spans / long[:, None], moved)
    return np.add.reduceat(((moved**2).sum((1, 2)) - (along**2).sum(1)) / (2 * long), chains.first)


def _spans(chains: Chains, vertices: Float64) -> Float64:
    """Return the segments (..., S, 3) of heads (..., V, 3), with zeros for axes that do not count."""
    first, second = chains.edges.T
    share = chains.share[:, None]
    points = share * vertices[..., first, :] + (1 - share) * vertices[..., second, :]
    start, end = chains.segments.T
    return np.asarray((points[..., end, :] - points[..., start, :]) * chains.axes)


def _moved_spans(chains: Chains, modes: Float64) -> Float64:
    """Return the change (S, 3, K) of the segments by modes (V, 3, K)."""
    return np.moveaxis(_spans(chains, np.moveaxis(modes, 2, 0)), 0, 2)


def _points(
    course: Course, vertices: Float64, triangles: Integer, landmarks: Mapping[str, int]
) -> tuple[Integer, Float64, bool]:
    """Return edges (n, 2), the share (n,) of their first vertices, and whether the chain is closed."""
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
            if outline[1] == 1:  # the closing side of the hull runs from ear to ear through the head
                outline = np.roll(outline[::-1], 1)
            return edges[outline], share[outline], False


def _section(
    vertices: Float64, triangles: Integer, origin: Float64, along: Float64
) -> tuple[Integer, Float64, Float64]:
    """Cut the mesh by the plane through `origin` that contains +x and `along`.

    Return edges (n, 2), the share (n,) of their first vertices, and coordinates in the plane (n, 2): x and along.
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
