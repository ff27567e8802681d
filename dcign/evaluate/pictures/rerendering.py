"""Re-rendering: one image of a person decoded at other values of a factor, against the renderer's images of the person.

A person's code is that of the image with all factors at rest. The factor's latent is set, by the calibration, to each
level of the sweep, and the decoded image is compared with the sweep's image at that level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, IntP
from dcign.evaluate.codes import evenly, unit_codes
from dcign.evaluate.sweeps import SLACK, at_rest, sweep_of
from dcign.inputs.source import LabelledBatches
from dcign.metrics import psnr_decibels, structural_similarity
from dcign.metrics.circular import near
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.calibration import Calibration
from dcign.trained.codec import Codec

LEVELS = 21  # at most that are decoded, spread evenly
BAND = 5, 95  # percentiles over people around a curve


@dataclass(frozen=True)
class Rerendering:
    """Means over levels and people, in the mask if the split has masks.

    reconstruction_...: the same for plain reconstructions of the sweep's own images. degrees: the first and the last
    level of the sweep, in the factor's units. copy_...: of the picture at rest, returned unchanged, over the
    other levels.
    """

    psnr_db: float
    ssim: float
    reconstruction_psnr_db: float
    reconstruction_ssim: float
    degrees: tuple[float, float]
    copy_psnr_db: float
    copy_ssim: float


@dataclass(frozen=True)
class InvarianceCurve:
    """How similar the intrinsic latents stay while the factor varies: their cosine to the same person's at rest.

    One number per level: the mean over people, and the ends of their middle 90 %. others: the mean cosine between
    different people at rest. inferred: the factor as its own latents predict it at each level, in the factor's units,
    and of a circular factor within half a turn of the level.
    """

    levels: list[float]
    cosine: list[float]
    cosine_low: list[float]
    cosine_high: list[float]
    others: float
    inferred: list[float]
    inferred_low: list[float]
    inferred_high: list[float]


def measure_sweep(
    codec: Codec,
    batches: LabelledBatches,
    factor: int,
    fit: Calibration,
    intrinsic: IntP,
    progress: FractionProgress = no_fraction_progress,
) -> tuple[Rerendering, InvarianceCurve]:
    """Measure both on the sweep of one factor; intrinsic (I,) are the latents that should not change.

    batches is the sweep split; progress receives the fraction that is done.
    """
    sweep = sweep_of(batches, factor)
    levels, people = sweep.images.shape[:2]
    flat = sweep.images.reshape(-1, *sweep.images.shape[2:])
    mu = codec.encode(flat, lambda done: progress(done / 2))[0].reshape(levels, people, -1)
    curve = invariance_curve(sweep.levels, mu, fit, intrinsic, sweep.rest)
    kept, resting = evenly(levels, LEVELS), at_rest(batches)
    decoded, source = sweep.chosen(kept), codec.encode(resting)[0]
    unchanged = resting.astype(np.float32) / 255
    scores = []
    for done, (index, level) in enumerate(zip(kept, decoded.levels, strict=True)):
        truth = decoded.images[done].astype(np.float32) / 255
        mask = None if decoded.mask is None else decoded.mask[done].astype(np.float32) / 255
        turned = fit.written(source, np.full(len(source), level))
        images: list[Floating] = [codec.decode(turned), codec.decode(mu[index]), unchanged]
        psnrs = [psnr_decibels(image - truth, mask) for image in images]
        scores.append([psnrs, [structural_similarity(image, truth, mask) for image in images]])
        progress((1 + (done + 1) / len(kept)) / 2)
    by_level = np.array(scores).mean(axis=-1)  # (L, 2, 3)
    (psnr, plain_psnr, _), (ssim, plain_ssim, _) = by_level.mean(axis=0).tolist()
    away = np.abs(decoded.levels - sweep.rest) >= SLACK  # elsewhere a copy is exact, and says nothing
    copy_psnr, copy_ssim = by_level[away, :, 2].mean(axis=0).tolist() if away.any() else (float("nan"), float("nan"))
    ends = float(sweep.levels[0]), float(sweep.levels[-1])
    return Rerendering(psnr, ssim, plain_psnr, plain_ssim, ends, copy_psnr, copy_ssim), curve


def invariance_curve(
    levels: Floating, mu: Floating, fit: Calibration, intrinsic: IntP, at: float = 0.0
) -> InvarianceCurve:
    """Return the curve of one sweep: levels (L,), mu (L, n, Z) of the same n people, intrinsic (I,) latents.

    at: the factor's value at rest.
    """
    unit = unit_codes(mu[:, :, intrinsic], of_zero=np.nan)
    rest = unit[np.abs(levels - at).argmin()]  # (n, I)
    cosine = np.einsum("lni,ni->ln", unit, rest) if len(intrinsic) else np.full(mu.shape[:2], np.nan)
    between = (rest @ rest.T)[~np.eye(len(rest), dtype=bool)]
    inferred = fit.read(mu.reshape(-1, mu.shape[-1])).reshape(mu.shape[:2])
    if fit.circular:
        inferred = near(inferred, levels[:, None])
    low, high = np.percentile(cosine, BAND, axis=1)
    lower, upper = np.percentile(inferred, BAND, axis=1)
    return InvarianceCurve(
        levels=levels.tolist(),
        cosine=cosine.mean(axis=1).tolist(),
        cosine_low=low.tolist(),
        cosine_high=high.tolist(),
        others=float(between.mean()) if len(intrinsic) and len(between) else float("nan"),
        inferred=inferred.mean(axis=1).tolist(),
        inferred_low=lower.tolist(),
        inferred_high=upper.tolist(),
    )


def sweep_operations(encoding: float, decoding: float, batches: LabelledBatches, factors: int) -> float:
    """Estimate the floating-point operations of measuring all sweeps; encoding and decoding are those per image."""
    levels, people = batches.images.shape[:2]
    return float(people * (encoding * levels + 2 * decoding * LEVELS * factors))
