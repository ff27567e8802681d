"""How weights move: the optimisers by name, and one step of descent with its average."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from dcign.recipes.registry import Recipe
from dcign.run.checkpoint import TrainingState
from dcign.train.loss import learning_rate


@torch.no_grad()
def optimiser_step(state: TrainingState, recipe: Recipe, steps: int) -> Tensor:
    """Move the weights along their gradients, and their average after them; returns the gradient's norm unclipped."""
    weights = list(state.model.parameters())
    norm = torch.nn.utils.clip_grad_norm_(weights, recipe.gradient_norm or math.inf)
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(recipe, state.step, steps)
    state.optimizer.step()
    # A young average would remember the first weights: its decay grows to the recipe's.
    decay = min(recipe.average, (state.step + 1) / (state.step + 10))
    torch._foreach_lerp_(list(state.average.values()), list[Tensor](weights), 1 - decay)
    return norm


def _adam(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        model.parameters(),
        lr=recipe.learning_rate,
        betas=(float(recipe.momentum), float(recipe.square_decay)),
        eps=recipe.epsilon,
        weight_decay=recipe.weight_decay,
        fused=True,
    )


def _rmsprop(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(
        model.parameters(),
        lr=recipe.learning_rate,
        alpha=recipe.square_decay,
        eps=recipe.epsilon,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )


OPTIMIZERS: dict[str, Callable[[nn.Module, Recipe], torch.optim.Optimizer]] = {
    "adam": _adam,
    "rmsprop": _rmsprop,
}
