"""sRGB (IEC 61966-2-1): encoded values, as files hold them, and linear light, in which pictures are averaged."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dcign.arrays import Float32, Floating


def decoded(encoded: Floating) -> Float32:
    """Convert sRGB to linear light, both 0..1."""
    linear: Float32 = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def encoded(linear: Float32) -> Float32:
    """Convert linear light to sRGB, both 0..1."""
    values: Float32 = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return values


LINEAR_OF_BYTE = decoded(np.arange(256, dtype=np.float32) / 255)  # (256,): the linear light of each stored value


def light_of(pictures: Tensor) -> Tensor:
    """Convert stored pictures, uint8, to linear light 0..1, float32, of the same shape."""
    table = torch.from_numpy(LINEAR_OF_BYTE).to(pictures.device)
    return table[pictures.int()]


def encoded_light(linear: Tensor) -> Tensor:
    """Convert linear light to sRGB, both 0..1: `encoded` for tensors."""
    return torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp(min=1e-6) ** (1 / 2.4) - 0.055)
