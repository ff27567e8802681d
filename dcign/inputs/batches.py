"""Batches of images, and the random choice of the groups of a training step.

A step is a function of (seed, step) alone: its generator is seeded with both. So a resumed run draws what the
uninterrupted run would have drawn, without any stored state, and the images of later steps can be read ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from dcign.arrays import Int64
from dcign.errors import TrainingError

EVERYTHING = -1  # the kind of batches in which more than one thing varies


class ImageBatches(Protocol):
    """B batches of n images, in memory or on disk, and what varies in each batch."""

    @property
    def kind(self) -> Int64:
        """Return what varies (B,), an index of the description's kinds, or EVERYTHING."""

    @property
    def size(self) -> int:
        """Return the number of images of a batch: n."""

    def take(self, batch: Tensor, image: Tensor) -> Tensor:
        """Return images (G, m) of batches (G,): (G, m, S, S, C) uint8."""

    @property
    def has_masks(self) -> bool:
        """Return whether the images have masks."""

    def take_masks(self, batch: Tensor, image: Tensor) -> Tensor:
        """Return the masks of images (G, m) of batches (G,): coverage 0..255 (G, m, S, S) uint8."""


@dataclass(frozen=True, eq=False)
class TrainingBatches:
    """Batches in memory: images (B, n, S, S, C) uint8, on any device; kind (B,); masks (B, n, S, S) uint8, if any."""

    images: Tensor
    kind: Int64
    masks: Tensor | None = None

    @property
    def size(self) -> int:
        """Return the number of images of a batch: n."""
        return self.images.shape[1]

    def take(self, batch: Tensor, image: Tensor) -> Tensor:
        """Return images (G, m) of batches (G,): (G, m, S, S, C) uint8, on the device of the images."""
        return _taken(self.images, batch, image)

    @property
    def has_masks(self) -> bool:
        """Return whether the images have masks."""
        return self.masks is not None

    def take_masks(self, batch: Tensor, image: Tensor) -> Tensor:
        """Return the masks of images (G, m) of batches (G,): (G, m, S, S) uint8, on the device of the masks."""
        assert self.masks is not None  # `has_masks` says so
        return _taken(self.masks, batch, image)


def _taken(values: Tensor, batch: Tensor, image: Tensor) -> Tensor:
    """Return values (B, n, ...) of images (G, m) of batches (G,): (G, m, ...)."""
    device = values.device
    return values[sent(batch, device)[:, None], sent(image, device)]


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Return values on a device. The copy to a GPU is asynchronous."""
    if device.type == "cuda" and not values.is_cuda:
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


class GroupDraw(NamedTuple):
    """The images of a step: batch (G,), image (G, n) within it, kind (G,), mirrored (G,) bool."""

    batch: Tensor
    image: Tensor
    kind: Tensor
    mirrored: Tensor


def batches_by_kind(kind: Int64, kinds: tuple[str, ...], ratio: tuple[float, ...]) -> list[Tensor]:
    """Return the indices of the batches of each kind: kind (B,) -> K tensors (B_k,), given K kinds and their shares.

    Raises TrainingError if a kind with a share above 0 has no batch.
    """
    members = [torch.from_numpy(np.flatnonzero(kind == index)) for index in range(len(kinds))]
    for name, found, share in zip(kinds, members, ratio, strict=True):
        if share > 0 and len(found) == 0:
            raise TrainingError(
                f"expected batches in which {name} varies, as the ratio has a share for them, found no batch in the "
                "training split: render more batches, or give that kind 0."
            )
    return members


def step_generator(seed: int, step: int) -> torch.Generator:
    """Return the generator of one step. torch uses 32 bits of a seed, so numpy mixes the two numbers."""
    mixed = int(np.random.SeedSequence((seed, step)).generate_state(1)[0])
    return torch.Generator().manual_seed(mixed)


def draw_kinds(ratio: tuple[float, ...], groups: int, generator: torch.Generator) -> Tensor:
    """Draw what varies in each group, as evenly as the ratio allows: (G,) int.

    Systematic sampling: G points, 1/G apart, on the line of cumulated shares. Every kind is drawn in proportion to its
    share. With G kinds of equal share, each is drawn exactly once per step.
    """
    shares = torch.tensor(ratio, dtype=torch.float64)
    upper = shares.cumsum(0) / shares.sum()
    points = (torch.arange(groups, dtype=torch.float64) + torch.rand((), generator=generator)) / groups
    kinds = torch.searchsorted(upper, points, right=True)
    return kinds.clamp(max=int(shares.nonzero().max()))  # rounding must not select beyond the last share


def draw_groups(
    members: list[Tensor],
    ratio: tuple[float, ...],
    groups: int,
    images: int,
    size: int,
    flip: bool,
    generator: torch.Generator,
) -> GroupDraw:
    """Draw a step's groups: each is `images` different images of one batch, which has `size` images."""
    kinds = draw_kinds(ratio, groups, generator)
    positions = torch.rand(groups, generator=generator)
    chosen = zip((members[kind] for kind in kinds.tolist()), positions, strict=True)
    batch = torch.stack([batches[int(position * len(batches))] for batches, position in chosen])
    order = np.argsort(torch.rand(groups, size, generator=generator).numpy(), axis=1)  # ten times as fast as torch's
    image = torch.from_numpy(order[:, :images])
    mirrored = torch.rand(groups, generator=generator) < (0.5 if flip else 0.0)
    return GroupDraw(batch, image, kinds, mirrored)


def as_network_input(images: Tensor, mirrored: Tensor) -> Tensor:
    """Convert stored images to the network's input: (G, n, S, S, C) uint8 -> (G, n, C, S, S) 0..1.

    mirrored (G,) bool: which groups are flipped left-right.
    """
    values = images.to(torch.float32) / 255
    return torch.where(mirrored[:, None, None, None, None], values.flip(3), values).permute(0, 1, 4, 2, 3)
