"""Plain reconstruction of the test split: how near decoded images are to the originals, and how sharp.

The figures reward different things. PSNR rewards the mean of all plausible pictures, which is soft. SSIM and
multi-scale SSIM reward local contrast in the right place. `fine` counts only structure that a small blur removes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dcign.arrays import Bool, Floating
from dcign.evaluate.codes import Codes, thinning
from dcign.inputs.source import LabelledBatches, PartLabels
from dcign.metrics import (
    detail_sums,
    explained_share,
    inside_outline,
    multiscale_similarity,
    psnr_decibels,
    structural_similarity,
)
from dcign.metrics.circular import wrapped
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.codec import Codec

TURN, FRONTAL = "azimuth", 45.0  # the factor that turns an object, and below how many degrees `fine` sees its front
LABELS = 256  # part labels are bytes
SIMILAR_IMAGES = 2000  # at most about so many, spread evenly, have their SSIM measured: it costs as much as decoding


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Plain reconstruction of a split: `reconstruction` of evaluation.json, and mean squared errors (B, n)."""

    figures: dict[str, Any]  # JSON
    squared_error: Floating


def measure_reconstruction(
    codec: Codec,
    batches: LabelledBatches,
    codes: Codes,
    progress: FractionProgress = no_fraction_progress,
    parts: PartLabels | None = None,
) -> Reconstruction:
    """Measure how near the reconstructions of a split's images are, and how sharp.

    PSNR, in the mask and in the whole frame: means over images. SSIM and multi-scale SSIM, in the mask if there is one,
    else in the frame: means over images spread evenly. fine: the share of detail explained over all images that are
    near-frontal, inside the outline. With parts, the labels of the same images: the PSNR of each part that is visible,
    from the mean squared error of all its pixels in all images, because a part of few pixels has no PSNR per image.
    """
    squared, frame, head, similar, details = [], [], [], [], []
    part_errors, part_pixels = np.zeros(LABELS), np.zeros(LABELS)
    front = near_frontal(codec.description.factors, batches.factors)
    count = len(codes.mu)
    chosen = thinning(count, batches.images.shape[1], SIMILAR_IMAGES)[1]
    for batch in range(count):  # one batch at a time: the decoded images of a split are gigabytes
        truth = batches.images[batch].astype(np.float32) / 255
        mask = None if batches.mask is None else batches.mask[batch].astype(np.float32) / 255
        rebuilt = codec.decode(codes.mu[batch])
        error = rebuilt - truth
        squared.append(mean_squares(error))
        frame.append(psnr_decibels(error))
        if mask is not None:
            head.append(psnr_decibels(error, mask))
        few = rebuilt[chosen], truth[chosen], None if mask is None else mask[chosen]
        similar.append([structural_similarity(*few), multiscale_similarity(*few)])
        seen = front[batch]
        if seen.any():
            inside = None if mask is None else inside_outline(mask[seen])
            details.append(detail_sums(truth[seen], rebuilt[seen], inside))
        if parts is not None:
            labels, errors = parts.labels[batch].ravel(), np.square(error).mean(axis=-1).ravel()
            part_errors += np.bincount(labels, errors, LABELS)
            part_pixels += np.bincount(labels, minlength=LABELS)
        progress((batch + 1) / count)
    figures: dict[str, Any] = {"psnr_frame_db": float(np.mean(frame))}
    if head:
        figures["psnr_head_db"] = float(np.mean(head))
    figures["ssim"], figures["ms_ssim"] = (float(mean) for mean in np.mean(similar, axis=(0, 2)))
    figures["fine"] = explained_share(*np.concatenate(details, axis=1)) if details else float("nan")
    if parts is not None:
        figures["psnr_parts_db"] = {
            name: float(-10 * np.log10(max(part_errors[number] / part_pixels[number], 1e-12)))
            for name, number in parts.numbers().items()
            if part_pixels[number]
        }
    return Reconstruction(figures, np.array(squared))


def near_frontal(names: tuple[str, ...], factors: Floating) -> Bool:
    """Return which images show the front: factors (B, n, F) of these names -> (B, n). All, if none is `azimuth`.

    Angles may be of any turn: 350 degrees are -10.
    """
    if TURN not in names:
        return np.ones(factors.shape[:2], bool)
    front: Bool = np.abs(wrapped(factors[..., names.index(TURN)].astype(np.float64))) < FRONTAL
    return front


def mean_squares(error: Floating) -> Floating:
    """Return the mean square of each image: (N, S, S, C) -> (N,)."""
    return np.asarray(np.square(error).mean(axis=(1, 2, 3), dtype=np.float64))
