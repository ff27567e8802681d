"""The optimisers by name, the learning rate, and one optimiser step with its average of the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dcign.recipes.registry import Recipe
from dcign.run.checkpoint import TrainingState


@torch.no_grad()
def optimiser_step(state: TrainingState, recipe: Recipe, steps: int) -> Tensor:
    """Update the weights and their average. Returns the norm of the gradient before clipping, ()."""
    weights = list(state.model.parameters())
    norm = torch.nn.utils.clip_grad_norm_(weights, recipe.gradient_norm or math.inf)
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(recipe, state.step, steps)
    state.optimizer.step()
    # The decay grows to the recipe's, or the first weights would weigh too much in an early average.
    decay = min(recipe.average, (state.step + 1) / (state.step + 10))
    torch._foreach_lerp_(list(state.average.values()), list[Tensor](weights), 1 - decay)
    return norm


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate at a step: linear warm-up, and a cosine down to the recipe's final fraction."""
    warm = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    return recipe.learning_rate * warm * (recipe.final_rate + (1 - recipe.final_rate) * cosine)


def _shared(recipe: Recipe) -> dict[str, Any]:  # Any: mypy would match floats with every keyword
    return {"lr": recipe.learning_rate, "eps": recipe.epsilon, "weight_decay": recipe.weight_decay}


OPTIMIZERS: dict[str, Callable[[nn.Module, Recipe], torch.optim.Optimizer]] = {
    "adam": lambda model, recipe: torch.optim.Adam(
        model.parameters(), betas=(recipe.momentum, recipe.square_decay), fused=True, **_shared(recipe)
    ),
    "rmsprop": lambda model, recipe: torch.optim.RMSprop(
        model.parameters(), alpha=recipe.square_decay, momentum=recipe.momentum, **_shared(recipe)
    ),
}
