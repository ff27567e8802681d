"""The hair layer: a closed surface over the bare head, anchored to it, one topology for every cut.

A vertex lies at the weighted mean of a few head vertices, which carries it along with every identity, plus what the
cut says: offsets + length * by_length + volume * by_volume. Where a cut has no hair, the surface hides in the head.
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

NEIGHBOURS = 8  # head vertices that carry a vertex of hair: one alone would pass every dent on
REACH = 9.0  # mm: how far their weights reach
NAPE = -60.0  # mm: below, hair goes with the neck
NECKS_SHARE = 0.6
ON_EAR = 0.1  # of the mask: above, a head vertex carries no hair of the scalp
SCALP_CUT, FRINGE_CUT, HANGING_CUT = "cropped", "fringe", "long, parted"  # whose places say what carries what


@dataclass(frozen=True, eq=False)
class HairLayer:
    """What the model's hair is made of.

    anchors (Vh, k) head vertices and weights (Vh, k), which sum to 1; triangles (Th, 3), outward; mirror (Vh,);
    cut_names (S,); offsets, by_length, by_volume (S, Vh, 3) mm; strand (Vh, 2): around the head, 0 front to 1 back, the
    same on both sides, and along the strand, 0 root to 1 tip; openness (S, Vh), 1 in the open, less where hair lies
    under hair.
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
        """Values of the head's vertices (V, ...), carried over to the hair's (Vh, ...)."""
        rows = np.repeat(np.arange(len(self.anchors)), self.anchors.shape[1])
        shape = (len(self.anchors), len(values))
        mixing = csr_matrix((self.weights.ravel(), (rows, self.anchors.ravel())), shape=shape)
        return np.asarray(mixing @ values.reshape(len(values), -1)).reshape(-1, *values.shape[1:])


def hair_layer(template: Template, regions: Regions) -> HairLayer:
    """The layer over a template."""
    finest = globe()
    anchors, weights = _anchored(template, regions, finest)
    mean, longer, fuller, openness = (
        np.stack(parts) for parts in zip(*(_cut(index, finest) for index in range(len(CUTS))), strict=True)
    )
    layer = HairLayer(
        anchors=anchors.astype(np.int32),
        weights=weights,
        triangles=finest.triangles.astype(np.int32),
        mirror=finest.mirror.astype(np.int32),
        cut_names=CUT_NAMES,
        offsets=mean,
        by_length=longer,
        by_volume=fuller,
        # The crown's vertex is on all strands at once: halfway around, it bends the fewest.
        strand=np.stack(
            [np.where(finest.ring < 0, 0.5, finest.column / COLUMNS), np.clip(finest.ring, 0, RINGS - 1) / (RINGS - 1)],
            1,
        ),
        openness=openness,
    )
    return replace(layer, offsets=mean - layer.carried(template.vertices))


def _cut(index: int, whole: Globe) -> tuple[Float64, Float64, Float64, Float64]:
    """A cut's vertices (Vh, 3), what a deviation of length and of volume adds (Vh, 3), openness (Vh,)."""
    if index == 0:  # bald: all of it deep in the head, as a speck
        speck = HIDDEN + 0.05 * _spread(drape(CUTS[1]), whole)
        return speck, np.zeros_like(speck), np.zeros_like(speck), np.zeros(len(speck))
    cut = CUTS[index]
    mean = drape(cut)
    longer, shorter = (_spread(drape(cut, length=sign), whole) for sign in (1.0, -1.0))
    fuller, flatter = (_spread(drape(cut, volume=sign), whole) for sign in (1.0, -1.0))
    openness = np.concatenate([[0.9, 0.3], mean.openness[whole.column[2:], whole.ring[2:]]])
    return _spread(mean, whole), (longer - shorter) / 2, (fuller - flatter) / 2, openness


def _spread(half: Drape, whole: Globe) -> Float64:
    """The whole surface (Vh, 3) from the left half's strands."""
    around = half.positions[whole.column[2:], whole.ring[2:]]
    around[whole.side[2:] < 0, 0] *= -1
    return np.concatenate([half.poles, around])


def _anchored(template: Template, regions: Regions, whole: Globe) -> tuple[Int64, Float64]:
    """Head vertices (Vh, 2k) that carry each vertex, and their weights, the same on both sides."""
    by_name = {name: index for index, name in enumerate(CUT_NAMES)}
    scalp, fringe, hanging = (drape(CUTS[by_name[name]]) for name in (SCALP_CUT, FRINGE_CUT, HANGING_CUT))
    places = hanging.positions.copy()
    places[:, :SCALP_RINGS] = scalp.positions[:, :SCALP_RINGS]
    in_front = slice(SCALP_RINGS, SCALP_RINGS + FRINGE_RINGS)
    front = places[:, -2, 0] < 0.6 * places[:, -2, 0].max()
    front &= np.arange(COLUMNS + 1) < COLUMNS // 2
    places[front, in_front] = fringe.positions[front, in_front]
    # Hair hangs from the head, and gives way to the neck: what is far down follows what is halfway.
    low = np.minimum(places[..., 1] - NAPE, 0)
    places[..., 1] -= (1 - NECKS_SHARE) * low
    targets = np.concatenate([scalp.poles, places[whole.column[2:], whole.ring[2:]]])
    on_scalp = whole.ring < SCALP_RINGS
    anchors = np.empty((len(targets), NEIGHBOURS), np.int64)
    weights = np.empty(anchors.shape)
    bare = np.flatnonzero(regions.ear < ON_EAR)
    for rows, candidates in ((on_scalp, bare), (~on_scalp, np.arange(len(template.vertices)))):
        distances, found = cKDTree(template.vertices[candidates]).query(targets[rows], NEIGHBOURS)
        anchors[rows] = candidates[np.asarray(found)]
        away = np.asarray(distances)
        beyond = away - away.min(1, keepdims=True)
        weights[rows] = np.exp(-((beyond / REACH) ** 2))
    return _on_both_sides(anchors, weights, whole, template)


def _on_both_sides(anchors: Int64, weights: Float64, whole: Globe, template: Template) -> tuple[Int64, Float64]:
    """Anchors (Vh, k) -> (Vh, 2k) of which the right half's are the left's, mirrored; the midline's are both."""
    right = whole.side < 0
    middle = whole.side == 0
    first = np.where(right[:, None], template.mirror[anchors], anchors)
    second = np.where(middle[:, None], template.mirror[anchors], first)
    both = np.concatenate([first, second], 1)
    doubled = np.concatenate([weights, weights], 1)
    return both, doubled / doubled.sum(1, keepdims=True)
