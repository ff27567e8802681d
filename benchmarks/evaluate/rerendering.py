"""The ceiling of re-rendering: how well the same network turns one picture if that is all it is trained for.

    python -m benchmarks.evaluate.rerendering FACES [--steps STEPS] [--seed 0] [--recipe swap] [--out rerendering.json]

The recipe's encoder and decoder, likelihood, optimiser, schedule, averaged weights and images a step. The decoder is
given the true factors of the picture that is wanted, and all else from the code of another picture of the same batch,
with neither noise nor prior nor pull. Half of the pairs differ in the first factor, the rest in the others. Measured on
the sweep split as `dcign evaluate` measures it: one picture with every factor at rest, re-rendered at the levels of
each sweep.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.errors import BenchmarkError, one_sentence
from benchmarks.evaluate.supervised import CPU, images_a_step, trained, written
from dcign.device import choose_precision, computing
from dcign.evaluate.rerendering import some_levels
from dcign.evaluate.sweeps import at_rest, rest_of, sweep_of
from dcign.inputs.batches import as_network_input, batches_by_kind, draw_groups
from dcign.inputs.source import DataSource, LabelledBatches
from dcign.metrics import psnr_decibels
from dcign.network.autoencoder import AutoEncoder
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.loss import negative_log_likelihood
from dcign.trained.codec import Codec


@one_sentence()
def main() -> None:
    """Train, measure, write, tell."""
    for name, psnr in written(__doc__, Path("rerendering.json"), measure)["psnr_db"].items():
        print(f"{name}: {psnr:.2f} dB")


def measure(source: DataSource, configuration: TrainConfiguration) -> dict[str, Any]:
    """Train a network to re-render and tell how near it comes on the sweep split, dB."""
    source.refuse_missing(("train", "sweep"))
    train, sweep, description = source.labelled("train"), source.labelled("sweep"), source.description()
    scale = np.abs(train.factors).max(axis=(0, 1))
    codec = turn(train, description, configuration, scale)
    told = {name: rerendered(codec, sweep, place, scale) for place, name in enumerate(description.factors)}
    return {"cpu_seconds": round(codec.seconds, 1), "psnr_db": told}


def turn(
    train: LabelledBatches, description: ImageDescription, configuration: TrainConfiguration, scale: NDArray[Any]
) -> Codec:
    """Return a network trained to re-render: the first latents are factors (F,) over their scale (F,)."""
    recipe, count = configuration.recipe, len(description.factors)
    pairs, rest = divmod(images_a_step(recipe), 2)
    if rest:
        raise BenchmarkError(f"{recipe.name} has {2 * pairs + 1} images a step: wanted pairs.")
    images, targets = torch.from_numpy(train.images), torch.from_numpy((train.factors / scale).astype(np.float32))
    ratio = (float(max(1, count - 1)), *[1.0] * (count - 1), 0.0)
    members = batches_by_kind(train.kind, (*description.factors, "identity"), ratio)
    precision = choose_precision("auto", CPU)

    def loss(model: AutoEncoder, generator: torch.Generator) -> Tensor:
        drawn = draw_groups(members, ratio, pairs, 2, images.shape[1], False, generator)
        batch = drawn.batch[:, None]
        wanted = as_network_input(images[batch, drawn.image], drawn.mirrored)
        with computing(CPU, precision):
            mu, _ = model.encode(wanted.flatten(0, 1))
            other = mu.view(pairs, 2, -1).flip(1)
            code = torch.cat([targets[batch, drawn.image], other[:, :, count:]], dim=-1)
            logits = model.logits(code.flatten(0, 1))
        return negative_log_likelihood(logits, wanted.flatten(0, 1), recipe).mean()

    return trained(configuration, description, loss)


def rerendered(codec: Codec, batches: LabelledBatches, factor: int, scale: NDArray[Any]) -> float:
    """Return the mean PSNR, dB, on the head where there are masks, of one picture a person over a factor's sweep."""
    sweep, rest = sweep_of(batches, factor), rest_of(batches) / scale
    kept = some_levels(len(sweep.levels))
    code = codec.encode(at_rest(batches))[0]
    code[:, : len(rest)] = rest
    told = []
    for level in kept:
        code[:, factor] = sweep.levels[level] / scale[factor]
        mask = None if sweep.mask is None else sweep.mask[level].astype(np.float32) / 255
        told.append(psnr_decibels(codec.decode(code) - sweep.images[level].astype(np.float32) / 255, mask))
    return float(np.mean(told))


if __name__ == "__main__":
    main()
