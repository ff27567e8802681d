"""Probes: how well a factor can be read out of latents that should not know it.

A network with two hidden layers of 256 units, trained with early stopping. A weak probe proves nothing, so it is
trained until it stops getting better on training batches held out from it. All probes are trained at once, as
one batched matrix product a layer.
"""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dcign.arrays import Float64
from dcign.device import choose_precision, computing
from dcign.progress import FractionProgress, no_fraction_progress

UNITS = 256
BATCH = 512
EPOCHS = 60
PATIENCE = 6  # epochs without a better validation
RATE = 2e-3
WEIGHT_DECAY = 1e-4


@dataclass(frozen=True, eq=False)
class ProbeData:
    """What P probes read and should say: inputs (P, N, D), targets (P, N)."""

    inputs: Tensor
    targets: Tensor

    def rows(self, chosen: Tensor) -> "ProbeData":
        """Return some of the N examples."""
        return ProbeData(self.inputs[:, chosen], self.targets[:, chosen])


def probe(
    train: ProbeData,
    validation: ProbeData,
    test: ProbeData,
    generator: torch.Generator,
    progress: FractionProgress = no_fraction_progress,
) -> Float64:
    """Train the P probes and return the R^2 of each on `test`: (P,). Stopped early, progress jumps to its end."""
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


def probe_operations(probes: int, examples: int, inputs: int) -> float:
    """Return about what training them costs, floating-point operations: they mostly stop halfway."""
    weights = inputs * UNITS + UNITS * UNITS + UNITS
    return 6.0 * probes * weights * examples * EPOCHS / 2  # 2 forward and 4 back for each weight


def _fit(
    train: ProbeData, validation: ProbeData, generator: torch.Generator, progress: FractionProgress
) -> list[Tensor]:
    """Return each probe's weights at its own best epoch."""
    probes, examples, size = train.inputs.shape
    weights = _draw(probes, (size, UNITS, UNITS, 1), generator)
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=WEIGHT_DECAY, fused=True)
    best = [weight.detach().clone() for weight in weights]
    lowest = torch.ones(probes)  # what the mean scores: the last layer begins at zero, and says that
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
    weights = []
    for before, after in itertools.pairwise(sizes):
        drawn = torch.randn(probes, before, after, generator=generator) * (2 / before) ** 0.5
        weights += [drawn, torch.zeros(probes, 1, after)]
    weights[-2].zero_()
    return [weight.requires_grad_() for weight in weights]


def _predict(weights: list[Tensor], inputs: Tensor) -> Tensor:
    """(P, N, D) -> (P, N), float32."""
    values = inputs
    # Products in bfloat16, where that is fast, are three times as quick, and a probe's R^2 is not a matter of 1 %.
    with computing(values.device, choose_precision("auto", values.device)):
        for layer in range(0, len(weights), 2):
            values = torch.baddbmm(weights[layer + 1], values, weights[layer])
            if layer + 2 < len(weights):
                values = functional.relu(values)
    return values.squeeze(-1).float()
