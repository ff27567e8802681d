"""The sweep split as a test: one picture of a person turned by its code, beside the renderer's pictures of that person.

A person's code is that of the picture with every factor at rest. The factor's latent is set, through the calibration,
to each level of the sweep; what is decoded is held against the sweep's picture there.
"""

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, IntP
from dcign.evaluate.sweeps import at_rest, sweep_of
from dcign.inputs.source import LabelledBatches
from dcign.metrics import psnr_decibels, structural_similarity
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.calibration import FactorCalibration
from dcign.trained.codec import Codec

LEVELS = 21  # at most that are decoded, evenly spread
BAND = 5, 95  # percentiles of the people around a curve


@dataclass(frozen=True)
class Rerendering:
    """Mean over levels and people, on the head where the split has masks; degrees are the ends of the sweep.

    reconstruction: the same of plain reconstructions of the sweep's own pictures.
    """

    psnr_db: float
    ssim: float
    reconstruction_psnr_db: float
    reconstruction_ssim: float
    degrees: tuple[float, float]


@dataclass(frozen=True)
class InvarianceCurve:
    """How alike the other latents stay as the factor moves: cosine to the same person's with the factor at rest.

    A number a level: the mean over people and the middle 90 %. others: the mean cosine between different people there;
    inferred, inferred_low, inferred_high: what the factor's own latent says at each level, in the factor's units.
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
    fit: FactorCalibration,
    intrinsic: IntP,
    progress: FractionProgress = no_fraction_progress,
) -> tuple[Rerendering, InvarianceCurve]:
    """Measure both on the sweep of one factor; intrinsic (I,) are the latents that should not move.

    batches is the sweep split; progress is told the fraction that is done.
    """
    sweep = sweep_of(batches, factor)
    levels, people = sweep.images.shape[:2]
    flat = sweep.images.reshape(-1, *sweep.images.shape[2:])
    mu = codec.encode(flat, lambda done: progress(done / 2))[0].reshape(levels, people, -1)
    curve = invariance_curve(sweep.levels, mu, fit, intrinsic, sweep.rest)
    kept = some_levels(levels)
    decoded, source = sweep.chosen(kept), codec.encode(at_rest(batches))[0]
    figures = []
    for done, (place, level) in enumerate(zip(kept, decoded.levels, strict=True), start=1):
        truth = decoded.images[done - 1].astype(np.float32) / 255
        mask = None if decoded.mask is None else decoded.mask[done - 1].astype(np.float32) / 255
        turned = source.copy()
        turned[:, fit.latent] = fit.code(np.array([level]))
        pictures = (codec.decode(turned), codec.decode(mu[place]))
        told = [psnr_decibels(picture - truth, mask) for picture in pictures]
        figures.append([*told, *(structural_similarity(picture, truth, mask) for picture in pictures)])
        progress((1 + done / len(kept)) / 2)
    psnr, plain_psnr, ssim, plain_ssim = np.array(figures).mean(axis=(0, 2))
    ends = float(sweep.levels[0]), float(sweep.levels[-1])
    return Rerendering(float(psnr), float(ssim), float(plain_psnr), float(plain_ssim), ends), curve


def some_levels(count: int) -> IntP:
    """Return which of so many levels are decoded: at most `LEVELS` of them, evenly spread, the ends among them."""
    return np.unique(np.linspace(0, count - 1, min(LEVELS, count)).round().astype(np.intp))


def invariance_curve(
    levels: Floating, mu: Floating, fit: FactorCalibration, intrinsic: IntP, at: float = 0.0
) -> InvarianceCurve:
    """Return the curve of one sweep: levels (L,), mu (L, n, Z) of the same n people, intrinsic (I,) latents.

    at: where the factor rests.
    """
    inside = mu[:, :, intrinsic].astype(np.float64)
    length = np.linalg.norm(inside, axis=2, keepdims=True)
    unit = np.divide(inside, length, out=np.full_like(inside, np.nan), where=length > 0)  # of a code of 0, none
    rest = unit[np.abs(levels - at).argmin()]  # (n, I)
    cosine = np.einsum("lni,ni->ln", unit, rest) if len(intrinsic) else np.full(mu.shape[:2], np.nan)
    between = (rest @ rest.T)[~np.eye(len(rest), dtype=bool)]
    inferred = fit.value(mu[:, :, fit.latent].ravel()).reshape(mu.shape[:2])
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
    """Return what measuring all sweeps costs, floating-point operations; encoding and decoding are an image's."""
    levels, people = batches.images.shape[:2]
    return float(people * (encoding * levels + 2 * decoding * LEVELS * factors))
