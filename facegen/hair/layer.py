"""The hair layer: a closed surface over the bare head, anchored to it, with one topology for all cuts.

The position of a vertex is the weighted mean of a few head vertices, so that it follows every identity, plus the
displacement of the cut: offsets + length * by_length + volume * by_volume. Where a cut has no hair, the surface is
hidden in the head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from dcign.arrays import Float64, Floating, Int32, Int64
from dcign.facegen.hair.grid import COLUMNS, RINGS, SCALP_RINGS, Globe, globe
from dcign.facegen.hair.strands import FRINGE_RINGS, HIDDEN, Drape, drape
from dcign.facegen.haircuts import CUT_NAMES, CUTS
from dcign.facegen.template.mesh import Template
from dcign.facegen.template.regions import Regions

NEIGHBOURS = 8  # head vertices that carry a vertex of hair: the hair would copy every dent around a single one
REACH = 9.0  # mm: width of their weights
NAPE = -60.0  # mm: below, hair follows the neck
NECKS_SHARE = 0.6
ON_EAR = 0.1  # of the mask: above, a head vertex carries no hair of the scalp
SCALP_CUT, FRINGE_CUT, HANGING_CUT = "cropped", "fringe", "long, parted"  # the anchors fit the shapes of these cuts


@dataclass(frozen=True, eq=False)
class HairLayer:
    """The Vh vertices of the hair and their displacements by S cuts.

    anchors (Vh, k): head vertices; weights (Vh, k), which sum to 1; triangles (Th, 3), outward; mirror (Vh,);
    cut_names (S,); offsets, by_length, by_volume (S, Vh, 3) mm; strand (Vh, 2): position around the head, 0 front to 1
    back, the same on both sides, and along the strand, 0 root to 1 tip; openness (S, Vh): 1 outside, less under hair.
    """

    anchors: Int32
    weights: Float64
    triangles: Int32
    mirror: Int32
    cut_names: tuple[str, ...]
    offsets: Float64
    by_length: Float64
    by_volume: Float64
    strand: Float64
    openness: Float64

    def carried(self, values: Floating) -> Float64:
        """Interpolate values of the head's vertices (V, ...) at those of the hair (Vh, ...)."""
        rows = np.repeat(np.arange(len(self.anchors)), self.anchors.shape[1])
        shape = (len(self.anchors), len(values))
        mixing = csr_matrix((self.weights.ravel(), (rows, self.anchors.ravel())), shape=shape)
        return np.asarray(mixing @ values.reshape(len(values), -1)).reshape(-1, *values.shape[1:])


def hair_layer(template: Template, regions: Regions) -> HairLayer:
    """Make the layer over a template."""
    surface = globe()
    anchors, weights = _anchored(template, regions, surface)
    mean, longer, fuller, openness = (
        np.stack(parts) for parts in zip(*(_cut(index, surface) for index in range(len(CUTS))), strict=True)
    )
    along = np.clip(surface.ring, 0, RINGS - 1) / (RINGS - 1)
    layer = HairLayer(
        anchors=anchors.astype(np.int32),
        weights=weights,
        triangles=surface.triangles.astype(np.int32),
        mirror=surface.mirror.astype(np.int32),
        cut_names=CUT_NAMES,
        offsets=mean,
        by_length=longer,
        by_volume=fuller,
        # The vertex at the crown belongs to all strands: halfway around, it distorts the fewest.
        strand=np.stack([np.where(surface.ring < 0, 0.5, surface.column / COLUMNS), along], 1),
        openness=openness,
    )
    return replace(layer, offsets=mean - layer.carried(template.vertices))


def _cut(index: int, surface: Globe) -> tuple[Float64, Float64, Float64, Float64]:
    """Return a cut's vertices, their change per deviation of length and of volume (Vh, 3), and openness (Vh,)."""
    if index == 0:  # bald: all hair is a speck deep in the head
        speck = HIDDEN + 0.05 * _spread(drape(CUTS[1]), surface)
        return speck, np.zeros_like(speck), np.zeros_like(speck), np.zeros(len(speck))
    cut = CUTS[index]
    mean = drape(cut)
    longer, shorter = (_spread(drape(cut, length=sign), surface) for sign in (1.0, -1.0))
    fuller, flatter = (_spread(drape(cut, volume=sign), surface) for sign in (1.0, -1.0))
    openness = np.concatenate([[0.9, 0.3], mean.openness[surface.column[2:], surface.ring[2:]]])
    return _spread(mean, surface), (longer - shorter) / 2, (fuller - flatter) / 2, openness


def _spread(half: Drape, surface: Globe) -> Float64:
    """Return the complete surface (Vh, 3) from the strands of the left half."""
    around = half.positions[surface.column[2:], surface.ring[2:]]
    around[surface.side[2:] < 0, 0] *= -1
    return np.concatenate([half.poles, around])


def _anchored(template: Template, regions: Regions, surface: Globe) -> tuple[Int64, Float64]:
    """Return the head vertices (Vh, 2k) that carry each vertex, and their weights, the same on both sides."""
    scalp, fringe, hanging = (drape(CUTS[CUT_NAMES.index(name)]) for name in (SCALP_CUT, FRINGE_CUT, HANGING_CUT))
    positions = hanging.positions.copy()
    positions[:, :SCALP_RINGS] = scalp.positions[:, :SCALP_RINGS]
    in_front = slice(SCALP_RINGS, SCALP_RINGS + FRINGE_RINGS)
    front = positions[:, -2, 0] < 0.6 * positions[:, -2, 0].max()
    front &= np.arange(COLUMNS + 1) < COLUMNS // 2
    positions[front, in_front] = fringe.positions[front, in_front]
    # Hair hangs from the head and moves away from the neck: the lowest hair follows points that are higher up.
    positions[..., 1] -= (1 - NECKS_SHARE) * np.minimum(positions[..., 1] - NAPE, 0)
    targets = np.concatenate([scalp.poles, positions[surface.column[2:], surface.ring[2:]]])
    on_scalp = surface.ring < SCALP_RINGS
    anchors = np.empty((len(targets), NEIGHBOURS), np.int64)
    weights = np.empty(anchors.shape)
    bare = np.flatnonzero(regions.ear < ON_EAR)
    for rows, candidates in ((on_scalp, bare), (~on_scalp, np.arange(len(template.vertices)))):
        distances, found = cKDTree(template.vertices[candidates]).query(targets[rows], NEIGHBOURS)
        anchors[rows] = candidates[np.asarray(found)]
        beyond = np.asarray(distances) - np.min(distances, 1, keepdims=True)
        weights[rows] = np.exp(-((beyond / REACH) ** 2))
    return _on_both_sides(anchors, weights, surface, template)


def _on_both_sides(anchors: Int64, weights: Float64, surface: Globe, template: Template) -> tuple[Int64, Float64]:
    """Mirror the left anchors (Vh, k) to the right; anchors on the midline are of both sides: (Vh, 2k)."""
    side = surface.side[:, None]
    first = np.where(side < 0, template.mirror[anchors], anchors)
    second = np.where(side == 0, template.mirror[anchors], first)
    both = np.concatenate([first, second], 1)
    doubled = np.concatenate([weights, weights], 1)
    return both, doubled / doubled.sum(1, keepdims=True)
