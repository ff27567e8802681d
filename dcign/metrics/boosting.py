"""Gradient boosted trees, as scikit-learn's GradientBoostingClassifier and -Regressor grow them, several times as fast.

100 stages of a regression tree a class, 3 splits deep, on the gradient of the cross-entropy, rate .1; for numbers, one
tree a stage, on what is left to explain. Splits are sought
between bins of equal numbers of examples, in place of every two neighbouring values: with no more examples than
bins, the trees are scikit-learn's own.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from dcign.arrays import Float32, Floating, Int64

STAGES = 100
DEPTH = 3
RATE = 0.1
BINS = 1024
PURE = float(np.finfo(float).eps)  # squared error an example: nothing left to split
APART = 1e-7  # values no further apart are never split, as in scikit-learn, which also keeps inputs in float32


@dataclass(frozen=True, eq=False)
class _Tree:
    """A full tree of DEPTH levels, nodes in heap order; a node that was not split sends all to the left.

    feature, threshold (2^DEPTH - 1,); value (2^DEPTH,) of the leaves.
    """

    feature: Int64
    threshold: Floating
    value: Floating

    def __call__(self, inputs: Floating) -> Floating:
        """(N, Z) -> (N,)."""
        node = np.zeros(len(inputs), np.int64)
        rows = np.arange(len(inputs))
        for _ in range(DEPTH):
            node = 2 * node + 1 + (inputs[rows, self.feature[node]] > self.threshold[node])
        found: Floating = self.value[node - len(self.feature)]
        return found


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """A fitted ensemble: feature_importances_ (Z,) sum to 1, or are 0 where nothing could be split."""

    classes: Int64
    prior: Floating  # (C,)
    trees: list[list[_Tree]]
    feature_importances_: Floating  # scikit-learn's name

    def scores(self, inputs: Floating) -> Floating:
        """Return each class's log odds, up to a number for each row: (N, Z) -> (N, C)."""
        values = np.asarray(inputs, np.float32)
        found = np.tile(self.prior, (len(values), 1))
        for stage in self.trees:
            found += RATE * np.stack([tree(values) for tree in stage], axis=1)
        return found

    def predict(self, inputs: Floating) -> Int64:
        """Return the likeliest class: (N, Z) -> (N,)."""
        likeliest: Int64 = self.classes[self.scores(inputs).argmax(axis=1)]
        return likeliest


def boost(inputs: Floating, truth: Int64, rng: np.random.Generator) -> BoostedTrees:
    """Fit an ensemble: (N, Z), (N,) of at least three classes."""
    named, member = np.unique(truth, return_inverse=True)
    one_hot = np.eye(len(named))[member]
    table = _Binned.of(np.asarray(inputs, np.float32))
    prior = np.log(one_hot.mean(axis=0))
    prior -= prior.mean()
    scores = np.tile(prior, (len(truth), 1))
    trees, found = [], np.zeros(inputs.shape[1])
    for _ in range(STAGES):
        residual = one_hot - softmax(scores, axis=1)
        stage = []
        for place in range(len(named)):
            step = functools.partial(_newton, residual[:, place], one_hot[:, place], len(named))
            tree, fell, gain = _grow(table, residual[:, place], step, rng)
            scores[:, place] += RATE * tree.value[fell]
            found += gain
            stage.append(tree)
        trees.append(stage)
    return BoostedTrees(named, prior, trees, found / found.sum() if found.any() else found)


@dataclass(frozen=True, eq=False)
class BoostedValues:
    """The same for numbers."""

    mean: float
    spread: float
    trees: list[_Tree]
    feature_importances_: Floating

    def predict(self, inputs: Floating) -> Floating:
        """(N, Z) -> (N,)."""
        values = np.asarray(inputs, np.float32)
        found: Floating = self.mean + self.spread * RATE * np.sum([tree(values) for tree in self.trees], axis=0)
        return found


