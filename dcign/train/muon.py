"""Muon for the matrices of a network and Adam for its other weights, in one optimiser.

Muon (Jordan et al. 2024) replaces every singular value of the momentum of a matrix by about 1. `torch.optim.Muon`
iterates on the whole matrix in bfloat16, which a CPU without bfloat16 instructions emulates. Here the iteration runs on
the Gram matrix, in float32: two products with the long side, however many iterations. Each matrix moves in one of
`every` steps, in turn, and `every` times as far. docs/log.md has the measurements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from dcign.network.equivariant import Weighted, sums_and_differences

# Coefficients of the quintic of each iteration: Polar Express (Amsel et al. 2025, arXiv:2505.16932).
QUINTICS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845749748, 0.4188073119525673),
)
RMS = 0.2  # root mean square of an update, in learning rates: typical of Adam (Liu et al. 2025, arXiv:2502.16982)


class Muon(torch.optim.Optimizer):
    """Muon for stacks of matrices (K, R, C), Adam for the rest."""

    def __init__(self, model: nn.Module, lr: float, matrix_lr: float, momentum: float, every: int, **adam: Any) -> None:
        """Optimise all weights of a model.

        lr: of the other weights. matrix_lr, momentum, every: of the matrices. adam: betas, eps and weight_decay.
        """
        layers = [layer for layer in model.modules() if isinstance(layer, Weighted)]
        ids = {id(layer.weight) for layer in layers}
        others = [weight for weight in model.parameters() if id(weight) not in ids]
        muon = {"lr": matrix_lr, "method": "Muon", "momentum": momentum, "every": every}
        groups: list[dict[str, Any]] = [
            {"params": others, "lr": lr, "method": "Adam", "fused": True, **adam},
            *(
                {"params": [layer.weight for layer in layers if layer.paired is paired], "paired": paired, **muon}
                for paired in (False, True)
            ),
        ]
        super().__init__([group for group in groups if group["params"]], {})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Update the weights by their gradients."""
        for group in self.param_groups:
            if group["method"] == "Adam":
                self._adam_step(group)
            else:
                self._muon_step(group)

    def _adam_step(self, group: dict[str, Any]) -> None:
        weights: list[Tensor] = [weight for weight in group["params"] if weight.grad is not None]
        for weight in weights:
            if not self.state[weight]:
                self.state[weight] = {
                    "step": torch.zeros((), device=weight.device),
                    "exp_avg": torch.zeros_like(weight),
                    "exp_avg_sq": torch.zeros_like(weight),
                }
        moments = ([self.state[weight][name] for weight in weights] for name in ("exp_avg", "exp_avg_sq", "step"))
        means, squares, steps = moments
        first, second = group["betas"]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        adam(
            weights, gradients, means, squares, [], steps, fused=True, amsgrad=False, beta1=first, beta2=second,
            lr=group["lr"], weight_decay=group["weight_decay"], eps=group["eps"], maximize=False,
        )  # fmt: skip

    def _muon_step(self, group: dict[str, Any]) -> None:
        momentum, every = group["momentum"], group["every"]
        for turn, weight in enumerate(group["params"]):
            if weight.grad is None:
                continue
            state = self.state[weight]
            if not state:
                state |= {"step": torch.zeros(()), "momentum_buffer": torch.zeros_like(weight)}
            buffer = state["momentum_buffer"].lerp_(weight.grad, 1 - momentum)
            state["step"] += 1
            if (int(state["step"]) + turn) % every == 0:
                update = torch.lerp(weight.grad, buffer, momentum)
                if group["paired"] and len(weight) == 2:
                    # An equivariant layer is one large matrix, [[own, partner], [partner, own]]. Its singular values
                    # are those of own + partner and of own - partner.
                    update = sums_and_differences(orthogonalised(sums_and_differences(update)))
                else:
                    update = orthogonalised(update)
                weight.add_(update, alpha=-group["lr"] * every * RMS * max(weight.shape[1:]) ** 0.5)


def orthogonalised(matrices: Tensor) -> Tensor:
    """Return the matrices (K, R, C) with all singular values near 1: near U V^T, given U S V^T."""
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    gram = torch.bmm(wide, wide.mT)
    scale = gram.diagonal(dim1=1, dim2=2).sum(1).add_(1e-30).rsqrt_()[:, None, None]  # 1 / the Frobenius norm
    gram.mul_(scale.square())
    identity = torch.eye(gram.shape[1], device=gram.device, dtype=gram.dtype)
    factor = _quintic(QUINTICS[0], gram, identity)
    step = factor
    for coefficients in QUINTICS[1:]:
        gram = torch.bmm(torch.bmm(step, gram), step)
        step = _quintic(coefficients, gram, identity)
        factor = torch.bmm(step, factor)
    found = torch.bmm(factor.mul_(scale), wide)
    return found if wide is matrices else found.mT


def _quintic(coefficients: Sequence[float], gram: Tensor, identity: Tensor) -> Tensor:
    first, third, fifth = coefficients
    return torch.baddbmm(first * identity + third * gram, gram, gram, alpha=fifth)
