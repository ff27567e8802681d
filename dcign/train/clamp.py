"""The clamp: what a batch in which one thing varies does to the code on its way to the decoder.

Codes are (G, n, Z): G groups of n images, each group out of one batch, so that one factor (or the identity)
varies in it. `active` (G, 1, Z) marks the latents that may differ within the group; the decoder gets
where(active, z, reference). There is no branch on the kind of group, nor on the recipe: all go through in one call,
and a recipe names the function that it wants in each place.

Blocks: each factor's latent is a block of its own, the intrinsic latents together are the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dcign.errors import TrainingError
from dcign.network.autoencoder import sample
from dcign.recipes.registry import Recipe


def active_latents(recipe: Recipe, factors: int) -> Tensor:
    """Return which latents are known to vary in each kind of batch: (F + 1, Z) bool; the last kind is the identity.

    Where nothing is clamped (a plain VAE) all of them may vary, always; where no label is asked, none is known to.
    """
    if recipe.latents <= factors:
        raise TrainingError(
            f"{recipe.latents} latents cannot hold {factors} factors and an identity: wanted {factors + 1} or more"
        )
    if not recipe.assigned:
        return torch.full((factors + 1, recipe.latents), recipe.reference == "none")
    kinds = torch.arange(factors + 1)
    return block_of_latents(factors, recipe.latents)[None, :] == kinds[:, None]


def block_of_latents(factors: int, latents: int) -> Tensor:
    """Return the block of each latent: (Z,) int, 0 .. F - 1 the factors' latents, F the intrinsic ones."""
    return torch.arange(latents).clamp(max=factors)


# Who says which latents vary: mu, logvar (G, n, Z) and what is known beforehand (G, 1, Z) -> (G, 1, Z).


def known(mu: Tensor, logvar: Tensor, active: Tensor) -> Tensor:
    """Return what is known beforehand: the label of the batch says it."""
    return active


def differing(mu: Tensor, logvar: Tensor, active: Tensor) -> Tensor:
    """Add the latents that differ most within each pair of images (Locatello 2020): (G, 2, Z) -> (G, 1, Z).

    A latent is shared where KL(q(z | first) || q(z | second)) lies below halfway between the least and the greatest.
    """
    (first, second), (first_log, second_log) = mu.unbind(dim=1), logvar.unbind(dim=1)
    between = ((first - second).square() + first_log.exp()) * torch.exp(-second_log) - 1 + second_log - first_log
    halfway = (between.amin(dim=-1, keepdim=True) + between.amax(dim=-1, keepdim=True)) / 2
    return active | (between >= halfway)[:, None]


ACTIVE: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"label": known, "divergence": differing}


# What a clamped latent is replaced by: values (G, n, Z), donors (G, n, blocks), blocks (Z,) -> (G, n or 1, Z).


def draw_donors(groups: int, images: int, blocks: int, generator: torch.Generator) -> Tensor:
    """Draw, for every block of every group, who gives to whom: (G, n, blocks), indices into the n images.

    Each is a permutation in a single cycle, so that (for n > 1) nobody gives to itself.
    """
    order = torch.rand(groups, blocks, images, generator=generator).argsort(dim=-1)
    donors = torch.empty_like(order).scatter_(-1, order, order.roll(1, dims=-1))
    return donors.transpose(1, 2)


def donor_reference(z: Tensor, donors: Tensor, blocks: Tensor) -> Tensor:
    """Take every block from its donor, with gradient to it: (G, n, Z), (G, n, blocks), (Z,) -> (G, n, Z).

    The mean of a group hides the leak it should punish: at the mean pose, a leaked pose does no harm. A donor
    at another pose makes it wrong.
    """
    return z.gather(1, donors[:, :, blocks])


def mean_reference(z: Tensor, donors: Tensor, blocks: Tensor) -> Tensor:
    """Return the mean of each group: (G, n, Z) -> (G, 1, Z)."""
    return z.mean(dim=1, keepdim=True)


def first_reference(z: Tensor, donors: Tensor, blocks: Tensor) -> Tensor:
    """Return the first image of each group: (G, n, Z) -> (G, 1, Z)."""
    return z[:, :1]


def own_reference(z: Tensor, donors: Tensor, blocks: Tensor) -> Tensor:
    """Return the code itself: nothing is clamped."""
    return z


REFERENCES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "donor": donor_reference,
    "mean": mean_reference,
    "first": first_reference,
    "none": own_reference,
}


def reference_of(recipe: Recipe, values: Tensor, donors: Tensor, blocks: Tensor) -> Tensor:
    """Return the recipe's reference, detached if no gradient is to reach it: (G, n, Z) -> (G, n or 1, Z)."""
    reference = REFERENCES[recipe.reference](values, donors, blocks)
    return reference if recipe.reference_gradient else reference.detach()


def clamp(z: Tensor, reference: Tensor, active: Tensor) -> Tensor:
    """Keep the active latents, replace the others: (G, n, Z), (G, n or 1, Z), (G, 1, Z) -> (G, n, Z)."""
    return torch.where(active, z, reference)


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the encoder says of a step's images: mu, logvar (G, n, Z); noise (G, n, Z) makes a code of them."""

    mu: Tensor
    logvar: Tensor
    noise: Tensor

    def sample(self) -> Tensor:
        """Draw: (G, n, Z)."""
        return sample(self.mu, self.logvar, self.noise)


def clamp_sample(
    recipe: Recipe, own: Posterior, active: Tensor, donors: Tensor, blocks: Tensor
) -> tuple[Tensor, Posterior]:
    """Draw, then clamp, so that a clamped latent comes with the noise of its reference: the code (G, n, Z)."""
    z = own.sample()
    return clamp(z, reference_of(recipe, z, donors, blocks), active), own


def clamp_posterior(
    recipe: Recipe, own: Posterior, active: Tensor, donors: Tensor, blocks: Tensor
) -> tuple[Tensor, Posterior]:
    """Clamp mean and variance, then draw, so that a clamped latent has each image's own noise: the code (G, n, Z)."""
    mu = clamp(own.mu, reference_of(recipe, own.mu, donors, blocks), active)
    # The variance and not its logarithm: Locatello 2020 averages variances. The floor is far below any of use.
    variance = reference_of(recipe, own.logvar.exp(), donors, blocks).clamp(min=1e-30)
    clamped = Posterior(mu, clamp(own.logvar, variance.log(), active), own.noise)
    return clamped.sample(), clamped


# How a code is clamped: the code that the decoder gets, and the posterior that it was drawn from.
CLAMPS = {"z": clamp_sample, "posterior": clamp_posterior}


def invariance(values: Tensor, active: Tensor) -> Tensor:
    """Return half the squared distance of the clamped latents from their group's mean: (G, n, Z) -> (G, n).

    1/2 sum over the inactive latents of (v - mean of v)^2, the mean detached. With the mean as the reference,
    its gradient is all that reaches a clamped latent: v - mean, the paper's rule, to be weighted by its 1/100.
    """
    distance = values - values.detach().mean(dim=1, keepdim=True)
    return distance.square().masked_fill(active, 0.0).sum(dim=-1) / 2
