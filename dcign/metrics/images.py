"""Distances between images: PSNR, SSIM, multi-scale SSIM, and the share of the detail that reconstructions explain.

Detail is a picture minus its own blur. PSNR and SSIM hardly notice whether a soft reconstruction has eyelids; here
only that counts, and sharp structure in the wrong place counts against it. The filters scale with the size S of the
pictures, so that the same features of a face count at 64 px and at 150 px.

blur     a binomial filter in each direction, of about S / 64 pixels standard deviation: at 64 px the 5 x 5 binomial
outline  pixels within about 3 S / 64 pixels of the outline do not count: there the silhouette, not the face, decides
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate1d, gaussian_filter1d, minimum_filter1d
from scipy.special import comb

from dcign.arrays import Bool, Float64, Floating

WINDOW, RADIUS = 1.5, 5  # standard deviation and radius of the Gaussian window of SSIM, pixels
STABILISERS = 0.01**2, 0.03**2  # C1 and C2 of SSIM for a range of 1: they prevent 0 / 0
SCALE_WEIGHTS = 0.0448, 0.2856, 0.3001, 0.2363, 0.1333  # of multi-scale SSIM, finest first (Wang et al. 2003)
REFERENCE = 64  # px: the size at which the filters have the sizes below
ORDER, MARGIN = 4, 3  # of the binomial filter, with ORDER + 1 taps; half the side of the erosion, rounded down, pixels
COVERED = 0.99  # coverage above which a pixel is inside


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
    luminance, structure = _similarities(first, second)
    return _mean_of_pixels((luminance * structure).mean(axis=-1), mask)


def multiscale_similarity(first: Floating, second: Floating, mask: Floating | None = None) -> Floating:
    """Return the multi-scale SSIM of pairs of images, for a range of 1 (Wang, Simoncelli and Bovik 2003).

    The product over scales of the mean contrast-structure term, at the coarsest scale of the mean SSIM, each to the
    power of its published weight, per channel; then the mean over channels. Each scale halves the one before by means
    of 2 x 2 pixels (an odd last row or column is left out). Scales shorter than the window of 11 pixels are left out,
    and the weights of the others are scaled to a sum of 1: 3 scales at 64 px, 4 at 150 px and all 5 from 176 px. A
    negative mean counts as 0. Borders, arguments and shapes as in `structural_similarity` -> (N,) 0..1, 1 for equal
    images.
    """
    x, y = first.astype(np.float32), second.astype(np.float32)
    weights = np.array(SCALE_WEIGHTS[: number_of_scales(min(x.shape[1:3]))])
    product = np.ones((len(x), x.shape[-1]))
    for scale, weight in enumerate(weights / weights.sum(), start=1):
        luminance, structure = _similarities(x, y)
        terms = luminance * structure if scale == len(weights) else structure
        means = np.stack([_mean_of_pixels(terms[..., channel], mask) for channel in range(x.shape[-1])], axis=-1)
        product *= np.maximum(means, 0) ** weight
        x, y, mask = _halved(x), _halved(y), None if mask is None else _halved(mask[..., None])[..., 0]
    similarity: Floating = product.mean(axis=-1)
    return similarity


def number_of_scales(size: int) -> int:
    """Return the number of scales of `multiscale_similarity` for images of this side in pixels, at least 1."""
    fitting = [scale for scale in range(len(SCALE_WEIGHTS)) if size >> scale >= 2 * RADIUS + 1]
    return max(1, len(fitting))


def _similarities(x: Floating, y: Floating) -> tuple[Floating, Floating]:
    """Return the luminance and the contrast-structure term of SSIM at each pixel: twice (N, S, S, C)."""
    x, y = x.astype(np.float32), y.astype(np.float32)
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x, variance_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + STABILISERS[0]) / (mean_x**2 + mean_y**2 + STABILISERS[0])
    structure = (2 * covariance + STABILISERS[1]) / (variance_x + variance_y + STABILISERS[1])
    return luminance, structure


def _halved(images: Floating) -> Floating:
    """Average blocks of 2 x 2 pixels: (N, H, W, C) -> (N, H // 2, W // 2, C)."""
    count, height, width, channels = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2]
    halved: Floating = even.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
    return halved


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


def detail_sums(truth: Floating, pictures: Floating, inside: Bool | None = None) -> tuple[Float64, Float64]:
    """Return for each image the sum of squares of the pictures' error in detail, and of the truth's detail.

    truth, pictures (N, S, S, C) 0..1; inside (N, S, S), the pixels that count, or None for all -> (N,), (N,). Both sums
    are over pixels and channels.
    """
    weights = 1.0 if inside is None else inside[..., None].astype(np.float32)
    of_truth = detail(truth)
    errors = np.square(of_truth - detail(pictures)) * weights
    energies = np.square(of_truth) * weights
    return errors.sum(axis=(1, 2, 3), dtype=np.float64), energies.sum(axis=(1, 2, 3), dtype=np.float64)


def explained_share(errors: Float64, energies: Float64) -> float:
    """Return the share of detail that pictures explain, from the sums (N,) of `detail_sums`: 1 - errors / energies.

    1 for equal pictures, 0 for a constant one, negative where the detail is worse than none; NaN without any detail.
    """
    total = float(np.sum(energies))
    return 1 - float(np.sum(errors)) / total if total > 0 else float("nan")


def inside_outline(mask: Floating) -> Bool:
    """Return which pixels are covered, and so are all pixels near them: coverage (N, S, S) 0..1 -> (N, S, S).

    Near is a square of 7 x 7 pixels at 64 px. The border of the picture is no outline.
    """
    side = 2 * max(1, round(MARGIN * mask.shape[1] / REFERENCE)) + 1
    covered = (mask > COVERED).astype(np.uint8)
    rows = minimum_filter1d(covered, side, axis=1, mode="nearest")
    inside: Bool = minimum_filter1d(rows, side, axis=2, mode="nearest") > 0
    return inside


def detail(images: Floating) -> Floating:
    """Subtract from pictures their blur: (N, S, S, C) -> (N, S, S, C). Pixels at the borders are repeated outside."""
    # The variance of a binomial filter is a quarter of its order, in square pixels. Only even orders have a middle tap.
    order = 2 * max(1, round(ORDER / 2 * (images.shape[1] / REFERENCE) ** 2))
    taps = comb(order, np.arange(order + 1)) / 2.0**order
    rows = correlate1d(images, taps, axis=1, mode="nearest")
    fine: Floating = images - correlate1d(rows, taps, axis=2, mode="nearest")
    return fine
