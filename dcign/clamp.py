"""The clamp: what a batch in which one thing varies does to the code on its way to the decoder.

Codes are (G, n, Z): G groups of n images, each group out of one batch, so that one factor (or the identity)
varies in it. `active` (G, 1, Z) marks the latents that may differ within the group; the decoder gets
where(active, z, reference). There is no branch on the kind of group: all kinds go through in one call.

Blocks: each factor's latent is a block of its own, the intrinsic latents together are the last one.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from dcign.errors import TrainingError


def active_latents(factors: int, latents: int, assigned: bool) -> Tensor:
    """Return which latents may vary in each kind of batch: (F + 1, Z) bool; the last kind is the identity.

    Where nothing is assigned (a plain VAE) all of them may, always.
    """
    if latents <= factors:
        raise TrainingError(
            f"{latents} latents cannot hold {factors} factors and an identity: wanted {factors + 1} or more"
        )
    if not assigned:
        return torch.ones(factors + 1, latents, dtype=torch.bool)
    kinds = torch.arange(factors + 1)
    return block_of_latents(factors, latents)[None, :] == kinds[:, None]


def block_of_latents(factors: int, latents: int) -> Tensor:
    """Return the block of each latent: (Z,) int, 0 .. F - 1 the factors' latents, F the intrinsic ones."""
    return torch.arange(latents).clamp(max=factors)


def clamp(z: Tensor, reference: Tensor, active: Tensor) -> Tensor:
    """Keep the active latents, replace the others: (G, n, Z), (G, n or 1, Z), (G, 1, Z) -> (G, n, Z)."""
    return torch.where(active, z, reference)


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
    """Return the mean of each group, detached as the paper has it: (G, n, Z) -> (G, 1, Z)."""
    return z.detach().mean(dim=1, keepdim=True)


def own_reference(z: Tensor, donors: Tensor, blocks: Tensor) -> Tensor:
    """Return the code itself: nothing is clamped."""
    return z


REFERENCES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "donor": donor_reference,
    "mean": mean_reference,
    "none": own_reference,
}


def invariance(values: Tensor, active: Tensor) -> Tensor:
    """Return half the squared distance of the clamped latents from their group's mean: (G, n, Z) -> (G, n).

    1/2 sum over the inactive latents of (v - mean of v)^2, the mean detached. With the mean as the reference,
    its gradient is all that reaches a clamped latent: v - mean, the paper's rule, to be weighted by its 1/100.
    """
    distance = values - values.detach().mean(dim=1, keepdim=True)
    return distance.square().masked_fill(active, 0.0).sum(dim=-1) / 2
