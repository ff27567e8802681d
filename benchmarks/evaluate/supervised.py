"""Supervised upper bound: how well can the same encoder predict the factors if it is trained on the true labels?

    python -m benchmarks.evaluate.supervised FACES [--steps STEPS] [--seed 0] [--recipe swap] [--out ceiling.json]

The network, the optimiser, the schedule, the averaged weights and the number of images per step are the recipe's. The
images are drawn from the whole training split. The loss is the squared error between the first latents and the labels,
and for a factor of classes the cross-entropy of as many latents as it has classes. Calibration and scores are those of
`dcign train`: isotonic maps, or a linear discriminant of classes, fitted on 7,200 training images; R^2 and error, or
accuracy, on the iid split.

Where parts of a person vary, such as hair, the network has an output for each of their coefficients too. Their figures
are those of evaluation.json: how much of a part its own outputs explain, all outputs, and the outputs of all else. And
for each factor, how much of it the outputs of all else explain in the iid split. So they tell how much of a leak comes
from pictures that allow several answers: an estimate that is unsure of one trait moves with another.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from benchmarks.errors import BenchmarkError, one_sentence
from dcign.device import choose_precision, computing, threads
from dcign.evaluate.codes import Codes, encode_split, thinning
from dcign.evaluate.coefficients import as_amounts
from dcign.evaluate.evaluation import TRAINING_IMAGES
from dcign.evaluate.leakage import measure_leakage
from dcign.evaluate.person_parts import explained_by_blocks, read_parts
from dcign.inputs.source import DataSource, LabelledBatches
from dcign.metrics import r_squared
from dcign.metrics.categorical import read_classes
from dcign.metrics.circular import circular_r_squared, factor_columns, wrapped
from dcign.network.autoencoder import AutoEncoder, build_model
from dcign.network.halves import initialise
from dcign.recipes.registry import Recipe, changed, recipe_named
from dcign.run.checkpoint import TrainingState
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.optimiser import build_optimiser, optimiser_step
from dcign.trained.calibration import calibrate_coordinates
from dcign.trained.codec import Codec

CPU = torch.device("cpu")


@one_sentence()
def main() -> None:
    """Train, measure, write the JSON file and print it."""
    found = run_benchmark(__doc__, Path("ceiling.json"), measure)
    for name, score in found["factors"].items():
        if "accuracy" in score:
            print(f"{name}: accuracy {score['accuracy']:.4f}, R2 {score['r2']:.4f}")
        else:
            print(f"{name}: R2 {score['r2']:.4f}, mean error {score['mean_absolute_error']:.2f}")
    for name, score in found["parts"].items():
        own, whole, others = (score[key] for key in ("own_r2", "whole_r2", "leakage_r2"))
        print(f"{name}: R2 {own:.4f}, of all outputs {whole:.4f}, of the others {others:.4f}")
    for name, leak in found["leakage"].items():
        print(f"{name}: R2 {leak:.4f} of the outputs of all else")


def run_benchmark(
    description: str | None, default: Path, measured: Callable[[DataSource, TrainConfiguration], dict[str, Any]]
) -> dict[str, Any]:
    """Parse the options of an upper bound, measure it, write the result and its configuration as JSON, return it."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--steps", type=int, help="gradient steps  [default: the recipe's]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", default="swap", help="the recipe of network and schedule  [default: swap]")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=default)
    given = parser.parse_args()
    recipe = recipe_named(given.recipe)
    steps = recipe.steps if given.steps is None else given.steps
    configuration = TrainConfiguration(data="", out="", recipe=recipe, steps=steps, seed=given.seed)
    source = DataSource(given.faces)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with threads(given.threads):
        scores = measured(source, configuration)
    seen = steps * images_per_step(recipe)
    found = {"recipe": recipe.name, "steps": steps, "images_seen": seen, "seed": given.seed, **scores}
    given.out.write_text(json.dumps(found, indent=2) + "\n")
    return found


