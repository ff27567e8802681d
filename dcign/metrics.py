"""Figures of merit as plain functions on arrays; what each means is in docs/training.md."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array = NDArray[np.floating]

MIG_BINS = 20  # of a factor's range: on raw floats a perfect latent would score about nothing


def r_squared(truth: Array, predicted: Array) -> float:
    """1 - the squared error over the variance: (N,), (N,) -> at most 1, below 0 if worse than the mean."""
    spread = np.square(truth - truth.mean()).sum()
    return float(1 - np.square(truth - predicted).sum() / spread) if spread > 0 else 0.0


def spearman(first: Array, second: Array) -> float:
    """Correlation of the ranks: (N,), (N,) -> -1..1; 0 if either is constant."""
    ranks, others = rankdata(first), rankdata(second)
    if np.ptp(ranks) == 0 or np.ptp(others) == 0:
        return 0.0
    return float(np.corrcoef(ranks, others)[0, 1])


def psnr_decibels(error: Array, mask: Array | None = None) -> Array:
    """Peak signal to noise of each image, for a range of 1.

    error (N, S, S, C) differences; mask (N, S, S) 0..1 weights of the pixels, or None for all -> (N,) dB.
    """
    squared = np.square(error, dtype=np.float64).mean(axis=-1)
    weights = np.ones_like(squared) if mask is None else mask.astype(np.float64)
    mean = (squared * weights).sum(axis=(1, 2)) / np.maximum(weights.sum(axis=(1, 2)), 1e-12)
    decibels: Array = -10 * np.log10(np.maximum(mean, 1e-12))
    return decibels


def mutual_information_gap(mu: Array, factors: Array, ranges: Array) -> float:
    """Mean over factors of the gap in information between its two most telling latents, over its entropy.

    mu (N, Z), factors (N, F), ranges (F, 2) -> 0..1. Factors and latents are cut into 20 bins, a factor over
    its range, a latent over the range it took.
    """
    codes = [_binned(column, column.min(), column.max()) for column in mu.T]
    gaps = []
    for column, (low, high) in zip(factors.T, ranges, strict=True):
        truth = _binned(column, low, high)
        information = sorted(_mutual_information(code, truth) for code in codes)
        gaps.append((information[-1] - information[-2]) / max(_mutual_information(truth, truth), 1e-12))
    return float(np.mean(gaps))


def _binned(values: Array, low: float, high: float) -> NDArray[np.intp]:
    edges = np.linspace(low, high, MIG_BINS + 1)[1:-1]
    return np.digitize(values, edges)


def _mutual_information(first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
    """Return I(first; second) in nats, of bins (N,), (N,); of a variable with itself, its entropy."""
    joint = np.zeros((MIG_BINS, MIG_BINS))
    np.add.at(joint, (first, second), 1 / len(first))
    outer = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / outer[seen])).sum())
