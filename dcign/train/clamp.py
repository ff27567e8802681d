"""The clamp: the latents that should not vary within a batch are replaced before the decoder gets the code.

Codes are (G, n, Z): G groups of n images, each group from one batch, so that one factor (or a part, or the identity)
varies in it. `active` (G, 1, Z) marks the latents that may differ within the group. The decoder gets
where(active, z, reference). All kinds of groups pass through the same operations, without a branch. A recipe
selects functions by name from the tables below.

`CodeLayout` says which latents form a block, and which blocks are active in each kind of batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dcign.network.autoencoder import sample
from dcign.recipes.registry import Recipe
from dcign.run.code_layout import CodeLayout


def active_latents(recipe: Recipe, layout: CodeLayout) -> Tensor:
    """Return the latents that may vary in each of K kinds of batches: (K, Z) bool.

    Where nothing is clamped (a plain VAE), all may vary in every kind, and in one more: batches in which everything
    varies. Where labels are not used, none is marked.
    """
    if not recipe.assigned:
        return torch.full((len(layout.active) + 1, layout.size), recipe.reference == "none")
    names = [layout.blocks[number].name for number in layout.block_of_latent]
    return torch.tensor([[name in active for name in names] for active in layout.active])


# Which latents are active: mu, logvar (G, n, Z) and the latents that the labels mark (G, 1, Z) -> (G, 1, Z).


def differing(mu: Tensor, logvar: Tensor, active: Tensor) -> Tensor:
    """Add the latents that differ most within each pair of images (Locatello 2020): (G, 2, Z) -> (G, 1, Z).

    A latent is shared where KL(q(z | first) || q(z | second)) lies below halfway between the least and the greatest.
    """
    (first, second), (first_log, second_log) = mu.unbind(dim=1), logvar.unbind(dim=1)
    between = ((first - second).square() + first_log.exp()) * torch.exp(-second_log) - 1 + second_log - first_log
    halfway = (between.amin(dim=-1, keepdim=True) + between.amax(dim=-1, keepdim=True)) / 2
    return active | (between >= halfway)[:, None]


ACTIVE: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "label": lambda mu, logvar, active: active,
    "divergence": differing,
}


# What a clamped latent is replaced by: values (G, n, Z), donors (G, n, blocks), blocks (Z,) -> (G, n or 1, Z).


def draw_donors(groups: int, images: int, blocks: int, generator: torch.Generator) -> Tensor:
    """Draw a donor image for each image and block of each group: (G, n, blocks), indices into the n images.

    Each is a permutation with a single cycle, so that (for n > 1) no image is its own donor.
    """
    order = torch.rand(groups, blocks, images, generator=generator).argsort(dim=-1)
    donors = torch.empty_like(order).scatter_(-1, order, order.roll(1, dims=-1))
    return donors.transpose(1, 2)


def donor_reference(z: Tensor, donors: Tensor, blocks: Tensor) -> Tensor:
    """Return each block's value in its donor, with gradient: (G, n, Z), (G, n, blocks), (Z,) -> (G, n, Z).

    The mean of a group would not penalise leakage: at the mean pose, a leaked pose does no harm. With a donor at
    another pose, the reconstruction is wrong.
    """
    return z.gather(1, donors[:, :, blocks])


REFERENCES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "donor": donor_reference,
    "mean": lambda z, donors, blocks: z.mean(dim=1, keepdim=True),
    "first": lambda z, donors, blocks: z[:, :1],
    "none": lambda z, donors, blocks: z,  # nothing is clamped
}


def reference_of(recipe: Recipe, values: Tensor, donors: Tensor, blocks: Tensor) -> Tensor:
    """Return the recipe's reference, detached unless its gradient is wanted: (G, n, Z) -> (G, n or 1, Z)."""
    reference = REFERENCES[recipe.reference](values, donors, blocks)
    return reference if recipe.reference_gradient else reference.detach()


def clamp(z: Tensor, reference: Tensor, active: Tensor) -> Tensor:
    """Keep the active latents, replace the others: (G, n, Z), (G, n or 1, Z), (G, 1, Z) -> (G, n, Z)."""
    return torch.where(active, z, reference)


@dataclass(frozen=True, eq=False)
class Posterior:
    """The posterior of a step's images: mu, logvar (G, n, Z), and the noise (G, n, Z) with which a code is sampled."""

    mu: Tensor
    logvar: Tensor
    noise: Tensor

    def sample(self) -> Tensor:
        """Return a sample: (G, n, Z)."""
        return sample(self.mu, self.logvar, self.noise)


def clamp_sample(
    recipe: Recipe, own: Posterior, active: Tensor, donors: Tensor, blocks: Tensor
) -> tuple[Tensor, Posterior]:
    """Sample, then clamp: a clamped latent has the noise of its reference. Returns the code (G, n, Z)."""
    z = own.sample()
    return clamp(z, reference_of(recipe, z, donors, blocks), active), own


def clamp_posterior(
    recipe: Recipe, own: Posterior, active: Tensor, donors: Tensor, blocks: Tensor
) -> tuple[Tensor, Posterior]:
    """Clamp mean and variance, then sample: each image keeps its own noise. Returns the code (G, n, Z)."""
    mu = clamp(own.mu, reference_of(recipe, own.mu, donors, blocks), active)
    # The variance and not its logarithm: Locatello 2020 averages variances. The minimum only avoids log(0).
    variance = reference_of(recipe, own.logvar.exp(), donors, blocks).clamp(min=1e-30)
    clamped = Posterior(mu, clamp(own.logvar, variance.log(), active), own.noise)
    return clamped.sample(), clamped


# How a code is clamped: the code that the decoder gets, and the posterior that it was drawn from.
CLAMPS = {"z": clamp_sample, "posterior": clamp_posterior}


def invariance(values: Tensor, active: Tensor) -> Tensor:
    """Return half the squared distance of the clamped latents from their group's mean: (G, n, Z) -> (G, n).

    1/2 sum over the inactive latents of (v - mean of v)^2, the mean detached. With the mean as the detached
    reference, a clamped latent gets only this gradient, v - mean: the paper's rule, which it weights by 1/100.
    """
    distance = values - values.detach().mean(dim=1, keepdim=True)
    return distance.square().masked_fill(active, 0.0).sum(dim=-1) / 2
