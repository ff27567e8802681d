"""Find which side of a triangle is outside, and which triangles bound a solid.

Triangles are connected across edges that exactly two of them share. A component without other edges is closed: it
bounds a solid and is visible only from outside. All other triangles are visible from both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Bool, Float64, Int64
from dcign.facegen.objects.soup import Soup, connected


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges that exactly two triangles share.

    triangles (E, 2): the two that share the edge; corners (E, 2, 2): which corners of each are the ends of the edge,
    the end with the smaller point number first; against (E,): whether the two traverse it in opposite directions, as
    they do on a consistently oriented surface.
    """

    triangles: Int64
    corners: Int64
    against: Bool


def shared_edges(triangles: Int64) -> Edges:
    """Return the shared edges of triangles (T, 3)."""
    first = np.repeat(np.arange(3)[None], len(triangles), axis=0).ravel()
    owner = np.repeat(np.arange(len(triangles)), 3)
    a, b = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    forward = a < b
    order = np.lexsort((np.maximum(a, b), np.minimum(a, b)))
    keys = np.stack([np.minimum(a, b), np.maximum(a, b)], axis=1)[order]
    new = np.concatenate([[True], (keys[1:] != keys[:-1]).any(axis=1)])
    starts = np.flatnonzero(new)
    pairs = starts[np.diff(np.append(starts, len(keys))) == 2]
    both = np.stack([order[pairs], order[pairs + 1]], axis=1)  # half-edges
    low = np.where(forward[both], first[both], (first[both] + 1) % 3)
    high = np.where(forward[both], (first[both] + 1) % 3, first[both])
    return Edges(owner[both], np.stack([low, high], axis=2), forward[both[:, 0]] != forward[both[:, 1]])


def oriented(soup: Soup) -> tuple[Soup, Bool]:
    """Flip triangles so that neighbours agree and solids face outward. Return also which bound a solid (T,)."""
    edges = shared_edges(soup.triangles)
    turned = _turned(edges, len(soup.triangles))
    piece = connected(edges.triangles[:, 0], edges.triangles[:, 1], len(soup.triangles))
    agree = edges.against == (turned[edges.triangles[:, 0]] == turned[edges.triangles[:, 1]])
    count = int(piece.max()) + 1
    joints = np.bincount(piece[edges.triangles[:, 0]], agree, count)  # a closed component has 3 edges per 2 triangles
    closed = 2 * joints == 3 * np.bincount(piece, minlength=count)
    soup = _flipped(soup, turned)
    volumes = np.bincount(piece, np.linalg.det(soup.points[soup.triangles]), count)
    return _flipped(soup, (closed & (volumes < 0))[piece]), closed[piece]


def _turned(edges: Edges, count: int) -> Bool:
    """Return which triangles (T,) to flip, so that neighbours agree wherever a surface is orientable.

    Each triangle is two nodes of a graph, as it is and flipped. Neighbours link the nodes that agree. An orientable
    surface is then two separate components: we take one.
    """
    one, other = edges.triangles.T
    shift = np.where(edges.against, 0, count)
    rows = np.concatenate([one, one + count])
    columns = np.concatenate([other + shift, other + count - shift])
    label = connected(rows, columns, 2 * count)
    return np.asarray(label[count:] < label[:count])


def _flipped(soup: Soup, which: Bool) -> Soup:
    """Flip some of the triangles."""
    order = np.where(which[:, None], (0, 2, 1), (0, 1, 2))
    colours = np.take_along_axis(soup.colours, order[..., None], axis=1)
    return Soup(soup.points, np.take_along_axis(soup.triangles, order, axis=1), colours)


def crease_normals(soup: Soup, crease_degrees: float) -> tuple[Int64, Float64]:
    """Return the number of the normal of each corner (T, 3), and unit normals (N, 3).

    Corners at one point share a normal unless an edge sharper than the crease separates them.
    """
    corners = soup.points[soup.triangles]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing = areas / np.maximum(np.linalg.norm(areas, axis=1, keepdims=True), 1e-300)
    edges = shared_edges(soup.triangles)
    one, other = edges.triangles.T
    smooth = edges.against & ((facing[one] * facing[other]).sum(axis=1) > np.cos(np.radians(crease_degrees)))
    ends = 3 * edges.triangles[smooth][:, :, None] + edges.corners[smooth]  # corner numbers (E, 2 triangles, 2 ends)
    group = connected(ends[:, 0].ravel(), ends[:, 1].ravel(), soup.triangles.size)
    sums = np.stack([np.bincount(group, np.repeat(areas[:, axis], 3)) for axis in range(3)], axis=1)
    normals = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-300)
    return group.reshape(-1, 3), np.asarray(normals, np.float64)
