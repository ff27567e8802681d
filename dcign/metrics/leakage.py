"""Leakage: how well all latents but a factor's own predict it, by linear regression and by a neural network.

The network, a probe, has two hidden layers of 256 units. A weak probe would prove nothing, so it is trained until the
validation error on training rows held out from it stops falling. All probes are trained at once, by one batched matrix
product per layer.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional

from dcign.arrays import Float64, Floating
from dcign.device import choose_precision, computing
from dcign.errors import TrainingError
from dcign.metrics.regression import least_squares, linear_prediction, r_squared
from dcign.metrics.tables import own_latents, refuse_latents, standardised, train_and_test
from dcign.progress import FractionProgress, no_fraction_progress

VALIDATION = 0.12  # of the samples that probes are fitted on, for early stopping
UNITS = 256
BATCH = 512
EPOCHS = 60
PATIENCE = 6  # epochs without a better validation error
RATE = 2e-3
WEIGHT_DECAY = 1e-4

Own = Sequence[int | Sequence[int]]  # each factor's latent or latents


def linear_leakage(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike, own: Own
) -> Float64:
    """Return the R^2 of the linear regression of each factor on all latents but its own, own (F,).

    (N, Z), (N, F) fitted on, (M, Z), (M, F) measured on -> (F,).
    """
    codes, factors, held, asked = train_and_test(train_latents, train_factors, test_latents, test_factors)
    truth, held_truth = factors.astype(np.float64), asked.astype(np.float64)
    inputs, held_inputs = standardised(codes), standardised(held, codes)
    found = []
    for index, others in enumerate(_others(own, codes.shape[1], truth.shape[1])):
        weights = least_squares(inputs[:, others], truth[:, index])
        found.append(r_squared(held_truth[:, index], linear_prediction(held_inputs[:, others], weights)))
    return np.array(found)


def nonlinear_leakage(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    own: Own,
    rng: np.random.Generator | torch.Generator,
    sample: ArrayLike | None = None,
    progress: FractionProgress = no_fraction_progress,
) -> Float64:
    """Return the R^2 of a probe of each factor from all latents but its own: (F,).

    Parameters
    ----------
    train_latents, train_factors
        The tables that probes are fitted on: (N, Z), (N, F). Latents (F, N, Z) give each factor's probe its own table.
    test_latents, test_factors
        The tables that probes are measured on: (M, Z) or (F, M, Z), (M, F).
    own
        The latent or latents of each factor, which its probe does not see.
    rng
        Draws the validation samples, the first weights and the order of rows. A NumPy generator seeds a torch one.
    sample
        Which sample each row belongs to, (N,), such as its batch. Rows of one sample share so much that a probe could
        memorise them, so validation takes whole samples. None makes each row a sample.
    progress
        Receives the fraction that is done.
    """
    codes, truth, held, held_truth = _probe_tables(train_latents, train_factors, test_latents, test_factors)
    visible = torch.zeros(truth.shape[1], 1, codes.shape[2])
    for index, others in enumerate(_others(own, codes.shape[2], truth.shape[1])):
        visible[index, 0, others] = 1
    generator = rng
    if isinstance(generator, np.random.Generator):
        generator = torch.Generator().manual_seed(int(generator.integers(2**31)))
    _, samples = np.unique(np.arange(len(truth)) if sample is None else np.asarray(sample), return_inverse=True)
    chosen = torch.rand(int(samples.max()) + 1, generator=generator) < VALIDATION
    chosen[torch.tensor([0, -1])] = torch.tensor([False, True])
    validates = chosen[torch.from_numpy(samples)]
    data, asked = (
        ProbeData(torch.from_numpy(latents).float() * visible, torch.from_numpy(factors.T.copy()).float())
        for latents, factors in ((codes, truth), (held, held_truth))
    )
    return _train_and_score(data.rows(~validates), data.rows(validates), asked, generator, progress)


def probe_operations(probes: int, examples: int, inputs: int) -> float:
    """Estimate the floating-point operations of training probes: most stop after half of the epochs."""
    weights = inputs * UNITS + UNITS * UNITS + UNITS
    return 6.0 * probes * weights * examples * EPOCHS / 2  # 2 forward and 4 backward per weight


@dataclass(frozen=True, eq=False)
class ProbeData:
    """What P probes see and should predict: inputs (P, N, D), targets (P, N)."""

    inputs: Tensor
    targets: Tensor

    def rows(self, chosen: Tensor) -> ProbeData:
        """Return some of the N examples."""
        return ProbeData(self.inputs[:, chosen], self.targets[:, chosen])


def _probe_tables(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike
) -> tuple[Floating, Floating, Floating, Floating]:
    """Check the tables of probes, and stack those of latents: (1, N, Z) or (F, N, Z), (N, F), and the same of test."""
    train, test = np.asarray(train_latents), np.asarray(test_latents)
    train, test = (latents if latents.ndim == 3 else latents[None] for latents in (train, test))
    count = np.shape(train_factors)[-1]
    if not len(train) == len(test) or len(train) not in (1, count):
        raise TrainingError(
            f"expected one table of latents, or one for each of {count} factors, found {len(train)} to fit on and "
            f"{len(test)} to measure on: change the latents."
        )
    tables = [train_and_test(train[k], train_factors, test[k], test_factors) for k in range(len(train))]
    _, truth, _, held_truth = tables[0]
    codes, held = np.stack([table[0] for table in tables]), np.stack([table[2] for table in tables])
    return codes, truth.astype(np.float64), held, held_truth.astype(np.float64)


def _others(own: Own, latents: int, factors: int) -> list[list[int]]:
    """Return the latents that are not each factor's own."""
    if len(own) != factors:
        raise TrainingError(f"expected own latents of each of {factors} factors, found {list(own)}: change own.")
    mine = [set(latents) for latents in own_latents(own)]
    refuse_latents(set().union(*mine), latents)
    return [[latent for latent in range(latents) if latent not in taken] for taken in mine]


