"""SAP, separated attribute predictability: is one latent much better than the next at telling a factor?

As disentanglement_lib computes it (Kumar et al. 2018): a linear support vector machine a latent and factor.
"""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.svm import LinearSVC

from dcign.arrays import Bool, Floating, Int64
from dcign.metrics.fitting import fitted
from dcign.metrics.tables import Blocks, checked_blocks, latents_and_factors, two_tables

PENALTY = 0.01  # C of the machines
CONSTANT = 1e-12  # a latent of less variance tells nothing


def sap(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    blocks: Blocks | None = None,
) -> float:
    """Mean over factors of the accuracy of the best block less the next: (N, Z), (N, F), (M, Z), (M, F) -> 0..1."""
    return separation(classified(train_latents, train_factors, test_latents, test_factors, blocks))


def sap_continuous(latents: ArrayLike, factors: ArrayLike) -> float:
    """Do the same by squared correlation instead of accuracy, for factors that are numbers: (N, Z), (N, F) -> 0..1."""
    codes, truth = latents_and_factors(latents, factors)
    centred, values = codes - codes.mean(axis=0), truth - truth.astype(np.float64).mean(axis=0)
    shared = np.square(centred.T @ values)
    spread = np.square(centred).sum(axis=0)[:, None] * np.square(values).sum(axis=0)
    variance = np.square(centred).sum(axis=0) / max(len(codes) - 1, 1)
    alive = (variance > CONSTANT)[:, None] & (spread > 0)
    return separation(np.where(alive, shared / np.where(spread > 0, spread, 1), 0)[None])


def classified(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    blocks: Blocks | None = None,
) -> Bool:
    """Say which of the second tables' rows each block tells rightly, factor by factor: (M, G, F)."""
    codes, truth, held, held_truth = two_tables(train_latents, train_factors, test_latents, test_factors)
    right = [
        [
            _answers(codes[:, block], known, held[:, block]) == asked
            for known, asked in zip(truth.T, held_truth.T, strict=True)
        ]
        for block in checked_blocks(blocks, codes.shape[1])
    ]
    return np.moveaxis(np.array(right), 2, 0)


def separation(scores: Floating | Bool) -> float:
    """Mean over factors of the best block's mean score less the next's: (M, G, F) -> 0..1."""
    mean = scores.mean(axis=0)
    ranked = np.sort(np.concatenate([np.zeros((1, mean.shape[1])), mean]), axis=0)
    return float(np.mean(ranked[-1] - ranked[-2]))


def _answers(codes: Floating, truth: Int64, asked: Floating) -> Int64:
    machine = LinearSVC(C=PENALTY, class_weight="balanced", random_state=0)
    answers: Int64 = fitted(machine, codes, truth).predict(asked)
    return answers
