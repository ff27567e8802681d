"""Gradient boosted trees for DCI: scikit-learn's definition, several times as fast.

DCI is defined by scikit-learn's GradientBoostingClassifier, which needs minutes for the tables of an evaluation. Its
fast replacement, HistGradientBoostingClassifier, has no feature importances, which DCI needs. So we grow the same trees
here: 100 stages of one regression tree per class, 3 splits deep, fitted to the gradient of the cross-entropy, with a
learning rate of .1. For real factors each stage is one tree, fitted to the residual.

Splits are searched for between bins with equal numbers of examples, not between all neighbouring values. With no more
distinct values than bins the trees are scikit-learn's own, except for ties.

tests/dcign/metrics hold the trees against scikit-learn: test_twins.py and test_goldens.py (DCI), test_boosting.py
(importances, predictions and probabilities of the classifier) and test_dci.py (the regressor).
"""

from __future__ import annotations

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
PURE = float(np.finfo(float).eps)  # squared error per example of a node that is not split
APART = 1e-7  # values that differ by less are never split, as in scikit-learn, which also keeps inputs in float32


@dataclass(frozen=True, eq=False)
class _Tree:
    """A full tree of DEPTH levels, nodes in heap order; a node that was not split sends all examples to the left.

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
class BoostedClassifier:
    """A fitted ensemble for classes: feature_importances_ (Z,) sum to 1, or are 0 if nothing could be split."""

    classes: Int64
    prior: Floating  # (C,)
    trees: list[list[_Tree]]
    feature_importances_: Floating  # scikit-learn's name

    def scores(self, inputs: Floating) -> Floating:
        """Return the log odds of each class, up to a constant per row: (N, Z) -> (N, C)."""
        values = np.asarray(inputs, np.float32)
        found = np.tile(self.prior, (len(values), 1))
        for stage in self.trees:
            found += RATE * np.stack([tree(values) for tree in stage], axis=1)
        return found

    def predict(self, inputs: Floating) -> Int64:
        """Return the most likely class: (N, Z) -> (N,)."""
        likeliest: Int64 = self.classes[self.scores(inputs).argmax(axis=1)]
        return likeliest


def fit_boosted_classifier(inputs: Floating, truth: Int64, rng: np.random.Generator) -> BoostedClassifier:
    """Fit an ensemble to classes: (N, Z), (N,) of at least three classes. rng breaks ties between splits."""
    named, member = np.unique(truth, return_inverse=True)
    one_hot = np.eye(len(named))[member]
    table = _Binned.of(np.asarray(inputs, np.float32))
    prior = np.log(one_hot.mean(axis=0))
    prior -= prior.mean()
    scores = np.tile(prior, (len(truth), 1))
    trees, gains = [], np.zeros(inputs.shape[1])
    for _ in range(STAGES):
        residual = one_hot - softmax(scores, axis=1)
        stage = []
        for index in range(len(named)):
            step = functools.partial(_newton, residual[:, index], one_hot[:, index], len(named))
            tree, leaf, gain = _grow(table, residual[:, index], step, rng)
            scores[:, index] += RATE * tree.value[leaf]
            gains += gain
            stage.append(tree)
        trees.append(stage)
    return BoostedClassifier(named, prior, trees, gains / gains.sum() if gains.any() else gains)


@dataclass(frozen=True, eq=False)
class BoostedRegressor:
    """A fitted ensemble for real values: feature_importances_ (Z,) as above."""

    mean: float
    spread: float
    trees: list[_Tree]
    feature_importances_: Floating

    def predict(self, inputs: Floating) -> Floating:
        """(N, Z) -> (N,)."""
        values = np.asarray(inputs, np.float32)
        found: Floating = self.mean + self.spread * RATE * np.sum([tree(values) for tree in self.trees], axis=0)
        return found


def fit_boosted_regressor(inputs: Floating, values: Floating, rng: np.random.Generator) -> BoostedRegressor:
    """Fit an ensemble to real values by least squares: (N, Z), (N,) that are not all equal."""
    table = _Binned.of(np.asarray(inputs, np.float32))
    mean, spread = float(values.mean()), float(values.std())
    residual, trees, gains = (values - mean) / spread, [], np.zeros(inputs.shape[1])
    for _ in range(STAGES):
        tree, leaf, gain = _grow(table, residual, functools.partial(_mean, residual), rng)
        residual = residual - RATE * tree.value[leaf]
        gains += gain
        trees.append(tree)
    return BoostedRegressor(mean, spread, trees, gains / gains.sum() if gains.any() else gains)


@dataclass(frozen=True, eq=False)
class _Binned:
    """Inputs in bins: bins (Z, N), each example's; lowest, highest (Z, B), the extreme values in each bin.

    counts (1, Z, B): examples in this bin and all bins below.
    """

    bins: Int64
    lowest: Floating
    highest: Floating
    counts: Floating

    @classmethod
    def of(cls, inputs: Float32) -> _Binned:
        bins = np.stack([_bin(column) for column in inputs.T])
        size = int(bins.max()) + 1
        lowest, highest, counts = np.full((len(bins), size), np.inf), np.full((len(bins), size), -np.inf), []
        for latent, (column, inside) in enumerate(zip(inputs.T, bins, strict=True)):
            np.minimum.at(lowest[latent], inside, column)
            np.maximum.at(highest[latent], inside, column)
            counts.append(np.bincount(inside, minlength=size).cumsum())
        return cls(bins, lowest, highest, np.array([counts], np.float64))


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Cumulative sums of residuals, and counts, over the bins of the M nodes of one level: (M, Z, B)."""

    sums: Floating
    counts: Floating


