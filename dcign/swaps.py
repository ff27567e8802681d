"""Tests by picture: reconstruct, and put another image's factor into the code.

In a batch in which one factor varies, an image with the next image's latent for that factor is the next image,
if the latent is the factor. The error of that swap is told as a multiple of plain reconstruction's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcign.codec import Codec
from dcign.codes import Codes
from dcign.metrics import psnr_decibels
from dcign.source import LabelledBatches

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Swap:
    """Squared errors over that of plain reconstruction: swapped, and with the source left as it is."""

    ratio: float
    copy_ratio: float


def measure_swap(codec: Codec, batches: LabelledBatches, codes: Codes, factor: int, latent: int) -> Swap:
    """Swap one factor's latent along the test batches in which that factor varies."""
    chosen = np.flatnonzero(codes.kind == factor)
    if len(chosen) == 0:
        return Swap(float("nan"), float("nan"))
    mu = codes.mu[chosen]
    swapped = mu.copy()
    swapped[:, :, latent] = np.roll(mu[:, :, latent], -1, axis=1)
    truth = batches.images[chosen].astype(np.float32) / 255
    following = np.roll(truth, -1, axis=1)
    plain = np.square(_decoded(codec, mu) - truth).mean()
    return Swap(
        float(np.square(_decoded(codec, swapped) - following).mean() / plain),
        float(np.square(truth - following).mean() / plain),
    )


def measure_reconstruction(codec: Codec, batches: LabelledBatches, codes: Codes) -> dict[str, float]:
    """Return the mean over a split's images of the PSNR over the head, and over the whole frame, in dB."""
    error = _decoded(codec, codes.mu) - batches.images.astype(np.float32) / 255
    flat = error.reshape(-1, *error.shape[2:])
    found = {"psnr_frame_db": float(psnr_decibels(flat).mean())}
    if batches.mask is not None:
        mask = batches.mask.reshape(-1, *batches.mask.shape[2:]).astype(np.float32) / 255
        found["psnr_head_db"] = float(psnr_decibels(flat, mask).mean())
    return found


def _decoded(codec: Codec, codes: Array) -> Array:
    """Decode (B, n, Z) -> (B, n, S, S, C)."""
    pictures = codec.decode(codes.reshape(-1, codes.shape[-1]))
    return pictures.reshape(*codes.shape[:2], *pictures.shape[1:])
