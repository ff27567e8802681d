"""Pictures under another framing, in linear light: zoomed, rolled and shifted about their centre, and masks with them.

Positions are shares of a picture's width from its centre, x to the right and y down. A roll turns what a picture shows
clockwise. Outside the given picture there is nothing: zeros.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Framing(NamedTuple):
    """The framing of N pictures: zoom (N,); shift (N, 2) right and down, shares of the width; roll (N,) degrees.

    What was at p is at zoom * rotation(roll) p + shift.
    """

    zoom: Tensor
    shift: Tensor
    roll: Tensor

    @classmethod
    def of(cls, count: int, zoom: float = 1.0, right: float = 0.0, down: float = 0.0, roll: float = 0.0) -> Framing:
        """Return the same framing for each of `count` pictures."""
        shift = torch.tensor([right, down]).expand(count, 2)
        return cls(torch.full((count,), zoom), shift, torch.full((count,), roll))


def framed(pictures: Tensor, framing: Framing, size: int) -> Tensor:
    """Return pictures (N, K, H, H) float under another framing: (N, K, size, size).

    Each new pixel is the mean of as many samples as keep none of the given pixels out.
    """
    finer = -(-pictures.shape[-1] // size)
    inverse = _inverse(framing).to(pictures.device)
    shape = [len(pictures), 1, finer * size, finer * size]
    grid = functional.affine_grid(inverse, shape, align_corners=False)
    sampled = functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return functional.avg_pool2d(sampled, finer) if finer > 1 else sampled


def _inverse(framing: Framing) -> Tensor:
    """Return the matrices (N, 2, 3) from new to old positions, in halves of the width."""
    angle = torch.deg2rad(framing.roll)
    cosine, sine = angle.cos() / framing.zoom, angle.sin() / framing.zoom
    rotation = torch.stack([torch.stack([cosine, sine], -1), torch.stack([-sine, cosine], -1)], 1)
    return torch.cat([rotation, -rotation @ (2 * framing.shift[..., None])], dim=-1)


def over(pictures: Tensor, mask: Tensor, background: Tensor) -> Tensor:
    """Lay pictures (N, C, S, S), black where nothing is, over a background: mask (N, 1, S, S) is coverage 0..1."""
    return pictures + (1 - mask) * background
