"""Colours for models that have none: one plain skin tone, lighter or darker, and eyes where the model has eyes."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float32, Float64, UInt8
from dcign.facegen.colour import lab_to_linear, linear_to_srgb
from dcign.facegen.loaders.content import PARTS

# CIELAB of each of PARTS. Skin: about the mean of published tables (docs/face.md).
TONES = {"skin": (57.0, 12.0, 16.0), "sclera": (84.0, 2.0, 3.0), "iris": (24.0, 7.0, 11.0), "mouth": (32.0, 18.0, 10.0)}
# One standard deviation of skin: groups differ in lightness, and a little in yellow; people in one group in redness.
LIGHTNESS, REDNESS = (7.0, -0.8, -0.8), (0.0, 2.6, 0.6)


def plain_skin(parts: UInt8) -> tuple[Float32, Float32]:
    """Colours of a mesh whose vertices (V,) are index into PARTS: mean (V, 3) and basis (V, 3, 2), sRGB 0..1."""
    mean = np.stack([_srgb(TONES[name]) for name in PARTS])[parts]
    skin = np.array(TONES["skin"])
    step = np.stack([_srgb(skin + mode) - _srgb(skin - mode) for mode in np.array([LIGHTNESS, REDNESS])], 1) / 2
    basis = np.where((parts == PARTS.index("skin"))[:, None, None], step, 0.0)
    return mean.astype(np.float32), basis.astype(np.float32)


def _srgb(lab: Float64 | tuple[float, float, float]) -> Float64:
    return linear_to_srgb(lab_to_linear(np.asarray(lab, np.float64)))
