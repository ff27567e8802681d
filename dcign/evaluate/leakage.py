"""Leakage: what the other latents know of a factor. It depends on how one asks: three ways."""

from dataclasses import dataclass

import numpy as np
import torch

from dcign.arrays import Bool
from dcign.evaluate.codes import Codes
from dcign.metrics.probes import ProbeData, probe
from dcign.progress import FractionProgress, no_fraction_progress

VALIDATION = 0.12  # of the training batches, to stop the probes by
SEED = 0  # of the probes' weights and of the sampled z: the same for every run that is compared


@dataclass(frozen=True)
class Leakage:
    """R^2 of a probe for one factor from all latents but its own.

    sampled: from z as the decoder gets it; active: from mu of the latents that are alive; everything: from mu
    of all, standardised, which amplifies the traces in nearly dead ones.
    """

    sampled: float
    active: float
    everything: float


def measure_leakage(
    train: Codes, test: Codes, own: tuple[int, ...], alive: Bool, progress: FractionProgress = no_fraction_progress
) -> tuple[Leakage, ...]:
    """Return the leakage of each factor; own (F,) are the factors' latents, alive (Z,) says which are."""
    generator = torch.Generator().manual_seed(SEED)
    allowed = np.stack([_allowed(latent, alive) for latent in own])  # (F, 3, Z)
    fitted = _probe_data(train, allowed, generator)
    held = _probe_data(test, allowed, generator)
    batches, size = train.mu.shape[:2]
    validates = torch.rand(batches, generator=generator) < VALIDATION
    # Whole batches: images of one batch share so much that a probe could learn them by heart.
    validates[torch.tensor([0, -1])] = torch.tensor([False, True])
    image_validates = validates.repeat_interleave(size)
    scores = probe(fitted.rows(~image_validates), fitted.rows(image_validates), held, generator, progress)
    return tuple(Leakage(*map(float, row)) for row in scores.reshape(len(own), 3))


def _allowed(latent: int, alive: Bool) -> Bool:
    """Return the latents that each of a factor's three probes may read: (3, Z)."""
    others = np.arange(len(alive)) != latent
    return np.stack([others, others & alive, others])


def _probe_data(codes: Codes, allowed: Bool, generator: torch.Generator) -> ProbeData:
    """Lay out what the F x 3 probes read, forbidden latents at 0: inputs (3 F, N, Z), targets (3 F, N)."""
    mu = torch.from_numpy(codes.flat_mu).float()
    spread = torch.from_numpy(np.exp(codes.flat_logvar / 2)).float()
    z = mu + spread * torch.randn(mu.shape, generator=generator)
    asked = torch.stack([z, mu, mu])  # (3, N, Z)
    may = torch.from_numpy(allowed)[:, :, None]  # (F, 3, 1, Z)
    factors = torch.from_numpy(codes.flat_factors.T.copy()).float()  # (F, N)
    return ProbeData((asked * may).flatten(0, 1), factors.repeat_interleave(3, dim=0))