def measure(source: DataSource, configuration: TrainConfiguration) -> dict[str, Any]:
    """Train a regressor, calibrate it, and score it on the iid split, and on the test split for the parts."""
    source.refuse_missing(("train", "iid"))
    train, iid, description = source.labelled("train"), source.labelled("iid"), source.description()
    parts, configuration = with_coefficients(source, description, configuration)
    codec = train_regressor(train, parts, description, configuration)
    few = source.chunked("train").labelled(*thinning(len(train.kind), train.images.shape[1], TRAINING_IMAGES))
    fitted, held = (encode_split(codec, split) for split in (few, iid))
    scores = {}
    for index, (name, own) in enumerate(zip(description.factors, factor_outputs(description), strict=True)):
        classes = description.classes[index] if description.classes else ()
        known, truth = fitted.flat_factors[:, index], held.flat_factors[:, index]
        if classes:
            reading = read_classes(fitted.flat_mu, known, held.flat_mu, truth, own, len(classes))
            scores[name] = {"r2": reading.r2, "accuracy": reading.accuracy}
            continue
        fit = calibrate_coordinates(name, own, fitted.flat_mu[:, own], known)
        predicted = fit.read(held.flat_mu)
        error = truth - predicted
        scores[name] = {
            "r2": (circular_r_squared if fit.circular else r_squared)(truth, predicted),
            "mean_absolute_error": float(np.abs(wrapped(error) if fit.circular else error).mean()),
        }
    seconds = round(codec.seconds, 1)
    return {"cpu_seconds": seconds, "factors": scores, **trait_scores(source, codec, parts, fitted, held)}


def with_coefficients(
    source: DataSource, description: ImageDescription, configuration: TrainConfiguration
) -> tuple[dict[str, NDArray[Any]], TrainConfiguration]:
    """Return the coefficients of each part in the training split, (B, n, K), and a code with a latent for each.

    Each coefficient has mean 0 and variance 1, and each class, such as a haircut, a column of its own.
    """
    parts = {}
    for part in description.parts:
        values = source.trait("train", part, np.arange(len(source.chunked("train").kind)))
        columns = as_amounts(values, values[:1])[0]
        parts[part] = ((columns - columns.mean(axis=(0, 1))) / columns.std(axis=(0, 1))).astype(np.float32)
    sizes = {f"{part}_latents": columns.shape[-1] for part, columns in parts.items()}
    return parts, replace(configuration, recipe=changed(configuration.recipe, sizes))


def trait_scores(
    source: DataSource, codec: Codec, parts: Mapping[str, NDArray[Any]], fitted: Codes, held: Codes
) -> dict[str, dict[str, Any]]:  # JSON
    """Score the outputs of each part, and what the outputs of all else tell of each factor, where parts vary.

    fitted, held: the codes on which regressions are fitted, and those of the iid split.
    """
    if not parts:
        return {"parts": {}, "leakage": {}}
    layout, description = codec.layout, codec.description
    trained = [latent for name in (*description.factors, *parts) for latent in layout.latents_of(name)]
    test = source.labelled("test")
    tested = encode_split(codec, test)
    found = {}
    for sample in read_parts(source, description, len(test.kind)):
        of_kind = tested.mu[tested.kind == description.kinds.index(sample.name)]
        mu = encode_split(codec, sample.fitted).mu
        found[sample.name] = explained_by_blocks(
            sample, mu[..., trained], of_kind[..., trained], layout.latents_of(sample.name)
        )
    leaks = measure_leakage(
        replace(fitted, mu=fitted.mu[..., trained], logvar=fitted.logvar[..., trained]),
        replace(held, mu=held.mu[..., trained], logvar=held.logvar[..., trained]),
        [layout.latents_of(name) for name in description.factors],
        [name in description.circular for name in description.factors],
        [range(count) for count in description.class_counts],
        np.ones(len(trained), bool),
    )
    return {
        "parts": found,
        "leakage": {name: leak.active for name, leak in zip(description.factors, leaks, strict=True)},
    }


