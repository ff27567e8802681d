"""The smallest run: two steps on noise, with calibrations and an evaluation that nobody measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from dcign.inputs.batches import TrainingBatches
from dcign.recipes.registry import SWAP, changed
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.training import train_on
from dcign.trained.calibration import calibrate, write_calibrations
from tests.support.evaluation import EVALUATION

DESCRIPTION = ImageDescription(
    size=32, channels=1, factors=("across", "tilt_up"), units=("px", "px"), mirror_signs=(-1, 1), data_sha256="none"
)


def make_noise_run(folder: Path) -> Path:
    """Train a run of two steps on noise with a refiner of one, that says it was evaluated."""
    noise = torch.randint(0, 256, (3, 20, 32, 32, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    settings = {"data": "/secret/place/noise", "seed": 0, "device": "cpu", "threads": 1, "precision": "float32"}
    recipe = changed(SWAP, {"beta": 0.5})
    configuration = TrainConfiguration(
        out=str(folder), recipe=recipe, steps=2, refine=1, ratio=(1.0, 1.0, 1.0), **settings
    )
    train_on(TrainingBatches(noise, np.arange(3)), DESCRIPTION, configuration)
    values = np.linspace(-60, 60, 121)
    fits = [calibrate(name, latent, values / 50, values) for latent, name in enumerate(DESCRIPTION.factors)]
    write_calibrations(folder, fits)
    (folder / "evaluation.json").write_text(json.dumps(EVALUATION))
    return folder
