"""The loss of a step: likelihood, prior and invariance, summed within an image, averaged over images.

`StepLoss` is the module whose gradients are averaged over processes, and which is compiled on a GPU. It has no branch
and no Python number that depends on the data, and all its shapes are constant. What changes from step to step is passed
as a tensor, so that one CUDA graph serves all steps and all kinds of batches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._triton import has_triton

from dcign.inputs.batches import as_network_input
from dcign.network.autoencoder import AutoEncoder
from dcign.recipes.registry import Recipe
from dcign.run.code_layout import CodeLayout
from dcign.train.clamp import ACTIVE, CLAMPS, Posterior, active_latents, invariance

TERMS = ("loss", "reconstruction", "divergence", "invariance")


def terms(
    model: AutoEncoder,
    recipe: Recipe,
    images: Tensor,
    active: Tensor,
    blocks: Tensor,
    noise: Tensor,
    donors: Tensor,
    invariance_weight: Tensor | float,
    targets: Tensor | None = None,
) -> Tensor:
    """Return the loss and its three terms in the order of `TERMS`: (4,), nats per image.

    images (G, n, C, S, S) 0..1; active (G, 1, Z), as the labels mark it; blocks (Z,); noise (G, n, Z) N(0, 1); donors
    (G, n, blocks) indices into the n images of the group; targets: the pictures that the decoder must draw, if they are
    not the images. The random numbers are arguments, so that the loss is a pure
    function: reconstruction + beta * divergence + invariance_weight * invariance.
    """
    groups, count = images.shape[:2]
    flat = images.flatten(0, 1)
    mu, logvar = (values.view(groups, count, -1) for values in model.encode(flat))
    own = Posterior(mu, logvar, noise)
    active = ACTIVE[recipe.active_by](mu, logvar, active)
    code, clamped = CLAMPS[recipe.clamp_of](recipe, own, active, donors, blocks)
    logits = model.logits(code.flatten(0, 1))
    reconstruction = negative_log_likelihood(logits, flat if targets is None else targets.flatten(0, 1), recipe).mean()
    prior = PRIORS[recipe.divergence_of](own, clamped, active).sum(dim=-1).mean()
    pull = torch.stack([invariance(values, active).mean() for values in PULLED[recipe.invariance_of](own)]).sum()
    loss = reconstruction + recipe.beta * prior + invariance_weight * pull
    return torch.stack([loss, reconstruction, prior, pull])


def negative_log_likelihood(logits: Tensor, images: Tensor, recipe: Recipe) -> Tensor:
    """Return -log p(image), up to a constant, nats per image: logits and images (N, C, S, S) -> (N,).

    This is the sum over the C S S values of an image or, where the recipe sets `pixels`, their mean times `pixels`.
    Neighbouring pixels are correlated: with the sum, the likelihood would outweigh the prior and the invariance more
    and more in larger images.
    """
    if recipe.likelihood == "bernoulli":
        nats = functional.binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(dim=1)
    else:
        error = torch.sigmoid(logits) - images
        squared = error.square().flatten(1).sum(dim=1) + detail(error, octave_weights(recipe.detail, error.shape[-1]))
        nats = squared / (2 * recipe.sigma**2)
    numbers = images[0].numel()
    return nats * ((recipe.pixels or numbers) / numbers)


def octave_weights(weights: Sequence[float], size: int) -> list[float]:
    """Return the weight of each octave of an image of `size` px, given those at 64 px: the same scales count the same.

    A larger image has finer octaves, which get the first weight. A smaller one lacks the finest.
    """
    finer = round(math.log2(size / 64))
    return [weights[0]] * max(0, finer) + list(weights[max(0, -finer) :])


def detail(error: Tensor, weights: Sequence[float]) -> Tensor:
    """Return the squared error within octaves, weighted and summed: (N, C, S, S) and one weight per octave -> (N,).

    An octave is what is lost when an image is halved by averaging: pairs of pixels first, then pairs of pairs. As a
    likelihood, this is a Gaussian with a smaller variance in fine structure: eyes and mouths are a small part of the
    squared error, so the plain likelihood learns them last.
    """
    total = error.new_zeros(len(error))
    for octave, weight in enumerate(weights):
        if error.shape[-1] < 2 or not any(weights[octave:]):
            break
        coarse = functional.avg_pool2d(error, 2, ceil_mode=True, count_include_pad=False)
        doubled = coarse.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        rest = error - doubled[:, :, : error.shape[2], : error.shape[3]]
        total = total + weight * 4**octave * rest.square().flatten(1).sum(dim=1)
        error = coarse
    return total


def divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, exp logvar) || N(0, 1)) of each latent, nats; any shape."""
    return (mu.square() + logvar.exp() - 1 - logvar) / 2


# Whose divergence counts: of each image's own posterior, of the active latents alone, of the posterior as clamped.
PRIORS: dict[str, Callable[[Posterior, Posterior, Tensor], Tensor]] = {
    "all": lambda own, clamped, active: divergence(own.mu, own.logvar),
    "active": lambda own, clamped, active: divergence(own.mu, own.logvar).masked_fill(~active, 0.0),
    "clamped": lambda own, clamped, active: divergence(clamped.mu, clamped.logvar),
}

# What is pulled to its group's mean, each (G, n, Z). The terms are summed.
PULLED: dict[str, Callable[[Posterior], tuple[Tensor, ...]]] = {
    "mu": lambda own: (own.mu,),
    "z": lambda own: (own.sample(),),
    "posterior": lambda own: (own.mu, own.logvar),
}


def invariance_weight(recipe: Recipe, step: int, steps: int) -> float:
    """Return the invariance's weight at a step: geometric from the first step that clamps to the last."""
    if recipe.invariance_start == 0:
        return 0.0
    clamping = max(0, step - recipe.pretrain_steps) / (steps - recipe.pretrain_steps)
    return recipe.invariance_start * math.pow(recipe.invariance_end / recipe.invariance_start, clamping)


class StepLoss(nn.Module):
    """The inputs of a step -> the terms of its loss (4,), nats per image."""

    active: Tensor
    blocks: Tensor

    def __init__(self, model: AutoEncoder, recipe: Recipe, layout: CodeLayout) -> None:
        """Combine a network with the loss of its recipe."""
        super().__init__()
        self.model, self.recipe = model, recipe
        self.register_buffer("active", active_latents(recipe, layout), persistent=False)
        self.register_buffer("blocks", torch.tensor(layout.block_of_latent), persistent=False)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return loss, reconstruction, divergence and invariance: (4,).

        inputs: a `StepInput`; free () bool: whether nothing is clamped yet; weight (): of the invariance.
        """
        images, targets, kind, mirrored, noise, donors, free, weight = inputs
        active = self.active[kind][:, None] | free
        pixels = as_network_input(images, mirrored)
        wanted = as_network_input(targets, mirrored) if self.recipe.draws_clean else pixels
        return terms(self.model, self.recipe, pixels, active, self.blocks, noise, donors, weight, wanted)


def compile_step(loss: nn.Module, device: torch.device) -> nn.Module:
    """Compile a step's loss for a GPU, which replays it as one CUDA graph. On other devices return it unchanged.

    At 64 px it takes longer to launch the about 300 kernels of a step than to compute them.
    """
    if device.type != "cuda" or not has_triton():
        return loss
    compiled: nn.Module = torch.compile(loss, mode="reduce-overhead", fullgraph=True, dynamic=False)  # type: ignore[assignment]
    return compiled
