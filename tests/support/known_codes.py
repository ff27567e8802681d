"""Codes whose quality is known: perfect ones, rotated ones and noise."""

from __future__ import annotations

import numpy as np

ROWS = 1800


def rng(seed=0):
    return np.random.default_rng(seed)


def world(kind="perfect", seed=0):
    """Latents (1800, 5) and factors (1800, 3) of 5 classes: perfect with two of noise, rotated, or all noise."""
    draw = rng(seed)
    factors = draw.integers(5, size=(ROWS, 3))
    said = factors + draw.uniform(-0.1, 0.1, factors.shape)
    latents = np.concatenate([said - 2, 0.3 * draw.normal(size=(ROWS, 2))], axis=1)
    if kind == "rotated":
        latents = latents @ np.linalg.qr(draw.normal(size=(5, 5)))[0]
    if kind == "noise":
        latents = draw.normal(size=latents.shape)
    return latents, factors


def both(latents, factors):
    part = len(latents) * 2 // 3
    return latents[:part], factors[:part], latents[part:], factors[part:]
