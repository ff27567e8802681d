"""The loss of a step: likelihood, prior and invariance, summed within an image, averaged over images."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dcign.network.autoencoder import AutoEncoder
from dcign.recipes.registry import Recipe
from dcign.train.clamp import ACTIVE, CLAMPS, Posterior, invariance


@dataclass(frozen=True)
class Draws:
    """The random part of a loss, drawn beforehand so that the loss is a function.

    noise (G, n, Z) N(0, 1); donors (G, n, F + 1) indices into the n images of the group.
    """

    noise: Tensor
    donors: Tensor


TERMS = ("loss", "reconstruction", "divergence", "invariance")


def terms(
    model: AutoEncoder,
    recipe: Recipe,
    images: Tensor,
    active: Tensor,
    blocks: Tensor,
    draws: Draws,
    invariance_weight: Tensor | float,
) -> Tensor:
    """Return the loss and its three terms in the order of `TERMS`: (4,), nats an image.

    images (G, n, C, S, S) 0..1; active (G, 1, Z), known beforehand; blocks (Z,). The loss is reconstruction +
    beta divergence + weight invariance.
    """
    groups, count = images.shape[:2]
    flat = images.flatten(0, 1)
    mu, logvar = (values.view(groups, count, -1) for values in model.encode(flat))
    own = Posterior(mu, logvar, draws.noise)
    active = ACTIVE[recipe.active_by](mu, logvar, active)
    code, clamped = CLAMPS[recipe.clamp_of](recipe, own, active, draws.donors, blocks)
    logits = model.logits(code.flatten(0, 1))
    reconstruction = negative_log_likelihood(logits, flat, recipe).mean()
    prior = PRIORS[recipe.divergence_of](own, clamped, active).sum(dim=-1).mean()
    pull = torch.stack([invariance(values, active).mean() for values in PULLED[recipe.invariance_of](own)]).sum()
    loss = reconstruction + recipe.beta * prior + invariance_weight * pull
    return torch.stack([loss, reconstruction, prior, pull])


def negative_log_likelihood(logits: Tensor, images: Tensor, recipe: Recipe) -> Tensor:
    """Return -log p(image), up to a constant, nats an image: (N, C, S, S) twice -> (N,).

    Summed over all C S S numbers of an image, or, if the recipe says for how many pixels an image counts, so many
    times their mean: neighbouring pixels say much the same, so what is balanced against the prior and the pull at one
    size is not to be outweighed by the number of pixels at another.
    """
    if recipe.likelihood == "bernoulli":
        nats = functional.binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(dim=1)
    else:
        error = torch.sigmoid(logits) - images
        nats = error.square().flatten(1).sum(dim=1) / (2 * recipe.sigma**2)
    numbers = images[0].numel()
    return nats * ((recipe.pixels or numbers) / numbers)


def divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, exp logvar) || N(0, 1)) of each latent, nats; any shape."""
    return (mu.square() + logvar.exp() - 1 - logvar) / 2


def _divergence_of(posterior: Posterior) -> Tensor:
    return divergence(posterior.mu, posterior.logvar)


# Whose divergence counts: of each image's own posterior, of the active latents alone, of the posterior as clamped.
PRIORS: dict[str, Callable[[Posterior, Posterior, Tensor], Tensor]] = {
    "all": lambda own, clamped, active: _divergence_of(own),
    "active": lambda own, clamped, active: _divergence_of(own).masked_fill(~active, 0.0),
    "clamped": lambda own, clamped, active: _divergence_of(clamped),
}

# What is pulled to its group's mean, each (G, n, Z); the pulls are summed.
PULLED: dict[str, Callable[[Posterior], tuple[Tensor, ...]]] = {
    "mu": lambda own: (own.mu,),
    "z": lambda own: (own.sample(),),
    "posterior": lambda own: (own.mu, own.logvar),
}


def invariance_weight(recipe: Recipe, step: int, steps: int) -> float:
    """Return lambda at a step: geometric from the recipe's start, at the first step that clamps, to its end."""
    if recipe.invariance_start == 0:
        return 0.0
    clamping = max(0, step - recipe.pretrain_steps) / (steps - recipe.pretrain_steps)
    return recipe.invariance_start * math.pow(recipe.invariance_end / recipe.invariance_start, clamping)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate at a step: linear warm-up, and a cosine down to the recipe's final fraction."""
    warm = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    return recipe.learning_rate * warm * (recipe.final_rate + (1 - recipe.final_rate) * cosine)
