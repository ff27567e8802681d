"""What tests run in processes of their own: a training of noise, by `python -m tests.support.processes FOLDER ...`."""

from __future__ import annotations

import sys

import numpy as np
import torch

from dcign.errors import TrainingError
from dcign.inputs.batches import TrainingBatches
from dcign.recipes.registry import SWAP, changed
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.training import train_on

DESCRIPTION = ImageDescription(
    size=32, channels=1, factors=("across", "up"), units=("px", "px"), mirror_signs=(-1, 1), data_sha256="none"
)
# A large epsilon: Adam would magnify the rounding of gradients near zero, of which sums in another order differ.
RECIPE = changed(SWAP, {"images": 2, "groups": 4, "epsilon": 1.0})


def noise() -> TrainingBatches:
    """Six batches of 20 noisy images of 32 px, two of each kind."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (6, 20, 32, 32, 1), dtype=torch.uint8, generator=generator)
    return TrainingBatches(images, np.arange(6) % 3)


def train_noise(folder: str, steps: int, groups: int = 4, resume: bool = False, checkpoint_every: int = 5) -> None:
    """Train on noise, float32, one thread a process."""
    settings = {"device": "cpu", "precision": "float32", "threads": 1, "log_every": 1}
    recipe = changed(RECIPE, {"groups": groups})
    configuration = TrainConfiguration(
        "noise", folder, recipe, steps, seed=0, ratio=(1.0, 1.0, 1.0), checkpoint_every=checkpoint_every, **settings
    )
    train_on(noise(), DESCRIPTION, configuration, resume=resume)


if __name__ == "__main__":
    try:
        train_noise(sys.argv[1], *(int(number) for number in sys.argv[2:]))
    except TrainingError as error:
        sys.exit(str(error))
