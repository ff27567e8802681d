"""Tests by picture: reconstruct, and put another image's factor into the code.

In a batch in which one factor varies, an image with the next image's latent for that factor is the next image,
if the latent is the factor. The error of that swap is told as a multiple of plain reconstruction's.
"""

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating
from dcign.evaluate.codes import Codes
from dcign.inputs.source import LabelledBatches
from dcign.metrics import psnr_decibels
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.codec import Codec


@dataclass(frozen=True)
class Swap:
    """Squared errors over that of plain reconstruction: swapped, and with the source left as it is."""

    ratio: float
    copy_ratio: float


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Plain reconstruction of a split: the mean PSNRs, dB, and each picture's mean squared error (B, 20)."""

    psnr: dict[str, float]
    squared_error: Floating


def measure_reconstruction(
    codec: Codec, batches: LabelledBatches, codes: Codes, progress: FractionProgress = no_fraction_progress
) -> Reconstruction:
    """Measure the mean over a split's images of the PSNR over the head, and over the whole frame."""
    squared, frame, head = [], [], []
    count = len(codes.mu)
    for batch in range(count):  # one at a time: all pictures of a split are gigabytes
        error = codec.decode(codes.mu[batch]) - batches.images[batch].astype(np.float32) / 255
        squared.append(_squared(error))
        frame.append(psnr_decibels(error))
        if batches.mask is not None:
            head.append(psnr_decibels(error, batches.mask[batch].astype(np.float32) / 255))
        progress((batch + 1) / count)
    psnr = {"psnr_frame_db": float(np.mean(frame))}
    if batches.mask is not None:
        psnr["psnr_head_db"] = float(np.mean(head))
    return Reconstruction(psnr, np.array(squared))


@dataclass(frozen=True, eq=False)
class SwapErrors:
    """What swapping a factor's latent to the next image's costs, one row an image; all arrays (N,).

    steps: the next image's value of the factor less its own. The others are mean squared errors against the next
    image: swapped, of the decoded swap; copied, of the image itself; plain, of the next image's own reconstruction.
    """

    steps: Floating
    swapped: Floating
    copied: Floating
    plain: Floating


def swap_errors(
    codec: Codec,
    batches: LabelledBatches,
    codes: Codes,
    plain: Reconstruction,
    factor: int,
    latent: int,
    progress: FractionProgress = no_fraction_progress,
) -> SwapErrors:
    """Swap one factor's latent along the batches in which that factor varies; N is 0 where there are none.

    plain: of all of the batches.
    """
    chosen = np.flatnonzero(codes.kind == factor)
    rows: list[tuple[Floating, Floating, Floating, Floating]] = []
    for done, batch in enumerate(chosen, start=1):
        swapped = codes.mu[batch].copy()
        swapped[:, latent] = np.roll(swapped[:, latent], -1)
        truth = batches.images[batch].astype(np.float32) / 255
        following, values = np.roll(truth, -1, axis=0), batches.factors[batch, :, factor]
        errors = (_squared(picture - following) for picture in (codec.decode(swapped), truth))
        rows.append((np.roll(values, -1) - values, *errors, np.roll(plain.squared_error[batch], -1)))
        progress(done / len(chosen))
    return SwapErrors(*(map(np.concatenate, zip(*rows, strict=True)) if rows else [np.empty(0)] * 4))


def measure_swap(errors: SwapErrors) -> Swap:
    """Tell the errors of all swaps of a factor as multiples of plain reconstruction's; NaN where it never varies."""
    if len(errors.plain) == 0:
        return Swap(float("nan"), float("nan"))
    plain = errors.plain.mean()
    return Swap(float(errors.swapped.mean() / plain), float(errors.copied.mean() / plain))


def _squared(error: Floating) -> Floating:
    """Return the mean square of each picture: (N, S, S, C) -> (N,)."""
    return np.asarray(np.square(error).mean(axis=(1, 2, 3), dtype=np.float64))