def factor_outputs(description: ImageDescription) -> list[list[int]]:
    """Return the latents that predict each factor: one, two of a circular one, as many as there are classes."""
    found: list[list[int]] = []
    first = 0
    for name, count in zip(description.factors, description.class_counts, strict=True):
        width = count or (2 if name in description.circular else 1)
        found.append(list(range(first, first + width)))
        first += width
    return found


def train_regressor(
    train: LabelledBatches,
    parts: Mapping[str, NDArray[Any]],
    description: ImageDescription,
    configuration: TrainConfiguration,
) -> Codec:
    """Train an encoder to predict the labels, each divided by its largest absolute value, and the parts' coefficients.

    Of a circular factor, it predicts cosine and sine, and of a factor of classes their log probabilities. The factors
    together and each part have the same weight. Raises BenchmarkError if the network has fewer latents than that takes.
    """
    outputs, values = factor_outputs(description), _flat(train.factors)
    layout = CodeLayout.of(description, configuration.recipe)
    if outputs[-1][-1] >= layout.size:
        raise BenchmarkError(
            f"expected a recipe with {outputs[-1][-1] + 1} latents or more, one per number or class, found "
            f"{layout.size} in {configuration.recipe.name}: choose another one."
        )
    circular = [name in description.circular for name in description.factors]
    named = [index for index, count in enumerate(description.class_counts) if count]
    measured = [index for index in range(len(outputs)) if index not in named]
    images, precision = torch.from_numpy(_flat(train.images)), choose_precision("auto", CPU)
    classes = torch.from_numpy(np.rint(values[:, named]).astype(np.int64))
    targets = torch.zeros(len(values), 0)
    if measured:
        columns = factor_columns(values[:, measured], [circular[index] for index in measured]).astype(np.float32)
        labels = torch.from_numpy(columns)
        targets = labels / labels.abs().amax(dim=0)
    numbers = [latent for index in measured for latent in outputs[index]]
    coefficients = [(list(layout.latents_of(name)), torch.from_numpy(_flat(values))) for name, values in parts.items()]

    def loss(model: AutoEncoder, generator: torch.Generator) -> Tensor:
        chosen = torch.randint(len(images), (images_per_step(configuration.recipe),), generator=generator)
        with computing(CPU, precision):
            predicted, _ = model.encode(images[chosen].permute(0, 3, 1, 2).to(torch.float32) / 255)
        losses = [(predicted[:, numbers] - targets[chosen]).square().mean()] if numbers else []
        losses += [(predicted[:, own] - values[chosen]).square().mean() for own, values in coefficients]
        for column, index in enumerate(named):
            losses.append(functional.cross_entropy(predicted[:, outputs[index]].float(), classes[chosen, column]))
        return torch.stack(losses).sum()

    return train_network(configuration, description, loss)


def train_network(
    configuration: TrainConfiguration,
    description: ImageDescription,
    loss: Callable[[AutoEncoder, torch.Generator], Tensor],
) -> Codec:
    """Minimise a loss with the recipe's optimiser and schedule. Returns the network with its averaged weights.

    `loss` draws the images of one step with the generator.
    """
    recipe = configuration.recipe
    generator = torch.Generator().manual_seed(configuration.seed)
    began = time.process_time()
    model = build_model(configuration.recipe, description)
    initialise(model, recipe.gain, generator)
    average = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    state = TrainingState(model, average, build_optimiser(model, recipe), 0, 0.0)
    for state.step in range(configuration.steps):
        state.optimizer.zero_grad()
        loss(model, generator).backward()  # type: ignore[no-untyped-call]
        optimiser_step(state, recipe, configuration.steps)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(average[name])
    seconds, precision = time.process_time() - began, choose_precision("auto", CPU)
    return Codec(model.eval(), configuration, description, configuration.steps, seconds, CPU, precision)


def images_per_step(recipe: Recipe) -> int:
    """Return the number of images per training step."""
    return recipe.groups * recipe.images


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    """(B, n, ...) -> (B n, ...)"""
    return values.reshape(-1, *values.shape[2:])


if __name__ == "__main__":
    main()
