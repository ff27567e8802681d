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
import torch
from scipy.special import softmax

from dcign.arrays import Bool, Float32, Floating, Int32, Int64

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
    """Inputs in bins: lowest, highest (Z, B), the extreme values in each bin; every: all examples, sorted."""

    lowest: Floating
    highest: Floating
    every: _Sorted

    @classmethod
    def of(cls, inputs: Float32) -> _Binned:
        bins = np.stack([_bin(column) for column in inputs.T])
        size = int(bins.max()) + 1
        lowest, highest = np.full((len(bins), size), np.inf), np.full((len(bins), size), -np.inf)
        for latent, (column, inside) in enumerate(zip(inputs.T, bins, strict=True)):
            np.minimum.at(lowest[latent], inside, column)
            np.maximum.at(highest[latent], inside, column)
        rows = np.argsort(bins, axis=1, kind="stable")
        return cls(lowest, highest, _Sorted(rows, np.take_along_axis(bins, rows, axis=1)))


@dataclass(frozen=True, eq=False)
class _Sorted:
    """The n examples of a node, sorted by each latent: rows (Z, n), their numbers, and bins (Z, n), which ascend."""

    rows: Int64
    bins: Int32

    def divided(self, left: Bool) -> tuple[_Sorted, _Sorted]:
        """Return the examples that left (N,) marks, and the others."""
        marked = left.take(self.rows)
        return self._where(marked), self._where(~marked)

    def _where(self, chosen: Bool) -> _Sorted:
        places = np.flatnonzero(chosen).reshape(len(self.rows), -1)
        return _Sorted(self.rows.take(places), self.bins.take(places))


@dataclass(frozen=True)
class _Cut:
    """A node's best cut: by which latent, how many examples go left, and by how much it lowers the squared error."""

    latent: int
    left: int
    gain: float


def _bin(column: Float32) -> Int32:
    """Give each value a bin of its own, or with too many values cut them into about equal numbers: (N,) -> (N,)."""
    values = np.unique(column)
    cuts = np.flatnonzero(np.diff(values.astype(np.float64)) > APART)
    if len(cuts) >= BINS:
        below = np.searchsorted(np.sort(column), values[cuts], side="right")  # examples below each cut
        wanted = np.linspace(0, len(column), BINS + 1)[1:-1]
        cuts = cuts[np.unique(np.searchsorted(below, wanted).clip(max=len(cuts) - 1))]
    return np.searchsorted(values[cuts], column, side="left").astype(np.int32)


def _grow(
    table: _Binned, residual: Floating, step: Callable[[Int64], Floating], rng: np.random.Generator
) -> tuple[_Tree, Int64, Floating]:
    """Grow a tree on residuals (N,): return the tree, the leaf of each example (N,), and gains (Z,).

    step: examples' leaves (N,) -> the value of each leaf (2^DEPTH,).
    """
    latents, count = table.every.rows.shape
    feature, threshold, gains = np.zeros(2**DEPTH - 1, np.int64), np.full(2**DEPTH - 1, np.inf), np.zeros(latents)
    leaf = np.zeros(count, np.int64)
    nodes = {0: table.every}  # by their number in heap order; what cannot be split is left out
    for level in range(DEPTH):
        order = rng.permutation(latents)
        leaf *= 2
        children = {}
        for node, examples in nodes.items():
            cut = _best_cut(examples, residual, order)
            if cut is None:
                continue
            last, first = examples.bins[cut.latent, cut.left - 1 : cut.left + 1]
            feature[node] = cut.latent
            threshold[node] = table.highest[cut.latent, last] / 2 + table.lowest[cut.latent, first] / 2
            gains[cut.latent] += cut.gain / count
            leaf[examples.rows[cut.latent, cut.left :]] += 1
            if level < DEPTH - 1:
                children[2 * node + 1], children[2 * node + 2] = examples.divided(leaf % 2 == 0)
        nodes = children
    return _Tree(feature, threshold, step(leaf)), leaf, gains


def _best_cut(examples: _Sorted, residual: Floating, order: Int64) -> _Cut | None:
    """Return the cut of a node that lowers the squared error of residuals (N,) most, or None if none does.

    A cut of n examples with sum T after c examples with sum S lowers it by (n S - c T)^2 / (n c (n - c)). The first
    latent in order (Z,) wins a tie.
    """
    sums = torch.from_numpy(residual.take(examples.rows)).cumsum(1).numpy()  # NumPy takes four times as long
    count, total = sums.shape[1], sums[0, -1]
    if np.square(residual.take(examples.rows[0])).sum() - total**2 / count <= PURE * count:
        return None
    below = np.arange(1, count)
    decrease = sums[:, :-1] * count
    decrease -= below * total
    np.square(decrease, out=decrease)
    decrease /= below * (count - below)
    decrease *= examples.bins[:, :-1] != examples.bins[:, 1:]  # no cut divides a bin
    of_latent = decrease.max(axis=1)
    latent = int(order[of_latent[order].argmax()])
    if of_latent[latent] <= 0:
        return None
    return _Cut(latent, int(decrease[latent].argmax()) + 1, float(of_latent[latent]) / count)


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
