"""Which side of a triangle is outside, and which triangles bound a solid.

Triangles hang together across edges that exactly two of them share. A piece without any other edge is closed: it
bounds a solid and is seen from outside alone. All else is seen from both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dcign.arrays import Bool, Float64, Int64
from dcign.facegen.objects.soup import Soup


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges that exactly two triangles share.

    triangles (E, 2): the two; corners (E, 2, 2): for each of the two, which of its corners are the edge's two points,
    the point of the smaller number first; against (E,): whether the two run through it in opposite directions, as they
    do on a surface with one outside.
    """

    triangles: Int64
    corners: Int64
    against: Bool


def shared_edges(triangles: Int64) -> Edges:
    """Of triangles (T, 3)."""
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
    """Triangles turned so that neighbours agree and solids face outward; and which of them bound a solid (T,)."""
    edges = shared_edges(soup.triangles)
    turned = _turned(edges, len(soup.triangles))
    piece = _pieces(edges, len(soup.triangles))
    agree = edges.against == (turned[edges.triangles[:, 0]] == turned[edges.triangles[:, 1]])
    count = int(piece.max()) + 1
    joints = np.bincount(piece[edges.triangles[:, 0]], agree, count)  # of a closed piece: 3 edges for 2 triangles
    closed = 2 * joints == 3 * np.bincount(piece, minlength=count)
    soup = _flipped(soup, turned)
    volumes = np.bincount(piece, np.linalg.det(soup.points[soup.triangles]), count)
    return _flipped(soup, (closed & (volumes < 0))[piece]), closed[piece]


def _turned(edges: Edges, count: int) -> Bool:
    """Which triangles to turn over, so that neighbours agree wherever a surface has two sides.

    Each triangle is two nodes, as it is and turned over; neighbours link what agrees. A surface with two sides is then
    two separate sets of nodes: one is taken.
    """
    one, other = edges.triangles.T
    shift = np.where(edges.against, 0, count)
    rows = np.concatenate([one, one + count])
    columns = np.concatenate([other + shift, other + count - shift])
    links = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(2 * count, 2 * count))
    label = connected_components(links, directed=False)[1]
    return np.asarray(label[count:] < label[:count])


def _pieces(edges: Edges, count: int) -> Int64:
    """The number of the piece that each triangle belongs to (T,)."""
    links = coo_array((np.ones(len(edges.triangles), np.int8), tuple(edges.triangles.T)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def _flipped(soup: Soup, which: Bool) -> Soup:
    """Some of the triangles turned over."""
    order = np.where(which[:, None], (0, 2, 1), (0, 1, 2))
    colours = np.take_along_axis(soup.colours, order[..., None], axis=1)
    return Soup(soup.points, np.take_along_axis(soup.triangles, order, axis=1), colours)


def crease_normals(soup: Soup, crease_degrees: float) -> tuple[Int64, Float64]:
    """Normals that are smooth across an edge unless it is a crease.

    -> which normal each corner has (T, 3), and unit normals (N, 3); corners of a point that no crease parts share one
    """
    corners = soup.points[soup.triangles]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing = areas / np.maximum(np.linalg.norm(areas, axis=1, keepdims=True), 1e-300)
    edges = shared_edges(soup.triangles)
    one, other = edges.triangles.T
    smooth = edges.against & ((facing[one] * facing[other]).sum(axis=1) > np.cos(np.radians(crease_degrees)))
    ends = 3 * edges.triangles[smooth][:, :, None] + edges.corners[smooth]  # (E, 2 triangles, 2 ends): corners' numbers
    rows, columns = ends[:, 0].ravel(), ends[:, 1].ravel()
    count = soup.triangles.size
    links = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(count, count))
    groups, group = connected_components(links, directed=False)
    sums = np.stack([np.bincount(group, np.repeat(areas[:, axis], 3), groups) for axis in range(3)], axis=1)
    normals = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-300)
    return group.reshape(-1, 3).astype(np.int64), np.asarray(normals, np.float64)
