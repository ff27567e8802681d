"""Fine structure: the share of the originals' detail that reconstructions explain.

Detail is a picture minus its own blur. PSNR and SSIM hardly notice whether a soft reconstruction has eyelids; here
only that counts, and sharp structure in the wrong place counts against it. The filters scale with the size S of the
pictures, so that the same features of a face count at 64 px and at 150 px.

blur     a binomial filter in each direction, of about S / 64 pixels standard deviation: at 64 px the 5 x 5 binomial
outline  pixels within about 3 S / 64 pixels of the outline do not count: there the silhouette, not the face, decides
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate1d, minimum_filter1d
from scipy.special import comb

from dcign.arrays import Bool, Float64, Floating

REFERENCE = 64  # px: the size at which the filters have the sizes below
ORDER, MARGIN = 4, 3  # of the binomial filter, with ORDER + 1 taps; half the side of the erosion, rounded down, pixels
COVERED = 0.99  # coverage above which a pixel is inside


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
