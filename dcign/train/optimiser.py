"""The optimisers by name, the learning rate, and one optimiser step with its average of the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dcign.recipes.registry import Recipe
from dcign.run.checkpoint import TrainingState
from dcign.train.muon import Muon


@torch.no_grad()
def optimiser_step(state: TrainingState, recipe: Recipe, steps: int) -> Tensor:
    """Update the weights and their average. Returns the norm of the gradient before clipping, ()."""
    weights = list(state.model.parameters())
    norm = torch.nn.utils.clip_grad_norm_(weights, recipe.gradient_norm or math.inf)
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(group["initial_lr"], recipe, state.step, steps)
    state.optimizer.step()
    if (state.step + 1) % recipe.average_every == 0 or state.step + 1 == steps:
        # The decay grows to the recipe's, or the first weights would weigh too much in an early average.
        decay = min(recipe.average**recipe.average_every, (state.step + 1) / (state.step + 10))
        torch._foreach_lerp_(list(state.average.values()), list[Tensor](weights), 1 - decay)
    return norm


def learning_rate(highest: float, recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate at a step: linear warm-up, and a cosine down to the recipe's final fraction."""
    warm = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    return highest * warm * (recipe.final_rate + (1 - recipe.final_rate) * cosine)


def build_optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimiser of all weights of a model."""
    optimiser = OPTIMIZERS[recipe.optimizer](model, recipe)
    for group in optimiser.param_groups:
        group["initial_lr"] = group["lr"]
    return optimiser


def _shared(recipe: Recipe) -> dict[str, Any]:  # Any: mypy would match floats with every keyword
    return {"lr": recipe.learning_rate, "eps": recipe.epsilon, "weight_decay": recipe.weight_decay}


OPTIMIZERS: dict[str, Callable[[nn.Module, Recipe], torch.optim.Optimizer]] = {
    "muon": lambda model, recipe: Muon(
        model,
        lr=recipe.learning_rate,
        matrix_lr=recipe.matrix_rate,
        momentum=recipe.matrix_momentum,
        every=recipe.matrix_every,
        betas=(recipe.momentum, recipe.square_decay),
        eps=recipe.epsilon,
        weight_decay=recipe.weight_decay,
    ),
    "adam": lambda model, recipe: torch.optim.Adam(
        model.parameters(), betas=(recipe.momentum, recipe.square_decay), fused=True, **_shared(recipe)
    ),
    "rmsprop": lambda model, recipe: torch.optim.RMSprop(
        model.parameters(), alpha=recipe.square_decay, momentum=recipe.momentum, **_shared(recipe)
    ),
}
