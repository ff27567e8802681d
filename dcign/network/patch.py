"""The patch network: windows of 8 x 8 px, 4 px apart, then a grid that is halved until it is 4 to 8 wide, and back.

It can be mirror-equivariant. In a mirrored image some factors are negated (the odd latents), the others stay (the even
ones). With M the mirror and S = -1 on odd latents: mu(M x) = S mu(x), logvar(M x) = logvar(x), and picture(S z) =
M picture(z), by construction, up to rounding. Its features exist in two copies (K = 2); see `equivariant`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from dcign.network.equivariant import Dense, Down, Latents, Normalised, Up, by_copy, sums_and_differences
from dcign.network.layout import Layout

PATCH, WINDOW = 8, 4  # widths of the kernels at the image, and between grids


@dataclass(frozen=True)
class PatchShape:
    """The sizes of one half of a patch network. Widths and hidden units count both copies."""

    layout: Layout
    channels: int  # of the image
    widths: Sequence[int]  # channels of each grid, from the coarsest on
    hidden: int  # units of the dense layer
    odd: Sequence[bool]  # (Z,): whether a mirror negates the latent
    mirror: bool  # whether the half is equivariant
    activate: Callable[[Tensor], Tensor]
    normalise: bool  # whether an encoder normalises features before each activation

    @property
    def copies(self) -> int:
        """Return the number of copies of each feature: K."""
        return 2 if self.mirror else 1

    @property
    def grids(self) -> list[int]:
        """Return the channels per copy of each grid, from the coarsest to that of the patches."""
        count = self.layout.halvings - 1
        widths = [*self.widths, *[self.widths[-1]] * count][:count]
        return [width // self.copies for width in widths]

    @property
    def negated(self) -> Tensor:
        """Return which latents are odd: (Z,) bool, none of them in a plain network."""
        return torch.tensor(self.odd) & self.mirror


class PatchEncoder(nn.Module):
    """(N, C, S, S) -> mu (N, Z), logvar (N, Z)."""

    order: Tensor

    def __init__(self, shape: PatchShape) -> None:
        """Create an encoder."""
        super().__init__()
        self.shape, copies, grids = shape, shape.copies, shape.grids[::-1]
        hidden, odd = shape.hidden // copies, shape.negated
        self.patches = Down(1, shape.channels, grids[0], PATCH)
        self.layers = nn.ModuleList(Down(copies, *pair, WINDOW) for pair in itertools.pairwise(grids))
        self.hidden = Dense(copies, grids[-1] * shape.layout.grid**2, hidden)
        normalisation = Normalised if shape.normalise else nn.Identity
        self.norms = nn.ModuleList(map(normalisation, (*grids, hidden)))
        count, odds = len(odd), int(odd.sum())
        self.even = Latents(hidden, 2 * count - odds, bias=True)  # even means, then all log variances
        self.odd = Latents(hidden, odds, bias=False) if odds else None
        # The place of each latent's mean among [even means, log variances, odd means].
        order = torch.where(odd, odd.cumsum(0) - 1 + 2 * count - odds, (~odd).cumsum(0) - 1)
        self.register_buffer("order", order, persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the log variance of the posterior."""
        activate, mirror = self.shape.activate, self.shape.mirror
        features = torch.cat([images, images.flip(-1)]) if mirror else images
        if any(self.shape.layout.padding):
            features = functional.pad(features, self.shape.layout.padding, mode="replicate")
        for layer, norm in zip((self.patches, *self.layers), self.norms, strict=False):
            features = activate(norm(layer(features)))
        hidden = activate(self.norms[-1](self.hidden(features.permute(0, 2, 3, 1).flatten(1))))
        sums, differences = sums_and_differences(by_copy(hidden)).unbind() if mirror else (hidden, hidden)
        values = self.even(sums)
        count = len(self.order)
        logvar = values[:, -count:]
        if self.odd is not None:
            values = torch.cat([values, self.odd(differences)], dim=1)
        return values[:, self.order], logvar


class PatchDecoder(nn.Module):
    """Code (N, Z) -> logits (N, C, S, S)."""

    evens: Tensor
    odds: Tensor

    def __init__(self, shape: PatchShape) -> None:
        """Create a decoder."""
        super().__init__()
        self.shape, copies, grids = shape, shape.copies, shape.grids
        hidden, odd = shape.hidden // copies, shape.negated
        self.register_buffer("evens", (~odd).nonzero()[:, 0], persistent=False)
        self.register_buffer("odds", odd.nonzero()[:, 0], persistent=False)
        self.even = Latents(len(self.evens), hidden, bias=True)
        self.odd = Latents(len(self.odds), hidden, bias=False) if len(self.odds) else None
        self.seed = Dense(copies, hidden, grids[0] * shape.layout.grid**2)
        self.layers = nn.ModuleList(Up(copies, *pair, WINDOW) for pair in itertools.pairwise(grids))
        self.patches = Up(1, grids[-1], shape.channels, PATCH)
        self.patches.inputs *= copies  # the picture is the sum of both copies

    def forward(self, code: Tensor) -> Tensor:
        """Return the picture before the sigmoid."""
        activate, mirror, grid = self.shape.activate, self.shape.mirror, self.shape.layout.grid
        hidden = self.even(code[:, self.evens])
        if mirror:
            differences = torch.zeros_like(hidden) if self.odd is None else self.odd(code[:, self.odds])
            hidden = sums_and_differences(torch.stack([hidden, differences])).flatten(0, 1)
        features = activate(self.seed(activate(hidden)))
        features = features.view(-1, grid, grid, features.shape[1] // grid**2).permute(0, 3, 1, 2)
        for layer in self.layers:
            features = activate(layer(features))
        kept = self.shape.layout.kept
        logits: Tensor = self.patches(features)[:, :, kept, kept]
        if mirror:
            own, partner = by_copy(logits).unbind()
            logits = own + partner.flip(-1)
        return logits
