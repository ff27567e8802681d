"""Is a latent a dial: does it say the factor, in the factor's own units?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating
from dcign.errors import TrainingError
from dcign.metrics.monotone import fit_monotone
from dcign.metrics.regression import least_squares, linear_prediction, r_squared, spearman
from dcign.metrics.tables import latents_and_factors, refuse_latents


@dataclass(frozen=True)
class MonotoneLatent:
    """One factor and the latent that is read for it.

    r2 and mean_error, in the factor's units: through a monotone map; r2_linear: through a straight line.
    """

    latent: int
    r2: float
    r2_linear: float
    spearman: float
    mean_error: float


def read_monotone_latent(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    own: ArrayLike | None = None,
) -> tuple[MonotoneLatent, ...]:
    """Read each factor from one latent, through maps fitted on the first two tables: (N, Z), (N, F), (M, Z), (M, F).

    own (F,) names the latents; None takes for each factor the one that is best where the maps are fitted.
    """
    codes, truth = latents_and_factors(train_latents, train_factors)
    held, held_truth = latents_and_factors(test_latents, test_factors)
    values, held_values = truth.astype(np.float64), held_truth.astype(np.float64)
    latents = [best_latent(codes, column) for column in values.T] if own is None else np.asarray(own).tolist()
    if len(latents) != values.shape[1]:
        raise TrainingError(f"own latents {latents}: wanted one for each of the {values.shape[1]} factors")
    refuse_latents(latents, codes.shape[1])
    return tuple(
        _dial(latent, codes[:, latent], values[:, place], held[:, latent], held_values[:, place])
        for place, latent in enumerate(latents)
    )


def best_latent(mu: Floating, values: Floating) -> int:
    """Return the latent that a monotone map takes nearest to the factor: (N, Z), (N,) -> its place."""
    scores = [r_squared(values, fit_monotone(column, values)(column)) for column in mu.T]
    return int(np.argmax(scores))


def _dial(latent: int, codes: Floating, values: Floating, held: Floating, truth: Floating) -> MonotoneLatent:
    predicted = fit_monotone(codes, values)(held)
    line = linear_prediction(held[:, None], least_squares(codes[:, None], values[:, None]))[:, 0]
    return MonotoneLatent(
        latent=int(latent),
        r2=r_squared(truth, predicted),
        r2_linear=r_squared(truth, line),
        spearman=spearman(held, truth),
        mean_error=float(np.abs(predicted - truth).mean()),
    )
