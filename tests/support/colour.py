"""Conversions of colours that only tests need."""

from __future__ import annotations

import numpy as np

from dcign.facegen.colour import WHITE, XYZ_TO_LINEAR


def linear_to_lab(linear: np.ndarray) -> np.ndarray:
    """Convert linear RGB (..., 3) to CIELAB (..., 3)."""
    xyz = linear @ np.linalg.inv(XYZ_TO_LINEAR).T / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)
