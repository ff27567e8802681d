"""The refiner: a network that moves a decoded picture towards a sharp one, in a few steps.

It is the velocity of a flow (Lipman et al. 2023, arXiv:2210.02747) from the decoded picture with a little noise to a
real picture (Albergo et al. 2023, arXiv:2310.03725). Its U-net consists of the patch network's layers: patches of
8 x 8 px, one or two convolutions of 4 x 4, and back. The code and the time are added to its features on every grid. It
is mirror-equivariant if the auto-encoder is: a mirrored picture, mirrored code and mirrored noise give the mirrored
result.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from dcign.network.equivariant import Dense, Down, Latents, Normalised, Up, by_copy, sums_and_differences
from dcign.network.layout import Layout
from dcign.network.patch import PATCH, WINDOW
from dcign.recipes.registry import Recipe
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription

WIDTHS = (96, 128, 128)  # of each grid, the finest first; both copies count
HIDDEN = 128  # units that the code and the time pass through
WAVES = 8  # sines and cosines of the time
NOISE = 0.05  # standard deviation of what is added to a decoded picture at time 0, in units of the range of an image
STEPS = 4  # of Euler's method


class Refiner(nn.Module):
    """Picture at time t (N, C, S, S), decoded picture (N, C, S, S), code (N, Z), t (N,) -> velocity (N, C, S, S)."""

    signs: Tensor

    def __init__(self, size: int, channels: int, signs: Tensor, mirror: bool) -> None:
        """Create a refiner. signs (Z,): -1 for latents that a mirror negates; mirror: whether it is equivariant."""
        super().__init__()
        self.layout, self.mirror, copies = Layout.of(size), mirror, 2 if mirror else 1
        self.register_buffer("signs", signs, persistent=False)
        odds = int((signs < 0).sum()) if mirror else 0
        fine = [width // copies for width in WIDTHS[: self.layout.halvings - 1]]
        widths = [*fine, *fine[-2::-1]]  # down to the coarsest grid and back
        hidden = HIDDEN // copies
        self.patches = Down(1, 2 * channels, fine[0], PATCH)
        self.down = nn.ModuleList(Down(copies, *pair, WINDOW) for pair in itertools.pairwise(fine))
        self.up = nn.ModuleList(Up(copies, *pair, WINDOW) for pair in itertools.pairwise(fine[::-1]))
        self.norms = nn.ModuleList(map(Normalised, widths))
        self.even = Latents(len(signs) - odds + 2 * WAVES, hidden, bias=True)
        self.odd = Latents(odds, hidden, bias=False) if odds else None
        self.conditions = nn.ModuleList(Dense(copies, hidden, width) for width in widths)
        self.picture = Up(1, fine[0], channels, PATCH)
        self.picture.inputs *= copies  # the picture is the sum of both copies

    def forward(self, moving: Tensor, decoded: Tensor, code: Tensor, time: Tensor) -> Tensor:
        """Return the velocity, float32, in units of the noise's standard deviation."""
        conditions = iter(self._conditions(code, time))
        layers = zip((self.patches, *self.down, *self.up), self.norms, strict=True)
        features = 2 * torch.cat([moving, decoded], dim=1) - 1
        if self.mirror:
            features = torch.cat([features, features.flip(-1)])
        if any(self.layout.padding):
            features = functional.pad(features, self.layout.padding, mode="replicate")
        finer: list[Tensor] = []
        for index, (layer, norm) in enumerate(layers):
            features = norm(layer(features)) + next(conditions)[:, :, None, None]
            back = index - len(self.down) - 1  # the number of this layer among those that lead back
            if back >= 0:
                features = features + finer[len(self.down) - 1 - back]
            features = functional.silu(features)
            finer.append(features)
        kept = self.layout.kept
        velocity: Tensor = self.picture(features)[:, :, kept, kept]
        if self.mirror:
            own, partner = by_copy(velocity).unbind()
            velocity = own + partner.flip(-1)
        return velocity.float()

    def _conditions(self, code: Tensor, time: Tensor) -> list[Tensor]:
        """Return what is added to the features of each layer: (K N, width)."""
        angles = math.pi * time[:, None] * torch.arange(1, WAVES + 1, device=time.device)
        waves = [angles.sin(), angles.cos()]
        odd = (self.signs < 0) & self.mirror
        hidden = self.even(torch.cat([code[:, ~odd], *waves], dim=1))
        if self.mirror:
            differences = torch.zeros_like(hidden) if self.odd is None else self.odd(code[:, odd])
            hidden = sums_and_differences(torch.stack([hidden, differences])).flatten(0, 1)
        hidden = functional.silu(hidden)
        return [condition(hidden) for condition in self.conditions]


def build_refiner(recipe: Recipe, description: ImageDescription) -> Refiner:
    """Build the refiner of an auto-encoder of this recipe. Weights are not set."""
    signs = torch.tensor(CodeLayout.of(description, recipe).signs, dtype=torch.float32)
    return Refiner(description.size, description.channels, signs, recipe.mirror)


def refined(refiner: Refiner, decoded: Tensor, code: Tensor, steps: int = STEPS) -> Tensor:
    """Follow the flow from decoded pictures (N, C, S, S) 0..1 with their codes (N, Z), by Euler's method.

    All pictures get the same noise, so the same code always gives the same picture. steps: evaluations of the network.
    """
    moving = decoded + NOISE * fixed_noise(decoded)
    for index in range(steps):
        time = decoded.new_full((len(decoded),), index / steps)
        moving = moving + NOISE / steps * refiner(moving, decoded, code, time)
    return moving.clamp(0, 1)


def fixed_noise(pictures: Tensor) -> Tensor:
    """Return noise for pictures (N, C, S, S): (1, C, S, S) N(0, 1), the same for every call and machine."""
    noise = torch.randn(1, *pictures.shape[1:], generator=torch.Generator().manual_seed(0))
    return noise.to(pictures)
