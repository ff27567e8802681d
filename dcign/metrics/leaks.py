"""Leakage: what all latents but a factor's own know of it, by a straight line and by a network."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating
from dcign.errors import TrainingError
from dcign.metrics.regression import least_squares, linear_prediction, r_squared
from dcign.metrics.tables import latents_and_factors, refuse_latents, standardised

VALIDATION = 0.12  # of the rows that are fitted on, to stop the network by

Own = Sequence[int | Sequence[int]]  # each factor's latent or latents


def linear_leakage(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike, own: Own
) -> Floating:
    """R^2 of the linear regression of each factor on all latents but its own, own (F,).

    (N, Z), (N, F) fitted on, (M, Z), (M, F) measured on -> (F,)
    """
    codes, truth, held, held_truth = _real_tables(train_latents, train_factors, test_latents, test_factors)
    inputs, asked = standardised(codes), standardised(held, codes)
    found = []
    for place, others in enumerate(_others(own, codes.shape[1], truth.shape[1])):
        weights = least_squares(inputs[:, others], truth[:, place])
        found.append(r_squared(held_truth[:, place], linear_prediction(asked[:, others], weights)))
    return np.array(found)


def nonlinear_leakage(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    own: Own,
    rng: np.random.Generator,
    sample: ArrayLike | None = None,
) -> Floating:
    """R^2 of a network with two hidden layers of 256 units in place of the line of `linear_leakage` -> (F,).

    It is stopped early by the rows of an eighth of the samples: sample (N,) says which rows share so much that they
    must not be parted, a batch's say; None if each row is its own.
    """
    import torch  # heavy, and nothing else here needs it

    from dcign.metrics.probes import ProbeData, probe

    codes, truth, held, held_truth = _real_tables(train_latents, train_factors, test_latents, test_factors)
    may = torch.zeros(truth.shape[1], 1, codes.shape[1])
    for place, others in enumerate(_others(own, codes.shape[1], truth.shape[1])):
        may[place, 0, others] = 1
    kinds = np.unique(np.arange(len(codes)) if sample is None else np.asarray(sample), return_inverse=True)[1]
    chosen = rng.permutation(kinds.max() + 1)[: max(1, round(VALIDATION * (kinds.max() + 1)))]
    validates = torch.from_numpy(np.isin(kinds, chosen))

    def asked(latents: Floating, factors: Floating) -> ProbeData:
        return ProbeData(torch.from_numpy(latents).float() * may, torch.from_numpy(factors.T.copy()).float())

    fitted = asked(codes, truth)
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    return probe(fitted.rows(~validates), fitted.rows(validates), asked(held, held_truth), generator)


def _real_tables(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike
) -> tuple[Floating, Floating, Floating, Floating]:
    codes, truth = latents_and_factors(train_latents, train_factors)
    held, held_truth = latents_and_factors(test_latents, test_factors)
    return codes, truth.astype(np.float64), held, held_truth.astype(np.float64)


def _others(own: Own, latents: int, factors: int) -> list[list[int]]:
    """Return the latents that are not each factor's own."""
    if len(own) != factors:
        raise TrainingError(f"own latents {list(own)}: wanted one entry for each of the {factors} factors")
    mine = [{entry} if isinstance(entry, int | np.integer) else set(entry) for entry in own]
    refuse_latents(set().union(*mine), latents)
    return [[latent for latent in range(latents) if latent not in taken] for taken in mine]
