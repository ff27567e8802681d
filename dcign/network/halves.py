"""The encoder, from images to (mu, logvar), and the decoder, from a code to images.

Images are (N, C, S, S), square, 0..1, of any size S from 28 to 256. The patch network and the strided one halve the
image until its grid is 4 to 8 wide. The paper's network exists at 150 px only, because its convolutions are not padded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from dcign.network.equivariant import Weighted
from dcign.network.layout import ACTIVATIONS, Layout
from dcign.network.patch import PatchDecoder, PatchEncoder, PatchShape
from dcign.recipes.registry import Recipe

PAPER_SIZE = 150
PAPER_WIDTHS = {"paper": (96, 64, 32), "released": (96, 48, 24)}  # of the paper, and of its released code
WIDTHS = (32, 64, 128, 128, 128, 128)  # of the strided network, one per halving
HIDDEN = 256


class StridedEncoder(nn.Module):
    """Halving convolutions, one hidden layer, two linear heads: (N, C, S, S) -> mu (N, Z), logvar (N, Z)."""

    def __init__(self, layout: Layout, channels: int, latents: int, activate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.padding, self.activate = layout.padding, activate
        widths = (channels, *WIDTHS[: layout.halvings])
        self.convolutions = _layers(nn.Conv2d, widths, 4, stride=2, padding=1)
        self.hidden = nn.Linear(widths[-1] * layout.grid**2, HIDDEN)
        self.heads = nn.Linear(HIDDEN, 2 * latents)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = images
        if any(self.padding):
            features = functional.pad(features, self.padding, mode="replicate")
        for convolution in self.convolutions:
            features = self.activate(convolution(features))
        hidden = self.activate(self.hidden(features.flatten(1)))
        mu, logvar = self.heads(hidden).chunk(2, dim=1)
        return mu, logvar


class StridedDecoder(nn.Module):
    """The encoder's mirror image: code (N, Z) -> logits (N, C, S, S)."""

    def __init__(self, layout: Layout, channels: int, latents: int, activate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.kept, self.grid, self.activate = layout.kept, layout.grid, activate
        widths = (*reversed(WIDTHS[: layout.halvings]), channels)
        self.hidden = nn.Linear(latents, HIDDEN)
        self.widest = widths[0]
        self.seed = nn.Linear(HIDDEN, widths[0] * self.grid**2)
        self.convolutions = _layers(nn.ConvTranspose2d, widths, 4, stride=2, padding=1)

    def forward(self, code: Tensor) -> Tensor:
        features = self.activate(self.seed(self.activate(self.hidden(code))))
        features = features.view(-1, self.widest, self.grid, self.grid)
        features = features.contiguous(memory_format=torch.channels_last)
        for convolution in self.convolutions[:-1]:
            features = self.activate(convolution(features))
        logits: Tensor = self.convolutions[-1](features)
        return logits[:, :, self.kept, self.kept]


class PaperEncoder(nn.Module):
    """The paper's: three 5 x 5 convolutions without padding, each max-pooled by 2: 150 px -> 15 x 15 x last width."""

    def __init__(self, channels: int, latents: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.convolutions = _layers(nn.Conv2d, (channels, *widths), 5)
        self.heads = nn.Linear(widths[-1] * 15 * 15, 2 * latents)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = images
        for convolution in self.convolutions:
            features = functional.relu(functional.max_pool2d(convolution(features), 2))
        mu, logvar = self.heads(features.flatten(1)).chunk(2, dim=1)
        return mu, logvar


class PaperDecoder(nn.Module):
    """The paper's: 15 x 15 x the encoder's last width, then four times doubling and a 7 x 7 convolution: 150 px."""

    def __init__(self, channels: int, latents: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        first, second, third = reversed(widths)
        self.first = first
        self.seed = nn.Linear(latents, first * 15 * 15)
        self.convolutions = _layers(nn.Conv2d, (first, second, third, third, channels), 7)

    def forward(self, code: Tensor) -> Tensor:
        features = functional.relu(self.seed(code)).view(-1, self.first, 15, 15)
        for convolution in self.convolutions[:-1]:
            features = functional.relu(convolution(functional.interpolate(features, scale_factor=2.0)))
        logits: Tensor = self.convolutions[-1](functional.interpolate(features, scale_factor=2.0))
        return logits


def network_built(name: str, size: int) -> str:
    """Return the network that is built: the one of that name, or strided where the paper's do not have this size."""
    return "strided" if name in PAPER_WIDTHS and size != PAPER_SIZE else name


def build_halves(recipe: Recipe, size: int, channels: int, odd: Sequence[bool]) -> tuple[nn.Module, nn.Module]:
    """Return the encoder and the decoder of a recipe, of images of that size. `initialise` draws their weights.

    odd (Z,): whether a mirror negates the latent.
    """
    layout, activate, latents = Layout.of(size), ACTIVATIONS[recipe.activation], len(odd)
    built = network_built(recipe.network, size)
    if built in PAPER_WIDTHS:
        widths = PAPER_WIDTHS[built]
        return PaperEncoder(channels, latents, widths), PaperDecoder(channels, latents, widths)
    if built == "strided":
        return (
            StridedEncoder(layout, channels, latents, activate),
            StridedDecoder(layout, channels, latents, activate),
        )
    encoder, decoder = (
        PatchShape(layout, channels, widths, hidden, odd, recipe.mirror, activate, recipe.encoder_norm)
        for widths, hidden in (
            (recipe.encoder_widths, recipe.encoder_hidden),
            (recipe.decoder_widths, recipe.decoder_hidden),
        )
    )
    return PatchEncoder(encoder), PatchDecoder(decoder)


@torch.no_grad()
def initialise(network: nn.Module, gain: float, generator: torch.Generator) -> None:
    """Draw every weight from `generator`, uniform, of variance gain / inputs. Biases are 0.

    The gain makes up for the activation: ReLU halves the mean square of its input, so He 2015 has gain 2. SiLU leaves
    1/2.8 of it.
    """
    for layer in network.modules():
        if isinstance(layer, Weighted):
            layer.initialise(gain, generator)
        elif isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            bound = math.sqrt(3.0 * gain / _inputs(layer))
            layer.weight.uniform_(-bound, bound, generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()


def _inputs(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> float:
    """Return the number of inputs that one output of the layer sums."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    taps: float = math.prod(layer.kernel_size)
    if isinstance(layer, nn.ConvTranspose2d):
        taps /= math.prod(layer.stride)  # with stride 2, only every second tap in each direction meets an input
    return layer.in_channels * taps


def _layers(layer: type[nn.Module], widths: Sequence[int], kernel: int, **options: int) -> nn.ModuleList:
    """Return the convolutions that lead from each number of channels to the next."""
    return nn.ModuleList(layer(before, after, kernel, **options) for before, after in itertools.pairwise(widths))
