"""The supervised ceiling: how well the same encoder tells the factors if it is told the truth in training.

    python -m benchmarks.ceiling FACES [--steps STEPS] [--seed 0] [--recipe swap] [--out ceiling.json]

The recipe's encoder, mirror-equivariant if it is, its optimiser, schedule and averaged weights, and as many images a
step, drawn from the whole training split; the loss is the squared error of the first latents to the labels. Calibrated
and measured as `dcign train` measures: isotonic maps of 7,200 training images, the iid split.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.sentence import one_sentence
from dcign.calibration import calibrate
from dcign.checkpoint import TrainingState
from dcign.codec import Codec
from dcign.codes import encode_split, thinned
from dcign.configuration import ImageDescription, TrainConfiguration
from dcign.descent import OPTIMIZERS, descend
from dcign.device import choose_precision, computing, threads
from dcign.evaluation import TRAINING_IMAGES
from dcign.metrics import r_squared
from dcign.model import AutoEncoder, build_model
from dcign.network import initialise
from dcign.recipes import Recipe, recipe_named
from dcign.source import DataSource, LabelledBatches

CPU = torch.device("cpu")


@one_sentence()
def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--steps", type=int, help="gradient steps [the recipe's]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", default="swap", help="whose encoder and schedule [swap]")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("ceiling.json"))
    given = parser.parse_args()
    recipe = recipe_named(given.recipe)
    steps = recipe.steps if given.steps is None else given.steps
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with threads(given.threads):
        found = measure(DataSource(given.faces), recipe, steps, given.seed)
    given.out.write_text(json.dumps(found, indent=2) + "\n")
    for name, score in found["factors"].items():
        print(f"{name}: R2 {score['r2']:.4f}, mean error {score['mae_degrees']:.2f}")


def measure(source: DataSource, recipe: Recipe, steps: int, seed: int) -> dict[str, Any]:
    """Train a regressor and score it on the iid split."""
    configuration = TrainConfiguration(data="", out="", recipe=recipe, steps=steps, seed=seed)
    source.refuse_missing(("train", "iid"))
    train, iid = source.labelled("train"), source.labelled("iid")
    description = source.description()
    began = time.process_time()
    model = regress(train, description, configuration)
    seconds = time.process_time() - began
    codec = Codec(model.eval(), configuration, description, steps, seconds, CPU, choose_precision("auto", CPU))
    fitted, held = (encode_split(codec, split) for split in (thinned(train, TRAINING_IMAGES), iid))
    scores = {}
    for place, name in enumerate(description.factors):
        fit = calibrate(name, place, fitted.flat_mu[:, place], fitted.flat_factors[:, place])
        truth, told = held.flat_factors[:, place], fit.value(held.flat_mu[:, place])
        scores[name] = {"r2": r_squared(truth, told), "mae_degrees": float(np.abs(truth - told).mean())}
    return {
        "recipe": recipe.name,
        "steps": steps,
        "images_seen": steps * _images_a_step(recipe),
        "seed": seed,
        "cpu_seconds": round(seconds, 1),
        "factors": scores,
    }


def regress(train: LabelledBatches, description: ImageDescription, configuration: TrainConfiguration) -> AutoEncoder:
    """Return a network whose encoder was trained to say the labels, its weights averaged as the recipe has it."""
    recipe, steps = configuration.recipe, configuration.steps
    generator = torch.Generator().manual_seed(configuration.seed)
    model = build_model(configuration, description)
    initialise(model, recipe.gain, generator)
    images, labels = torch.from_numpy(_flat(train.images)), torch.from_numpy(_flat(train.factors))
    targets, precision = labels / labels.abs().amax(dim=0), choose_precision("auto", CPU)
    average = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    state = TrainingState(model, average, OPTIMIZERS[recipe.optimizer](model, recipe), 0, 0.0)
    for state.step in range(steps):
        chosen = torch.randint(len(images), (_images_a_step(recipe),), generator=generator)
        with computing(CPU, precision):
            told, _ = model.encode(images[chosen].permute(0, 3, 1, 2).to(torch.float32) / 255)
        loss = (told[:, : targets.shape[1]] - targets[chosen]).square().mean()
        state.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        descend(state, recipe, steps)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(average[name])
    return model


def _images_a_step(recipe: Recipe) -> int:
    return recipe.groups * recipe.images


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    """(B, n, ...) -> (B n, ...)."""
    return values.reshape(-1, *values.shape[2:])


if __name__ == "__main__":
    main()