def _train_and_score(
    train: ProbeData, validation: ProbeData, test: ProbeData, generator: torch.Generator, progress: FractionProgress
) -> Float64:
    """Train the P probes and return the R^2 of each on `test`: (P,). Early stopping sets progress to its end."""
    mean, spread = train.inputs.mean(1, keepdim=True), train.inputs.std(1, keepdim=True).clamp(min=1e-6)
    centre, scale = train.targets.mean(1, keepdim=True), train.targets.std(1, keepdim=True).clamp(min=1e-6)

    def standard(data: ProbeData) -> ProbeData:
        return ProbeData((data.inputs - mean) / spread, (data.targets - centre) / scale)

    weights = _fit(standard(train), standard(validation), generator, progress)
    progress(1.0)
    held = standard(test)
    with torch.no_grad():
        error = (_predict(weights, held.inputs) - held.targets).square().sum(1)
    around = (held.targets - held.targets.mean(1, keepdim=True)).square().sum(1)
    return (1 - error / around).double().numpy()


def _fit(
    train: ProbeData, validation: ProbeData, generator: torch.Generator, progress: FractionProgress
) -> list[Tensor]:
    """Return each probe's weights at its own best epoch."""
    probes, examples, size = train.inputs.shape
    weights = _draw(probes, (size, UNITS, UNITS, 1), generator)
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=WEIGHT_DECAY, fused=True)
    best = [weight.detach().clone() for weight in weights]
    lowest = torch.ones(probes)  # the error of predicting the mean, as the first weights do: the last layer is 0
    stale = 0
    for epoch in range(EPOCHS):
        for chosen in torch.split(torch.randperm(examples, generator=generator), BATCH):
            batch = train.rows(chosen)
            optimizer.zero_grad()
            loss = (_predict(weights, batch.inputs) - batch.targets).square().mean(1).sum()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
            optimizer.step()
        with torch.no_grad():
            score = (_predict(weights, validation.inputs) - validation.targets).square().mean(1)
            better = score < lowest
            lowest = torch.where(better, score, lowest)
            for kept, weight in zip(best, weights, strict=True):
                kept[better] = weight[better]
        progress((epoch + 1) / EPOCHS)
        stale = 0 if bool(better.any()) else stale + 1
        if stale == PATIENCE:
            break
    return best


def _draw(probes: int, sizes: tuple[int, ...], generator: torch.Generator) -> list[Tensor]:
    """Draw the first weights and biases of each layer; those of the last layer are 0."""
    weights = []
    for before, after in itertools.pairwise(sizes):
        drawn = torch.randn(probes, before, after, generator=generator) * (2 / before) ** 0.5
        weights += [drawn, torch.zeros(probes, 1, after)]
    weights[-2].zero_()
    return [weight.requires_grad_() for weight in weights]


def _predict(weights: list[Tensor], inputs: Tensor) -> Tensor:
    """(P, N, D) -> (P, N), float32."""
    values = inputs
    # Where bfloat16 products are fast, they are three times as fast, and a probe's R^2 need not be exact to 1 %.
    with computing(values.device, choose_precision("auto", values.device)):
        for layer in range(0, len(weights), 2):
            values = torch.baddbmm(weights[layer + 1], values, weights[layer])
            if layer + 2 < len(weights):
                values = functional.relu(values)
    return values.squeeze(-1).float()