def boost_values(inputs: Floating, values: Floating, rng: np.random.Generator) -> BoostedValues:
    """Fit an ensemble to numbers by least squares: (N, Z), (N,) that are not all the same."""
    table = _Binned.of(np.asarray(inputs, np.float32))
    mean, spread = float(values.mean()), float(values.std())
    left, trees, found = (values - mean) / spread, [], np.zeros(inputs.shape[1])
    for _ in range(STAGES):
        tree, fell, gain = _grow(table, left, functools.partial(_mean, left), rng)
        left = left - RATE * tree.value[fell]
        found += gain
        trees.append(tree)
    return BoostedValues(mean, spread, trees, found / found.sum() if found.any() else found)


@dataclass(frozen=True, eq=False)
class _Binned:
    """Inputs in bins, places (Z, N): lowest, highest (Z, B) value in each bin.

    counts (1, Z, B): examples up to each bin.
    """

    places: Int64
    lowest: Floating
    highest: Floating
    counts: Floating

    @classmethod
    def of(cls, inputs: Float32) -> "_Binned":
        bins = [_bin(column) for column in inputs.T]
        size = max(int(column.max()) for column in bins) + 1
        places = np.stack(bins)
        lowest, highest, counts = np.full((len(bins), size), np.inf), np.full((len(bins), size), -np.inf), []
        for latent, (column, place) in enumerate(zip(inputs.T, bins, strict=True)):
            np.minimum.at(lowest[latent], place, column)
            np.maximum.at(highest[latent], place, column)
            counts.append(np.bincount(place, minlength=size).cumsum())
        return cls(places, lowest, highest, np.array([counts], np.float64))


@dataclass(frozen=True, eq=False)
class _Nodes:
    """What M nodes of a level hold up to each bin: sums of residuals, and counts, (M, Z, B)."""

    sums: Floating
    counts: Floating


def _bin(column: Float32) -> Int64:
    """Cut a column into bins, one a value, or where that makes too many, of about equal numbers: (N,) -> (N,)."""
    values = np.unique(column)
    cuts = np.flatnonzero(np.diff(values.astype(np.float64)) > APART)
    if len(cuts) >= BINS:
        below = np.searchsorted(np.sort(column), values[cuts], side="right")  # examples below each cut
        wanted = np.linspace(0, len(column), BINS + 1)[1:-1]
        cuts = cuts[np.unique(np.searchsorted(below, wanted).clip(max=len(cuts) - 1))]
    return np.searchsorted(values[cuts], column, side="left").astype(np.int64)


def _grow(
    table: _Binned, residual: Floating, step: Callable[[Int64], Floating], rng: np.random.Generator
) -> tuple[_Tree, Int64, Floating]:
    """Grow a tree on residuals (N,): the tree, the leaf that each example fell in (N,), gains (Z,).

    step: examples' leaves (N,) -> the value of each leaf (2^DEPTH,).
    """
    latents, count = table.places.shape
    rows = np.arange(count)
    feature, threshold, gains = np.zeros(2**DEPTH - 1, np.int64), np.full(2**DEPTH - 1, np.inf), np.zeros(latents)
    node, squared = np.zeros(count, np.int64), np.square(residual)
    nodes = _Nodes(_sums(table, rows, residual, node, 1), table.counts)
    for level in range(DEPTH):
        if level:
            nodes = _children(table, nodes, residual, node)
        size = 2**level
        chosen, place, gain = _best_cuts(nodes, rng)
        total, inside = nodes.sums[:, 0, -1], nodes.counts[:, 0, -1]
        impure = np.bincount(node, squared, size) - np.square(total) / np.maximum(inside, 1) > PURE * inside
        split = (gain > 0) & impure
        at = slice(size - 1, 2 * size - 1)
        feature[at] = chosen
        threshold[at] = np.where(split, _middles(table, nodes, chosen, place), np.inf)
        np.add.at(gains, chosen[split], gain[split] / count)
        last = np.where(split, place, table.lowest.shape[1])  # bin that goes left
        node = 2 * node + (table.places[chosen[node], rows] > last[node])
    tree = _Tree(feature, threshold, step(node))
    return tree, node, gains


