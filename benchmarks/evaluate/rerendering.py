"""Upper bound of re-rendering: how well can the same network change the factors of an image if it is trained to do so?

    python -m benchmarks.evaluate.rerendering FACES [--steps STEPS] [--seed 0] [--recipe swap] [--out rerendering.json]

The encoder, decoder, likelihood, optimiser, schedule, averaged weights and number of images per step are the recipe's.
The decoder gets the true factors of the target image, and all other latents from the code of another image of the same
batch. There is no noise, no prior and no invariance loss. Half of the pairs differ in the first factor, the others in
the remaining factors. Measured on the sweep split, as `dcign evaluate` does: one image with every factor at rest is
re-rendered at the levels of each sweep.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.errors import BenchmarkError, one_sentence
from benchmarks.evaluate.supervised import CPU, images_per_step, run_benchmark, train_network
from dcign.device import choose_precision, computing
from dcign.evaluate.codes import evenly
from dcign.evaluate.pictures.rerendering import LEVELS
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
    """Train, measure, write the JSON file and print it."""
    for name, psnr in run_benchmark(__doc__, Path("rerendering.json"), measure)["psnr_db"].items():
        print(f"{name}: {psnr:.2f} dB")


def measure(source: DataSource, configuration: TrainConfiguration) -> dict[str, Any]:
    """Train a network to re-render. Returns its PSNR in dB on the sweep split, by factor."""
    source.refuse_missing(("train", "sweep"))
    train, sweep, description = source.labelled("train"), source.labelled("sweep"), source.description()
    if description.circular:
        raise BenchmarkError(
            f"expected factors that are one latent each, found {description.circular[0]}, which is circular: use a "
            "data set whose ranges are less than the full turn."
        )
    scale = np.abs(train.factors).max(axis=(0, 1))
    codec = train_rerenderer(train, description, configuration, scale)
    psnr = {name: rerendering_psnr(codec, sweep, index, scale) for index, name in enumerate(description.factors)}
    return {"cpu_seconds": round(codec.seconds, 1), "psnr_db": psnr}


def train_rerenderer(
    train: LabelledBatches, description: ImageDescription, configuration: TrainConfiguration, scale: NDArray[Any]
) -> Codec:
    """Train a network to re-render. Its first latents are the factors (F,) divided by their scale (F,)."""
    recipe, count = configuration.recipe, len(description.factors)
    pairs, rest = divmod(images_per_step(recipe), 2)
    if rest:
        raise BenchmarkError(
            f"expected an even number of images per step, found {2 * pairs + 1} in {recipe.name}: "
            "choose another recipe."
        )
    images, targets = torch.from_numpy(train.images), torch.from_numpy((train.factors / scale).astype(np.float32))
    ratio = (float(max(1, count - 1)), *[1.0] * (count - 1), 0.0)
    members = batches_by_kind(train.kind, (*description.factors, "identity"), ratio)
    precision = choose_precision("auto", CPU)

    def loss(model: AutoEncoder, generator: torch.Generator) -> Tensor:
        drawn = draw_groups(members, ratio, pairs, 2, images.shape[1], False, generator)
        batch = drawn.batch[:, None]
        target = as_network_input(images[batch, drawn.image], drawn.mirrored)
        with computing(CPU, precision):
            mu, _ = model.encode(target.flatten(0, 1))
            other = mu.view(pairs, 2, -1).flip(1)
            code = torch.cat([targets[batch, drawn.image], other[:, :, count:]], dim=-1)
            logits = model.logits(code.flatten(0, 1))
        return negative_log_likelihood(logits, target.flatten(0, 1), recipe).mean()

    return train_network(configuration, description, loss)


def rerendering_psnr(codec: Codec, batches: LabelledBatches, factor: int, scale: NDArray[Any]) -> float:
    """Return the mean PSNR in dB of one image per person, re-rendered at the levels of a factor's sweep.

    Only the head counts where the split has masks.
    """
    sweep, rest = sweep_of(batches, factor), rest_of(batches) / scale
    kept = evenly(len(sweep.levels), LEVELS)
    code = codec.encode(at_rest(batches))[0]
    code[:, : len(rest)] = rest
    psnr = []
    for level in kept:
        code[:, factor] = sweep.levels[level] / scale[factor]
        mask = None if sweep.mask is None else sweep.mask[level].astype(np.float32) / 255
        psnr.append(psnr_decibels(codec.decode(code) - sweep.images[level].astype(np.float32) / 255, mask))
    return float(np.mean(psnr))


if __name__ == "__main__":
    main()
