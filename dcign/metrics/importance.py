"""DCI: disentanglement, completeness and informativeness, of what boosted trees make of the latents.

As disentanglement_lib computes it (Eastwood and Williams 2018): scikit-learn's GradientBoostingClassifier a factor. On
large tables, where that takes minutes, the same trees are grown by `boosting.py`. `dci_continuous` does the same with
regression trees, for factors that are numbers, as Eastwood and Williams have it.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier

from dcign.arrays import Floating, Int64
from dcign.metrics.boosting import BoostedTrees, boost, boost_values
from dcign.metrics.fitting import fitted
from dcign.metrics.regression import r_squared
from dcign.metrics.tables import Blocks, checked_blocks, two_real_tables, two_tables

EXACT_CELLS = 20_000  # rows x latents up to which scikit-learn itself takes seconds at most
TRACE = 1e-11  # added to importances, so that an entropy of none is defined


@dataclass(frozen=True, eq=False)
class DCI:
    """Accuracies (of `dci_continuous`, R^2) of the trees on rows fitted and unseen, and their importances (G, F)."""

    informativeness_train: float
    informativeness: float
    importances: Floating

    @property
    def disentanglement(self) -> float:
        """1 - the entropy of each latent's importances over the factors, latents weighted by theirs: 0..1."""
        return _purity(self.importances)

    @property
    def completeness(self) -> float:
        """1 - the entropy of each factor's importances over the latents, factors weighted by theirs: 0..1."""
        return _purity(self.importances.T)

    def disentanglement_of(self, chosen: Sequence[int]) -> float:
        """Return the disentanglement of some latents or blocks alone: 0..1.

        Of the factors' own, it leaves out latents that stand for a thing that is no factor of the table, the identity:
        however pure they are, what little the trees make of their noise is spread over all factors.
        """
        return _purity(self.importances[sorted(set(chosen))])

    def grouped(self, blocks: Blocks) -> "DCI":
        """Return the same for blocks of latents: a block's importance is the sum of its latents'."""
        members = checked_blocks(blocks, len(self.importances))
        summed = np.stack([self.importances[block].sum(axis=0) for block in members])
        return dataclasses.replace(self, importances=summed)


def dci(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    rng: np.random.Generator,
    blocks: Blocks | None = None,
) -> DCI:
    """Fit boosted trees on the first two tables and score their importances: (N, Z), (N, F), (M, Z), (M, F).

    rng breaks the ties between equally good splits.
    """
    tables = two_tables(train_latents, train_factors, test_latents, test_factors)
    found = _grown(tables, lambda codes, known: _boosted(codes, known, rng), _accuracy)
    return found if blocks is None else found.grouped(blocks)


def dci_continuous(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    rng: np.random.Generator,
    blocks: Blocks | None = None,
) -> DCI:
    """Fit regression trees, for factors that are numbers: (N, Z), (N, F), (M, Z), (M, F), as `dci` does of classes.

    Informativeness is R^2, at least 0. rng breaks the ties between equally good splits.
    """
    tables = two_real_tables(train_latents, train_factors, test_latents, test_factors)
    found = _grown(
        tables,
        lambda codes, known: boost_values(codes, known, rng),
        lambda asked, predicted: max(0.0, r_squared(asked, predicted)),
    )
    return found if blocks is None else found.grouped(blocks)


def _grown(tables: Any, grow: Callable[[Any, Any], Any], score: Callable[[Any, Any], float]) -> DCI:  # of either kind
    """Grow trees for each factor of the first two tables; score them there and on the other two."""
    codes, truth, held, held_truth = tables
    importances, told, unseen = [], [], []
    for known, asked in zip(truth.T, held_truth.T, strict=True):
        trees = grow(codes, known)
        importances.append(trees.feature_importances_)
        told.append(score(known, trees.predict(codes)))
        unseen.append(score(asked, trees.predict(held)))
    return DCI(float(np.mean(told)), float(np.mean(unseen)), np.stack(importances, axis=1))


def _accuracy(asked: Int64, predicted: Int64) -> float:
    return float(np.mean(predicted == asked))


def _boosted(codes: Floating, truth: Int64, rng: np.random.Generator) -> BoostedTrees | GradientBoostingClassifier:
    if codes.size > EXACT_CELLS and len(np.unique(truth)) > 2:
        return boost(codes, truth, rng)
    return fitted(GradientBoostingClassifier(random_state=int(rng.integers(2**31))), codes, truth)


def _purity(importances: Floating) -> float:
    """1 - the entropy of each row (R, C), rows weighted by their sums -> 0..1; one column alone cannot be mixed."""
    if importances.shape[1] == 1:
        return 1.0
    pure = 1 - entropy(importances + TRACE, base=importances.shape[1], axis=1)
    weights = importances.sum(axis=1) if importances.sum() > 0 else np.ones(len(importances))
    return float(np.average(pure, weights=weights))