def _bin(column: Float32) -> Int64:
    """Give each value a bin of its own, or with too many values cut them into about equal numbers: (N,) -> (N,)."""
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
    """Grow a tree on residuals (N,): return the tree, the leaf of each example (N,), and gains (Z,).

    step: examples' leaves (N,) -> the value of each leaf (2^DEPTH,).
    """
    latents, count = table.bins.shape
    rows = np.arange(count)
    feature, threshold, gains = np.zeros(2**DEPTH - 1, np.int64), np.full(2**DEPTH - 1, np.inf), np.zeros(latents)
    node, squared = np.zeros(count, np.int64), np.square(residual)
    nodes = _Nodes(_sums(table, rows, residual, node, 1), table.counts)
    for level in range(DEPTH):
        if level:
            nodes = _children(table, nodes, residual, node)
        size = 2**level
        chosen, cut, gain = _best_cuts(nodes, rng)
        total, inside = nodes.sums[:, 0, -1], nodes.counts[:, 0, -1]
        impure = np.bincount(node, squared, size) - np.square(total) / np.maximum(inside, 1) > PURE * inside
        split = (gain > 0) & impure
        at = slice(size - 1, 2 * size - 1)
        feature[at] = chosen
        threshold[at] = np.where(split, _middles(table, nodes, chosen, cut), np.inf)
        np.add.at(gains, chosen[split], gain[split] / count)
        last = np.where(split, cut, table.lowest.shape[1])  # bin that goes left
        node = 2 * node + (table.bins[chosen[node], rows] > last[node])
    tree = _Tree(feature, threshold, step(node))
    return tree, node, gains


