"""How far a picture is from another."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def psnr_decibels(error: Array, mask: Array | None = None) -> Array:
    """Peak signal to noise of each image, for a range of 1.

    error (N, S, S, C) differences; mask (N, S, S) 0..1 weights of the pixels, or None for all -> (N,) dB.
    """
    squared = np.square(error, dtype=np.float64).mean(axis=-1)
    weights = np.ones_like(squared) if mask is None else mask.astype(np.float64)
    mean = (squared * weights).sum(axis=(1, 2)) / np.maximum(weights.sum(axis=(1, 2)), 1e-12)
    decibels: Array = -10 * np.log10(np.maximum(mean, 1e-12))
    return decibels
