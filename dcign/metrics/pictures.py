"""How far a picture is from another."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from dcign.arrays import Floating

WINDOW, RADIUS = 1.5, 5  # of the structural similarity: standard deviation of its Gaussian and reach, pixels
STEADY = 0.01**2, 0.03**2  # keep its quotients from 0 / 0, for a range of 1


def psnr_decibels(error: Floating, mask: Floating | None = None) -> Floating:
    """Peak signal to noise of each image, for a range of 1.

    error (N, S, S, C) differences; mask (N, S, S) 0..1 weights of the pixels, or None for all -> (N,) dB.
    """
    mean = _mean_of_pixels(np.square(error, dtype=np.float64).mean(axis=-1), mask)
    decibels: Floating = -10 * np.log10(np.maximum(mean, 1e-12))
    return decibels


def structural_similarity(first: Floating, second: Floating, mask: Floating | None = None) -> Floating:
    """SSIM of pairs of images for a range of 1, mean over channels and pixels (Wang et al. 2004).

    Means, variances and covariance within a Gaussian of 1.5 pixels, borders mirrored. first, second (N, S, S, C); mask
    as above -> (N,), 1 where they are alike.
    """
    x, y = first.astype(np.float32), second.astype(np.float32)
    mean_x, mean_y = _blurred(x), _blurred(y)
    spread_x, spread_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    shared = _blurred(x * y) - mean_x * mean_y
    light = (2 * mean_x * mean_y + STEADY[0]) / (mean_x**2 + mean_y**2 + STEADY[0])
    form = (2 * shared + STEADY[1]) / (spread_x + spread_y + STEADY[1])
    return _mean_of_pixels((light * form).mean(axis=-1), mask)


def _mean_of_pixels(values: Floating, mask: Floating | None) -> Floating:
    """(N, S, S), weights (N, S, S) or None for alike -> (N,)."""
    weights = np.ones_like(values, np.float64) if mask is None else mask.astype(np.float64)
    mean: Floating = (values * weights).sum(axis=(1, 2)) / np.maximum(weights.sum(axis=(1, 2)), 1e-12)
    return mean


def _blurred(images: Floating) -> Floating:
    """(N, S, S, C) -> (N, S, S, C)."""
    rows = gaussian_filter1d(images, WINDOW, axis=1, radius=RADIUS)
    blurred: Floating = gaussian_filter1d(rows, WINDOW, axis=2, radius=RADIUS)
    return blurred