def _best_cuts(nodes: _Nodes, rng: np.random.Generator) -> tuple[Int64, Int64, Floating]:
    """Return each node's cut that lowers the squared error most: latent, last bin on the left, decrease; (M,) each.

    A cut of n examples with sum T after c examples with sum S lowers it by (n S - c T)^2 / (n c (n - c)).
    """
    inside = nodes.counts[:, :1, -1:]
    decrease = nodes.sums * inside
    decrease -= nodes.counts * nodes.sums[:, :1, -1:]
    np.square(decrease, out=decrease)
    pairs = inside - nodes.counts
    pairs *= nodes.counts
    decrease /= np.maximum(pairs, 0.5, out=pairs)  # with one side empty: 0 / .5
    cuts = decrease.argmax(axis=2)
    of_latent = np.take_along_axis(decrease, cuts[:, :, None], axis=2)[:, :, 0]
    order = rng.permutation(of_latent.shape[1])  # breaks ties between latents at random
    chosen = order[of_latent[:, order].argmax(axis=1)]
    each = np.arange(len(chosen))
    cut = cuts[each, chosen]
    below, count = nodes.counts[each, chosen, cut], inside[:, 0, 0]
    gain = np.where((below > 0) & (below < count), of_latent[each, chosen] / np.maximum(count, 1), 0)
    return chosen, cut, gain


def _children(table: _Binned, nodes: _Nodes, residual: Floating, node: Int64) -> _Nodes:
    """Return the nodes of the next level, left and right in turn; node (N,) is the new node of each example."""
    rows = np.flatnonzero(node % 2 == 0)  # left children; a right child is the parent less the left child
    parents, parent = len(nodes.sums), node[rows] // 2
    return _Nodes(
        _divided(nodes.sums, _sums(table, rows, residual[rows], parent, parents)),
        _divided(nodes.counts, _sums(table, rows, None, parent, parents)),
    )


def _divided(both: Floating, left: Floating) -> Floating:
    """Return what left and right children have, in turn: parents and left children (M, Z, B) -> (2 M, Z, B)."""
    found = np.empty((2 * len(both), *both.shape[1:]))
    found[::2] = left
    np.subtract(both, left, out=found[1::2])
    return found


def _sums(table: _Binned, rows: Int64, values: Floating | None, node: Int64, nodes: int) -> Floating:
    """Sum values (n,), or 1 each, of some rows (n,) cumulatively over the bins of their node (n,): (nodes, Z, B)."""
    latents, bins = table.lowest.shape
    sums = np.empty((nodes, latents, bins))
    first = node * bins
    for latent, inside in enumerate(table.bins):  # one latent at a time: the arrays stay in the cache
        found = np.bincount(inside[rows] + first, values, nodes * bins).reshape(nodes, bins)
        np.cumsum(found, axis=1, out=sums[:, latent])
    return sums


def _middles(table: _Binned, nodes: _Nodes, latent: Int64, cut: Int64) -> Floating:
    """Return the thresholds (M,): halfway between the node's examples on both sides of its cut."""
    found = []
    for counts, column, last in zip(nodes.counts, latent, cut, strict=True):
        cumulative = counts[column]
        before = int(np.searchsorted(cumulative, cumulative[last], side="left"))
        after = min(int(np.searchsorted(cumulative, cumulative[last], side="right")), len(cumulative) - 1)
        found.append(table.highest[column, before] / 2 + table.lowest[column, after] / 2)
    return np.array(found)


def _mean(residual: Floating, leaf: Int64) -> Floating:
    """Return the mean residual of each leaf: residual, leaf (N,) -> (2^DEPTH,)."""
    leaves = 2**DEPTH
    mean: Floating = np.bincount(leaf, residual, leaves) / np.maximum(np.bincount(leaf, minlength=leaves), 1)
    return mean


def _newton(residual: Floating, member: Floating, classes: int, leaf: Int64) -> Floating:
    """Return one Newton step of the cross-entropy per leaf: residual, member, leaf (N,) -> (2^DEPTH,)."""
    leaves, chance = 2**DEPTH, member - residual
    slope = np.bincount(leaf, residual, leaves) * (classes - 1) / classes
    curve = np.bincount(leaf, chance * (1 - chance), leaves)
    flat = curve < 1e-150 * np.maximum(np.bincount(leaf, minlength=leaves), 1)
    return np.where(flat, 0, slope / np.where(flat, 1, curve))
