"""Distances between images: PSNR and SSIM."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from dcign.arrays import Floating

WINDOW, RADIUS = 1.5, 5  # standard deviation and radius of the Gaussian window of SSIM, pixels
STABILISERS = 0.01**2, 0.03**2  # C1 and C2 of SSIM for a range of 1: they prevent 0 / 0


def psnr_decibels(error: Floating, mask: Floating | None = None) -> Floating:
    """Return the peak signal-to-noise ratio of each image, for a range of 1.

    error (N, S, S, C) differences; mask (N, S, S) weights 0..1 of the pixels, or None for all pixels -> (N,) dB.
    """
    mean = _mean_of_pixels(np.square(error, dtype=np.float64).mean(axis=-1), mask)
    decibels: Floating = -10 * np.log10(np.maximum(mean, 1e-12))
    return decibels


def structural_similarity(first: Floating, second: Floating, mask: Floating | None = None) -> Floating:
    """Return the SSIM of pairs of images, for a range of 1: the mean over channels and pixels (Wang et al. 2004).

    Means, variances and covariances are taken in a Gaussian window of 1.5 pixels, with mirrored borders. first, second
    (N, S, S, C); mask as in `psnr_decibels` -> (N,), 1 for equal images.
    """
    x, y = first.astype(np.float32), second.astype(np.float32)
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x, variance_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + STABILISERS[0]) / (mean_x**2 + mean_y**2 + STABILISERS[0])
    structure = (2 * covariance + STABILISERS[1]) / (variance_x + variance_y + STABILISERS[1])
    return _mean_of_pixels((luminance * structure).mean(axis=-1), mask)


def _mean_of_pixels(values: Floating, mask: Floating | None) -> Floating:
    """Average over pixels: (N, S, S), weights (N, S, S) or None for equal weights -> (N,)."""
    weights = np.ones_like(values, np.float64) if mask is None else mask.astype(np.float64)
    mean: Floating = (values * weights).sum(axis=(1, 2)) / np.maximum(weights.sum(axis=(1, 2)), 1e-12)
    return mean


def _blurred(images: Floating) -> Floating:
    """(N, S, S, C) -> (N, S, S, C)."""
    rows = gaussian_filter1d(images, WINDOW, axis=1, radius=RADIUS)
    blurred: Floating = gaussian_filter1d(rows, WINDOW, axis=2, radius=RADIUS)
    return blurred
