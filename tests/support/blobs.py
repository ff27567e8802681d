"""Batches of bright blobs and a run on them, for trainings of a few steps."""

from __future__ import annotations

import numpy as np
import torch

from dcign.inputs.batches import TrainingBatches
from dcign.recipes.registry import SWAP
from dcign.run.configuration import ImageDescription, TrainConfiguration

DESCRIPTION = ImageDescription(
    size=32,
    channels=1,
    factors=("across", "up"),
    units=("pixel", "pixel"),
    mirror_signs=(-1, 1),
    data_sha256="none",
)


def moving_blobs(batches=12):
    """Batches of a bright blob of which one thing varies: its place across, its height, or its size.

    Its light is its mask, too.
    """
    rng = np.random.default_rng(0)
    values = np.repeat(rng.uniform(-1, 1, (batches, 1, 3)), 20, axis=1)
    kind = np.arange(batches) % 3
    for batch, what in enumerate(kind):
        values[batch, :, what] = rng.uniform(-1, 1, 20)
    grid = np.linspace(-1, 1, 32)
    across, up, size = (values[..., None, None, axis] for axis in range(3))
    distance = np.square(grid[None, :] - across / 2) + np.square(grid[:, None] + up / 2)
    images = 255 * np.exp(-distance / (0.08 + 0.04 * size))
    stored = torch.from_numpy(images.astype(np.uint8))
    return TrainingBatches(stored[..., None], kind, masks=stored)


def configured(folder, recipe=SWAP, steps=8, **changes):
    settings = {"seed": 0, "device": "cpu", "threads": 1, "log_every": 2, "checkpoint_every": 4} | changes
    return TrainConfiguration(data="blobs", out=str(folder), recipe=recipe, steps=steps, **settings)
