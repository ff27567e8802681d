"""A codec without a network: pixel i of a picture of 4 x 4 px is latent i, from -1 to 1."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from dcign.recipes.registry import Recipe
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription

SIDE = 4


def drawn(codes):
    """Draw codes (..., Z) as bytes: (..., 4, 4, 1) float32, whole numbers."""
    pixels = np.zeros((*codes.shape[:-1], SIDE * SIDE), np.float32)
    pixels[..., : codes.shape[-1]] = ((codes + 1) * 127.5).round()
    return pixels.reshape(*codes.shape[:-1], SIDE, SIDE, 1)


class Drawn:
    """Stands for a codec. offset: what is added to every decoded pixel."""

    def __init__(self, description: ImageDescription, recipe: Recipe, layout: CodeLayout, offset: float = 0) -> None:
        self.configuration = SimpleNamespace(recipe=recipe)
        self.description, self.layout, self.offset = description, layout, offset

    def encode(self, images, progress=lambda done: None):
        codes = images.reshape(len(images), -1)[:, : self.layout.size] / 127.5 - 1
        return codes.astype(np.float32), np.zeros_like(codes, np.float32)

    def decode(self, codes, progress=lambda done: None):
        return drawn(codes) / 255 + self.offset
