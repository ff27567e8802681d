"""What the encoder makes of a split, and which latents say anything."""

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, Int64, IntP
from dcign.inputs.source import LabelledBatches
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.codec import Codec

ALIVE_NATS = 0.1  # of mean KL: a latent below says nothing


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes and truth: mu, logvar (B, n, Z); factors (B, n, F); kind (B,) what varies in each batch."""

    mu: Floating
    logvar: Floating
    factors: Floating
    kind: Int64

    @property
    def flat_mu(self) -> Floating:
        """Every image's posterior mean: (B n, Z)."""
        return self.mu.reshape(-1, self.mu.shape[-1])

    @property
    def flat_logvar(self) -> Floating:
        """Every image's posterior log variance: (B n, Z)."""
        return self.logvar.reshape(-1, self.logvar.shape[-1])

    @property
    def flat_factors(self) -> Floating:
        """Every image's labels: (B n, F)."""
        return self.factors.reshape(-1, self.factors.shape[-1])

    def mean_divergence(self) -> Floating:
        """Mean KL of each latent from the prior, nats: (Z,)."""
        mu, logvar = self.flat_mu.astype(np.float64), self.flat_logvar.astype(np.float64)
        nats: Floating = (np.square(mu) + np.exp(logvar) - 1 - logvar).mean(axis=0) / 2
        return nats


def encode_split(codec: Codec, batches: LabelledBatches, progress: FractionProgress = no_fraction_progress) -> Codes:
    """Encode every image of a split; progress is told the fraction that is done."""
    count, size = batches.images.shape[:2]
    mu, logvar = codec.encode(batches.images.reshape(-1, *batches.images.shape[2:]), progress)
    return Codes(mu.reshape(count, size, -1), logvar.reshape(count, size, -1), batches.factors, batches.kind)


def thinned(batches: LabelledBatches, images: int) -> LabelledBatches:
    """Keep about so many images, a few of every batch, and of many batches an even choice."""
    count, size = batches.images.shape[:2]
    chosen, places = thinning(count, size, images)
    mask = None if batches.mask is None else batches.mask[chosen][:, places]
    return LabelledBatches(
        batches.images[chosen][:, places], batches.factors[chosen][:, places], batches.kind[chosen], mask
    )


def thinning(batches: int, size: int, images: int) -> tuple[IntP, IntP]:
    """Return which of so many batches of `size` are kept of about so many images, and which images of each."""
    each = int(np.clip(images // batches, 1, size))
    return evenly(batches, max(1, images // each)), evenly(size, each)


def evenly(count: int, most: int) -> IntP:
    """Return at most so many of 0 .. count - 1, spread evenly."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.intp)
