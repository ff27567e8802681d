"""Tests by picture: reconstruct, and put another image's factor into the code.

In a batch in which one factor varies, an image with the next image's latent for that factor is the next image,
if the latent is the factor. The error of that swap is told as a multiple of plain reconstruction's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcign.codec import Codec
from dcign.codes import Codes
from dcign.meter import Fraction, unheard
from dcign.metrics import psnr_decibels
from dcign.source import LabelledBatches

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Swap:
    """Squared errors over that of plain reconstruction: swapped, and with the source left as it is."""

    ratio: float
    copy_ratio: float


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Plain reconstruction of a split: the mean PSNRs, dB, and each batch's mean squared error (B,)."""

    psnr: dict[str, float]
    squared_error: Array


def measure_reconstruction(
    codec: Codec, batches: LabelledBatches, codes: Codes, progress: Fraction = unheard
) -> Reconstruction:
    """Measure the mean over a split's images of the PSNR over the head, and over the whole frame."""
    squared, frame, head = [], [], []
    count = len(codes.mu)
    for batch in range(count):  # one at a time: all pictures of a split are gigabytes
        error = codec.decode(codes.mu[batch]) - batches.images[batch].astype(np.float32) / 255
        squared.append(np.square(error).mean())
        frame.append(psnr_decibels(error))
        if batches.mask is not None:
            head.append(psnr_decibels(error, batches.mask[batch].astype(np.float32) / 255))
        progress((batch + 1) / count)
    psnr = {"psnr_frame_db": float(np.mean(frame))}
    if batches.mask is not None:
        psnr["psnr_head_db"] = float(np.mean(head))
    return Reconstruction(psnr, np.array(squared))


def measure_swap(
    codec: Codec,
    batches: LabelledBatches,
    codes: Codes,
    plain: Reconstruction,
    factor: int,
    latent: int,
    progress: Fraction = unheard,
) -> Swap:
    """Swap one factor's latent along the test batches in which that factor varies; plain is of all of them."""
    chosen = np.flatnonzero(codes.kind == factor)
    if len(chosen) == 0:
        return Swap(float("nan"), float("nan"))
    swapped_errors, copied_errors = [], []
    for done, batch in enumerate(chosen, start=1):
        swapped = codes.mu[batch].copy()
        swapped[:, latent] = np.roll(swapped[:, latent], -1)
        truth = batches.images[batch].astype(np.float32) / 255
        following = np.roll(truth, -1, axis=0)
        swapped_errors.append(np.square(codec.decode(swapped) - following).mean())
        copied_errors.append(np.square(truth - following).mean())
        progress(done / len(chosen))
    error = plain.squared_error[chosen].mean()
    return Swap(float(np.mean(swapped_errors) / error), float(np.mean(copied_errors) / error))
