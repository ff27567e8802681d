"""The auto-encoder: mirror-equivariant encoding, sampling, decoding.

A mirrored picture of an object is a picture of a mirrored object: some of its factors are negated, the others stay.
The patch network knows this by construction. The others are evaluated on the image and on its mirror image: with
(m, l) = encoder(x) and (m', l') = encoder(mirrored x), mu = (m + S m') / 2 and logvar = (l + l') / 2, where S is -1 on
the latents of the factors that a mirror negates, +1 elsewhere. In both cases mu(mirrored x) = S mu(x), whatever the
weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dcign.network.halves import build_halves, network_built
from dcign.recipes.registry import Recipe
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription


class AutoEncoder(nn.Module):
    """images (N, C, S, S) 0..1 -> mu, logvar (N, Z); code (N, Z) -> images (N, C, S, S)."""

    signs: Tensor

    def __init__(self, recipe: Recipe, size: int, channels: int, signs: Sequence[int]) -> None:
        """Build the recipe's network. signs (Z,): of each latent in a mirrored image, -1 or 1."""
        super().__init__()
        self.encoder, self.decoder = build_halves(recipe, size, channels, [sign < 0 for sign in signs])
        self.two_passes = recipe.mirror and network_built(recipe.network, size) != "patch"
        self.register_buffer("signs", torch.tensor(signs, dtype=torch.float32), persistent=False)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the posterior's mean and log variance: (N, C, S, S) -> (N, Z), (N, Z), float32."""
        if not self.two_passes:
            mu, logvar = self.encoder(images)
            return mu.float(), logvar.float()
        # One pass over both halves: a convolution is faster on 2 N images than twice on N.
        mu, logvar = self.encoder(torch.cat([images, images.flip(-1)]))
        count = images.shape[0]  # not `chunk`, nor `len`: they would fix the number of images in an export
        mu, mirrored_mu = mu.float().unflatten(0, (2, count)).unbind()
        logvar, mirrored_logvar = logvar.float().unflatten(0, (2, count)).unbind()
        return (mu + self.signs * mirrored_mu) / 2, (logvar + mirrored_logvar) / 2

    def logits(self, code: Tensor) -> Tensor:
        """Return the picture before the sigmoid: (N, Z) -> (N, C, S, S), float32."""
        picture: Tensor = self.decoder(code)
        return picture.float()

    def decode(self, code: Tensor) -> Tensor:
        """Return the picture of a code: (N, Z) -> (N, C, S, S), 0..1, float32."""
        return torch.sigmoid(self.logits(code))


def sample(mu: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    """z = mu + noise exp(logvar / 2), all of one shape; noise is N(0, 1)."""
    return mu + noise * torch.exp(logvar / 2)


def build_model(recipe: Recipe, description: ImageDescription) -> AutoEncoder:
    """Build the network of a recipe, in the memory layout that is fast for convolutions. Weights are not set."""
    signs = CodeLayout.of(description, recipe).signs
    model = AutoEncoder(recipe, description.size, description.channels, signs)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def count_parameters(model: nn.Module) -> int:
    """Return the number of trained parameters."""
    return sum(weight.numel() for weight in model.parameters())
