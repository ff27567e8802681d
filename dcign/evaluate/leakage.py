"""Leakage: how well the other latents predict a factor. It depends on what the probe sees, so we measure three ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dcign.arrays import Bool, Floating
from dcign.evaluate.codes import Codes
from dcign.metrics import nonlinear_leakage
from dcign.metrics.circular import Classes, factor_columns, per_column, per_factor
from dcign.progress import FractionProgress, no_fraction_progress

SEED = 0  # of the probes' weights and of the sampled z: the same for all runs, so that they can be compared


@dataclass(frozen=True)
class Leakage:
    """R^2 of probes that predict one factor from all latents but its own.

    Of a circular factor they predict cosine and sine, of one of classes the classes' indicators.

    sampled: from z as the decoder receives it, with noise; active: from mu of the latents that are alive; everything:
    from mu of all latents, standardised, which makes weak signals in almost unused latents visible.
    """

    sampled: float
    active: float
    everything: float


def measure_leakage(
    train: Codes,
    test: Codes,
    own: Sequence[tuple[int, ...]],
    circular: Sequence[bool],
    classes: Classes,
    alive: Bool,
    progress: FractionProgress = no_fraction_progress,
) -> tuple[Leakage, ...]:
    """Return the leakage of each factor.

    own (F,): the factors' latents; circular, classes (F,): which are angles, and the
    classes whose indicators are predicted; alive (Z,): which latents are alive.
    """
    generator = torch.Generator().manual_seed(SEED)
    columns, asked = (factor_columns(codes.flat_factors, circular, classes) for codes in (train, test))
    # Three probes per column: the column three times, each with its own table of latents, (3 C, N, Z).
    seen, held = (np.tile(_views(codes, generator), (columns.shape[1], 1, 1)) for codes in (train, test))
    dead = np.flatnonzero(~alive).tolist()
    scores = nonlinear_leakage(
        seen,
        np.repeat(columns, 3, axis=1),
        held,
        np.repeat(asked, 3, axis=1),
        [hidden for latents in per_column(own, circular, classes) for hidden in (latents, [*latents, *dead], latents)],
        generator,
        np.repeat(np.arange(len(train.mu)), train.mu.shape[1]),  # validation takes whole batches
        progress,
    )
    views = scores.reshape(columns.shape[1], 3).T
    found = np.stack([per_factor(view, asked, circular, classes) for view in views], axis=1)
    return tuple(Leakage(*map(float, row)) for row in found)


def _views(codes: Codes, generator: torch.Generator) -> Floating:
    """Return what the probes of one factor see, own latents included: z, mu and mu, (3, N, Z)."""
    mu = codes.flat_mu
    noise = torch.randn(mu.shape, generator=generator).numpy()
    return np.stack([mu + np.exp(codes.flat_logvar / 2) * noise, mu, mu])
