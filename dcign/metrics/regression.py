"""How well one column of numbers says another."""

import numpy as np
from scipy.stats import rankdata

from dcign.arrays import Floating


def r_squared(truth: Floating, predicted: Floating) -> float:
    """1 - the squared error over the variance: (N,), (N,) -> at most 1, below 0 if worse than the mean."""
    spread = np.square(truth - truth.mean()).sum()
    return float(1 - np.square(truth - predicted).sum() / spread) if spread > 0 else 0.0


def spearman(first: Floating, second: Floating) -> float:
    """Correlation of the ranks: (N,), (N,) -> -1..1; 0 if either is constant."""
    ranks, others = rankdata(first), rankdata(second)
    if np.ptp(ranks) == 0 or np.ptp(others) == 0:
        return 0.0
    return float(np.corrcoef(ranks, others)[0, 1])


def least_squares(inputs: Floating, outputs: Floating) -> Floating:
    """Return the weights of the best linear prediction, the last row its offset: (N, Z), (N, F) -> (Z + 1, F)."""
    weights: Floating = np.linalg.lstsq(_with_ones(inputs), outputs, rcond=None)[0]
    return weights


def linear_prediction(inputs: Floating, weights: Floating) -> Floating:
    """(N, Z), (Z + 1, F) -> (N, F)."""
    predicted: Floating = _with_ones(inputs) @ weights
    return predicted


def _with_ones(inputs: Floating) -> Floating:
    return np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
