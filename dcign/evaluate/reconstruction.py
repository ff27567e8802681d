"""Plain reconstruction of the test split: how near decoded images are to the originals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating
from dcign.evaluate.codes import Codes
from dcign.inputs.source import LabelledBatches
from dcign.metrics import psnr_decibels
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.codec import Codec


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Plain reconstruction of a split: the mean PSNRs, dB, and each image's mean squared error (B, n)."""

    psnr: dict[str, float]
    squared_error: Floating


def measure_reconstruction(
    codec: Codec, batches: LabelledBatches, codes: Codes, progress: FractionProgress = no_fraction_progress
) -> Reconstruction:
    """Measure the PSNR of a split's images, in the mask and in the whole frame, and their squared errors."""
    squared, frame, head = [], [], []
    count = len(codes.mu)
    for batch in range(count):  # one batch at a time: the decoded images of a split are gigabytes
        error = codec.decode(codes.mu[batch]) - batches.images[batch].astype(np.float32) / 255
        squared.append(mean_squares(error))
        frame.append(psnr_decibels(error))
        if batches.mask is not None:
            head.append(psnr_decibels(error, batches.mask[batch].astype(np.float32) / 255))
        progress((batch + 1) / count)
    psnr = {"psnr_frame_db": float(np.mean(frame))}
    if batches.mask is not None:
        psnr["psnr_head_db"] = float(np.mean(head))
    return Reconstruction(psnr, np.array(squared))


def mean_squares(error: Floating) -> Floating:
    """Return the mean square of each image: (N, S, S, C) -> (N,)."""
    return np.asarray(np.square(error).mean(axis=(1, 2, 3), dtype=np.float64))
