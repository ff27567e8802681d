"""The supervised ceiling: how well the same encoder tells the factors if it is told the truth in training.

    python -m benchmarks.evaluate.supervised FACES [--steps STEPS] [--seed 0] [--recipe swap] [--out ceiling.json]

The recipe's encoder, mirror-equivariant if it is, its optimiser, schedule and averaged weights, and as many images a
step, drawn from the whole training split; the loss is the squared error of the first latents to the labels. Calibrated
and measured as `dcign train` measures: isotonic maps of 7,200 training images, the iid split.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.errors import one_sentence
from dcign.device import choose_precision, computing, threads
from dcign.evaluate.codes import encode_split, thinned
from dcign.evaluate.evaluation import TRAINING_IMAGES
from dcign.inputs.source import DataSource, LabelledBatches
from dcign.metrics import r_squared
from dcign.network.autoencoder import AutoEncoder, build_model
from dcign.network.halves import initialise
from dcign.recipes.registry import Recipe, recipe_named
from dcign.run.checkpoint import TrainingState
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.optimiser import OPTIMIZERS, optimiser_step
from dcign.trained.calibration import calibrate
from dcign.trained.codec import Codec

CPU = torch.device("cpu")


@one_sentence()
def main() -> None:
    """Train, measure, write, tell."""
    for name, score in written(__doc__, Path("ceiling.json"), measure)["factors"].items():
        print(f"{name}: R2 {score['r2']:.4f}, mean error {score['mae_degrees']:.2f}")


def written(
    about: str | None, default: Path, measured: Callable[[DataSource, TrainConfiguration], dict[str, Any]]
) -> dict[str, Any]:
    """Parse the options of a ceiling, measure it, write it as JSON beside what it was of, and return it."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--steps", type=int, help="gradient steps [the recipe's]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", default="swap", help="whose network and schedule [swap]")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=default)
    given = parser.parse_args()
    recipe = recipe_named(given.recipe)
    steps = recipe.steps if given.steps is None else given.steps
    configuration = TrainConfiguration(data="", out="", recipe=recipe, steps=steps, seed=given.seed)
    source = DataSource(given.faces)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with threads(given.threads):
        figures = measured(source, configuration)
    seen = steps * images_a_step(recipe)
    found = {"recipe": recipe.name, "steps": steps, "images_seen": seen, "seed": given.seed, **figures}
    given.out.write_text(json.dumps(found, indent=2) + "\n")
    return found


def measure(source: DataSource, configuration: TrainConfiguration) -> dict[str, Any]:
    """Train a regressor and score it on the iid split."""
    source.refuse_missing(("train", "iid"))
    train, iid, description = source.labelled("train"), source.labelled("iid"), source.description()
    codec = regress(train, description, configuration)
    fitted, held = (encode_split(codec, split) for split in (thinned(train, TRAINING_IMAGES), iid))
    scores = {}
    for place, name in enumerate(description.factors):
        fit = calibrate(name, place, fitted.flat_mu[:, place], fitted.flat_factors[:, place])
        truth, told = held.flat_factors[:, place], fit.value(held.flat_mu[:, place])
        scores[name] = {"r2": r_squared(truth, told), "mae_degrees": float(np.abs(truth - told).mean())}
    return {"cpu_seconds": round(codec.seconds, 1), "factors": scores}


def regress(train: LabelledBatches, description: ImageDescription, configuration: TrainConfiguration) -> Codec:
    """Return a network whose encoder was trained to say the labels, its weights averaged as the recipe has it."""
    images, labels = torch.from_numpy(_flat(train.images)), torch.from_numpy(_flat(train.factors))
    targets, precision = labels / labels.abs().amax(dim=0), choose_precision("auto", CPU)

    def loss(model: AutoEncoder, generator: torch.Generator) -> Tensor:
        chosen = torch.randint(len(images), (images_a_step(configuration.recipe),), generator=generator)
        with computing(CPU, precision):
            told, _ = model.encode(images[chosen].permute(0, 3, 1, 2).to(torch.float32) / 255)
        return (told[:, : targets.shape[1]] - targets[chosen]).square().mean()

    return trained(configuration, description, loss)


def trained(
    configuration: TrainConfiguration,
    description: ImageDescription,
    loss: Callable[[AutoEncoder, torch.Generator], Tensor],
) -> Codec:
    """Descend a loss as the recipe descends, each step's drawn anew; returns the network with averaged weights."""
    recipe = configuration.recipe
    generator = torch.Generator().manual_seed(configuration.seed)
    began = time.process_time()
    model = build_model(configuration, description)
    initialise(model, recipe.gain, generator)
    average = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    state = TrainingState(model, average, OPTIMIZERS[recipe.optimizer](model, recipe), 0, 0.0)
    for state.step in range(configuration.steps):
        state.optimizer.zero_grad()
        loss(model, generator).backward()  # type: ignore[no-untyped-call]
        optimiser_step(state, recipe, configuration.steps)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(average[name])
    seconds, precision = time.process_time() - began, choose_precision("auto", CPU)
    return Codec(model.eval(), configuration, description, configuration.steps, seconds, CPU, precision)


def images_a_step(recipe: Recipe) -> int:
    """Return how many images a step sees."""
    return recipe.groups * recipe.images


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    """(B, n, ...) -> (B n, ...)."""
    return values.reshape(-1, *values.shape[2:])


if __name__ == "__main__":
    main()
