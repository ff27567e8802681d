"""Colour spaces: CIELAB (D65) as published for skin, linear light for mixing, sRGB for storage and display."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Float64

Real = TypeVar("Real", bound=np.floating[Any])  # the result has the precision of the input

WHITE = np.array([0.9505, 1.0, 1.089])  # D65, XYZ
XYZ_TO_LINEAR = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])


def lab_to_linear(lab: Float64) -> Float64:
    """Convert CIELAB (..., 3) to linear RGB (..., 3); values outside the gamut are not clipped."""
    lightness = (lab[..., 0] + 16) / 116
    f = np.stack([lightness + lab[..., 1] / 500, lightness, lightness - lab[..., 2] / 200], -1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return np.asarray((xyz * WHITE) @ XYZ_TO_LINEAR.T)


def lab_to_linear_planes(lab: Float32) -> Float32:
    """Convert CIELAB (N, 3, S) to linear RGB (N, 3, S): the fast twin of `lab_to_linear`, for L* above 8."""
    f = np.empty_like(lab)
    f[:, 1] = (lab[:, 0] + 16) * np.float32(1 / 116)
    f[:, 0] = f[:, 1] + lab[:, 1] * np.float32(1 / 500)
    f[:, 2] = f[:, 1] - lab[:, 2] * np.float32(1 / 200)
    return np.asarray((XYZ_TO_LINEAR * WHITE).astype(np.float32) @ (f * f * f))


def linear_to_srgb(linear: NDArray[Real]) -> NDArray[Real]:
    """Convert linear light 0..1 to sRGB 0..1."""
    light = np.clip(linear, 0, 1)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return cast(NDArray[Real], srgb.astype(linear.dtype, copy=False))


def srgb_to_linear(srgb: NDArray[Real]) -> NDArray[Real]:
    """Convert sRGB 0..1 to linear light 0..1."""
    value = np.clip(srgb, 0, 1)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return cast(NDArray[Real], linear.astype(srgb.dtype, copy=False))
