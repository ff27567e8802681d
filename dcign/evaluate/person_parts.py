"""The parts of a person, such as hair: how much of a part its own block tells, how much the other blocks do, and swaps.

Only batches in which the part varies alone are used, and only differences within a batch, so that all else is held:
pose, light, the other parts, sex and age. Regressions are fitted on training people and measured on unseen ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcign.arrays import Floating
from dcign.evaluate.codes import Codes, encode_split, evenly
from dcign.evaluate.coefficients import as_amounts, explained_by_ridge, within_batches
from dcign.evaluate.pictures.reconstruction import Reconstruction
from dcign.evaluate.pictures.swaps import swap_errors
from dcign.inputs.source import DataSource, LabelledBatches
from dcign.run.configuration import ImageDescription
from dcign.trained.codec import Codec

FITTED_BATCHES = 200  # of training, per part, spread evenly


@dataclass(frozen=True, eq=False)
class PartSample:
    """Training batches in which one part varies, and its coefficients there (B, n, K) and in test batches (C, n, K)."""

    name: str
    fitted: LabelledBatches
    coefficients: Floating
    tested: Floating


def read_parts(source: DataSource, description: ImageDescription, test_batches: int) -> tuple[PartSample, ...]:
    """Read a sample for each part that has batches, in the test split among the first `test_batches`."""
    if not description.parts:
        return ()
    train, kinds = source.chunked("train"), source.chunked("test").kind[:test_batches]
    found = []
    for part in description.parts:
        kind = description.kinds.index(part)
        of_kind = np.flatnonzero(train.kind == kind)
        chosen, tested = of_kind[evenly(len(of_kind), FITTED_BATCHES)], np.flatnonzero(kinds == kind)
        if len(chosen) and len(tested):
            labelled = train.labelled(chosen, np.arange(train.size))
            coefficients = (source.trait("train", part, chosen), source.trait("test", part, tested))
            found.append(PartSample(part, labelled, *coefficients))
    return tuple(found)


def measure_parts(
    codec: Codec, samples: Sequence[PartSample], test: LabelledBatches, tested: Codes, plain: Reconstruction
) -> dict[str, dict[str, Any]]:  # JSON
    """Score each part by name; there are none without assigned latents.

    test, tested, plain: the first batches of the test split, their codes, and their reconstruction.
    """
    if not codec.configuration.recipe.assigned:
        return {}
    return {sample.name: _measure(codec, sample, test, tested, plain) for sample in samples}


def _measure(
    codec: Codec, sample: PartSample, test: LabelledBatches, tested: Codes, plain: Reconstruction
) -> dict[str, Any]:  # JSON
    kind, own = codec.description.kinds.index(sample.name), codec.layout.latents_of(sample.name)
    swap = swap_errors(codec, test, tested, plain, kind, own)
    return {
        **explained_by_blocks(sample, encode_split(codec, sample.fitted).mu, tested.mu[tested.kind == kind], own),
        "swap_ratio": swap.ratio,
        "copy_ratio": swap.copy_ratio,
    }


def explained_by_blocks(
    sample: PartSample, fitted: Floating, tested: Floating, own: Sequence[int]
) -> dict[str, float]:  # JSON
    """Return how much of a part's coefficients its own latents explain, the whole code, and all other latents.

    fitted, tested: the codes of the sample's training batches (B, n, Z) and of its test batches (C, n, Z).
    """
    values, asked = map(within_batches, as_amounts(sample.coefficients, sample.tested))
    mu, held = within_batches(fitted), within_batches(tested)

    def explained(latents: Sequence[int]) -> float:
        chosen = list(latents)
        return explained_by_ridge(mu[:, chosen], values, held[:, chosen], asked)

    everything = range(mu.shape[1])
    return {
        "own_r2": explained(own),
        "whole_r2": explained(everything),
        "leakage_r2": explained([latent for latent in everything if latent not in own]),
    }
