"""A step's loss as one module: what DDP averages the gradients of, and what is compiled on a GPU.

No branch and no host number depends on the data, and all shapes stay: whatever changes from step to step comes in as
a tensor, so that one captured graph serves all steps and all kinds of batches.
"""

import torch
from torch import Tensor, nn
from torch.utils._triton import has_triton

from dcign.inputs.batches import as_network_input
from dcign.network.autoencoder import AutoEncoder
from dcign.recipes.registry import Recipe
from dcign.train import loss as objective
from dcign.train.clamp import active_latents, block_of_latents
from dcign.train.loss import Draws


class StepLoss(nn.Module):
    """images (G, n, S, S, C) uint8 and a step's draws -> the terms of its loss (4,), nats an image."""

    active: Tensor
    blocks: Tensor

    def __init__(self, model: AutoEncoder, recipe: Recipe, factors: int) -> None:
        """Give a network its recipe's loss."""
        super().__init__()
        self.model, self.recipe = model, recipe
        self.register_buffer("active", active_latents(recipe, factors), persistent=False)
        self.register_buffer("blocks", block_of_latents(factors, recipe.latents), persistent=False)

    def forward(
        self,
        images: Tensor,
        kind: Tensor,
        mirrored: Tensor,
        noise: Tensor,
        donors: Tensor,
        free: Tensor,
        weight: Tensor,
    ) -> Tensor:
        """Return loss, reconstruction, divergence and invariance: (4,).

        kind (G,), mirrored (G,), noise (G, n, Z), donors (G, n, F + 1); free () bool: nothing is clamped yet;
        weight () of the invariance.
        """
        active = self.active[kind][:, None] | free
        seen = as_network_input(images, mirrored)
        return objective.terms(self.model, self.recipe, seen, active, self.blocks, Draws(noise, donors), weight)


def compile_step(loss: nn.Module, device: torch.device) -> nn.Module:
    """Compile a step's loss for a GPU, replayed as one graph of kernels; elsewhere return it as it is.

    At 64 px a GPU takes longer to be told of the some 300 kernels of a step than to compute them.
    """
    if device.type != "cuda" or not has_triton():
        return loss
    compiled: nn.Module = torch.compile(loss, mode="reduce-overhead", fullgraph=True, dynamic=False)  # type: ignore[assignment]
    return compiled