def _best_cuts(nodes: _Nodes, rng: np.random.Generator) -> tuple[Int64, Int64, Floating]:
    """Return each node's cut that lowers the squared error most: latent, last bin on the left, by how much; (M,) each.

    Cutting n examples of sum T after c of sum S lowers it by (n S - c T)^2 / (n c (n - c)).
    """
    inside = nodes.counts[:, :1, -1:]
    apart = nodes.sums * inside
    apart -= nodes.counts * nodes.sums[:, :1, -1:]
    np.square(apart, out=apart)
    ways = inside - nodes.counts
    ways *= nodes.counts
    apart /= np.maximum(ways, 0.5, out=ways)  # where nothing is on one side: 0 / .5
    cut = apart.argmax(axis=2)
    of_latent = np.take_along_axis(apart, cut[:, :, None], axis=2)[:, :, 0]
    order = rng.permutation(of_latent.shape[1])  # of equally good latents any may be taken
    chosen = order[of_latent[:, order].argmax(axis=1)]
    each = np.arange(len(chosen))
    place = cut[each, chosen]
    below, whole = nodes.counts[each, chosen, place], inside[:, 0, 0]
    gain = np.where((below > 0) & (below < whole), of_latent[each, chosen] / np.maximum(whole, 1), 0)
    return chosen, place, gain


def _children(table: _Binned, nodes: _Nodes, residual: Floating, node: Int64) -> _Nodes:
    """Return the nodes of the next level, left and right in turn; node (N,) says in which each example is."""
    rows = np.flatnonzero(node % 2 == 0)  # what is not left is right: the parent's less the left child's
    parents, parent = len(nodes.sums), node[rows] // 2
    left = _Nodes(_sums(table, rows, residual[rows], parent, parents), _sums(table, rows, None, parent, parents))
    sums, counts = (
        np.stack([here, whole - here], axis=1).reshape(-1, *here.shape[1:])
        for here, whole in ((left.sums, nodes.sums), (left.counts, nodes.counts))
    )
    return _Nodes(sums, counts)


def _sums(table: _Binned, rows: Int64, values: Floating | None, node: Int64, nodes: int) -> Floating:
    """Sum values (n,), or 1 for each, of some rows (n,) up to each bin of their node (n,): (nodes, Z, B)."""
    latents, bins = table.lowest.shape
    sums = np.empty((nodes, latents, bins))
    first = node * bins
    for latent, places in enumerate(table.places):  # one at a time: arrays that stay in the cache
        found = np.bincount(places[rows] + first, values, nodes * bins).reshape(nodes, bins)
        np.cumsum(found, axis=1, out=sums[:, latent])
    return sums


def _middles(table: _Binned, nodes: _Nodes, latent: Int64, place: Int64) -> Floating:
    """Return the thresholds (M,): halfway between the examples of a node on both sides of its cut."""
    found = []
    for counts, column, last in zip(nodes.counts, latent, place, strict=True):
        upto = counts[column]
        before = int(np.searchsorted(upto, upto[last], side="left"))
        after = min(int(np.searchsorted(upto, upto[last], side="right")), len(upto) - 1)
        found.append(table.highest[column, before] / 2 + table.lowest[column, after] / 2)
    return np.array(found)


def _mean(residual: Floating, leaf: Int64) -> Floating:
    """Return the mean residual of each leaf: residual, leaf (N,) -> (2^DEPTH,)."""
    leaves = 2**DEPTH
    mean: Floating = np.bincount(leaf, residual, leaves) / np.maximum(np.bincount(leaf, minlength=leaves), 1)
    return mean


def _newton(residual: Floating, member: Floating, classes: int, leaf: Int64) -> Floating:
    """Take one Newton step of the cross-entropy in each leaf: residual, member, leaf (N,) -> (2^DEPTH,)."""
    leaves, chance = 2**DEPTH, member - residual
    slope = np.bincount(leaf, residual, leaves) * (classes - 1) / classes
    curve = np.bincount(leaf, chance * (1 - chance), leaves)
    flat = curve < 1e-150 * np.maximum(np.bincount(leaf, minlength=leaves), 1)
    return np.where(flat, 0, slope / np.where(flat, 1, curve))
