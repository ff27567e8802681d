"""The codes of a split's images, and which latents carry information."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, Int64, IntP
from dcign.inputs.source import LabelledBatches
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.codec import Codec

ALIVE_NATS = 0.1  # mean KL divergence below which a latent carries no information


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes and labels: mu, logvar (B, n, Z); factors (B, n, F); kind (B,), what varies in each batch."""

    mu: Floating
    logvar: Floating
    factors: Floating
    kind: Int64

    @property
    def flat_mu(self) -> Floating:
        """The posterior mean of each image: (B n, Z)."""
        return self.mu.reshape(-1, self.mu.shape[-1])

    @property
    def flat_logvar(self) -> Floating:
        """The posterior log variance of each image: (B n, Z)."""
        return self.logvar.reshape(-1, self.logvar.shape[-1])

    @property
    def flat_factors(self) -> Floating:
        """The labels of each image: (B n, F)."""
        return self.factors.reshape(-1, self.factors.shape[-1])

    def mean_divergence(self) -> Floating:
        """Return the mean KL divergence of each latent from the prior, nats: (Z,)."""
        mu, logvar = self.flat_mu.astype(np.float64), self.flat_logvar.astype(np.float64)
        nats: Floating = (np.square(mu) + np.exp(logvar) - 1 - logvar).mean(axis=0) / 2
        return nats


def encode_split(codec: Codec, batches: LabelledBatches, progress: FractionProgress = no_fraction_progress) -> Codes:
    """Encode every image of a split; progress receives the fraction that is done."""
    count, size = batches.images.shape[:2]
    mu, logvar = codec.encode(batches.images.reshape(-1, *batches.images.shape[2:]), progress)
    return Codes(mu.reshape(count, size, -1), logvar.reshape(count, size, -1), batches.factors, batches.kind)


def thinning(batches: int, size: int, images: int) -> tuple[IntP, IntP]:
    """Choose about `images` images, spread evenly. Return the indices of batches, and of images within a batch."""
    each = int(np.clip(images // batches, 1, size))
    return evenly(batches, max(1, images // each)), evenly(size, each)


def evenly(count: int, most: int) -> IntP:
    """Return at most so many of 0 .. count - 1, spread evenly from first to last."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.intp)


def unit_codes(codes: Floating, of_zero: float = 0.0) -> Floating:
    """Scale codes to length 1: (..., I) -> (..., I) float64. A code of zeros becomes `of_zero` in all entries."""
    values = codes.astype(np.float64)
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    unit: Floating = np.divide(values, length, out=np.full_like(values, of_zero), where=length > 0)
    return unit
