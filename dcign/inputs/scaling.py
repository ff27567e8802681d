"""Pictures scaled down: each new pixel is the mean linear light over its area, as in rendering (docs/shard.md)."""

from __future__ import annotations

import torch
from torch import Tensor

from dcign.arrays import UInt8
from dcign.inputs.light import encoded_light, light_of


def scaled(pictures: Tensor, size: int) -> Tensor:
    """Scale square pictures (..., H, H, C) uint8 sRGB down to (..., size, size, C). Equal sizes change nothing."""
    if pictures.shape[-2] == size:
        return pictures
    rows = _means(pictures.shape[-2], size).to(pictures.device)
    light = torch.einsum("sh,tw,...hwc->...stc", rows, rows, light_of(pictures))
    return (encoded_light(light.clamp(0, 1)) * 255).round().to(torch.uint8)


def scaled_batches(pictures: UInt8, size: int) -> UInt8:
    """Scale the pictures of batches (B, n, H, H, C), with one batch at a time in memory as floats."""
    if pictures.shape[-2] == size:
        return pictures
    found: UInt8 = torch.stack([scaled(torch.from_numpy(batch), size) for batch in pictures]).numpy()
    return found


def scaled_masks(masks: UInt8, size: int) -> UInt8:
    """Scale masks (B, n, H, H), coverage 0..255, as `scaled_batches` does pictures."""
    if masks.shape[-1] == size:
        return masks
    rows = _means(masks.shape[-1], size)
    each = (torch.einsum("sh,tw,nhw->nst", rows, rows, torch.from_numpy(batch).float()) for batch in masks)
    found: UInt8 = torch.stack([batch.round().to(torch.uint8) for batch in each]).numpy()
    return found


def _means(old: int, new: int) -> Tensor:
    """Return what share each of `old` pixels in a row has in each of `new` pixels over the same length: (new, old)."""
    edges = torch.arange(new + 1, dtype=torch.float64) * old / new
    pixels = torch.arange(old, dtype=torch.float64)
    shared = torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)
    return (shared.clamp(min=0) * new / old).float()
