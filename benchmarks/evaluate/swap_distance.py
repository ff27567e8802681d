"""Swap error by distance: how far can a factor be changed by a swap of latents?

    python -m benchmarks.evaluate.swap_distance RUN [--factor azimuth] [--bins 9] [--data FACES] [--json]

In the test batches in which only this factor varies, each image gets the factor's latent of the next image, is decoded
and compared with the next image. `dcign evaluate` uses the same batches and the same swaps. The error of a bin is the
mean squared error of its swaps, divided by that of plain reconstructions of the target images. Writes swaps.json into
the run's folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import BenchmarkError, one_sentence
from dcign.arrays import Floating
from dcign.evaluate.codes import encode_split
from dcign.evaluate.evaluation import TEST_BATCHES
from dcign.evaluate.pictures.reconstruction import measure_reconstruction
from dcign.evaluate.pictures.swaps import swap_errors
from dcign.metrics.circular import wrapped
from dcign.trained.trained_run import TrainedRun

FILE = "swaps.json"


@one_sentence()
def main() -> None:
    """Measure, write swaps.json and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--factor", default="azimuth")
    parser.add_argument("--bins", type=int, default=9)
    parser.add_argument("--data", type=Path, help="the data set, if it was moved")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.bins < 1:
        raise BenchmarkError(
            f"expected 1 bin or more, found --bins {given.bins}: choose a larger number, e.g. --bins 9."
        )
    found = measure(given.run, given.factor, given.bins, given.data)
    (given.run / FILE).write_text(json.dumps(found) + "\n")
    if given.json:
        print(json.dumps(found))
        return
    for row in found["bins"]:
        print(
            f"{row['from']:6.0f} to {row['to']:3.0f}: {row['ratio']:.2f} x reconstruction error, {row['pairs']} pairs"
        )


def measure(run: Path, factor: str, bins: int, data: Path | None = None) -> dict[str, Any]:
    """Return the factor, and for each bin its bounds, its number of image pairs and their relative error."""
    opened = TrainedRun.open(run)
    codec = opened.codec
    names = codec.description.factors
    if factor not in names:
        raise BenchmarkError(f"expected a factor of {run}, found {factor!r}: choose from {', '.join(names)}.")
    if not codec.configuration.recipe.assigned:
        raise BenchmarkError(
            f"expected a run with one latent per factor, found {run}: use a run of swap, paper or released."
        )
    source = opened.data(data)
    test, index = source.labelled("test"), names.index(factor)
    test = test.chosen(np.flatnonzero(test.kind[:TEST_BATCHES] == index))
    codes = encode_split(codec, test)
    own = codec.layout.latents_of(factor)
    errors = swap_errors(codec, test, codes, measure_reconstruction(codec, test, codes), index, own)
    values = test.factors[..., index]
    steps = (np.roll(values, -1, axis=1) - values).ravel()
    distance = np.abs(wrapped(steps) if factor in codec.description.circular else steps)
    edges = np.linspace(0, distance.max(), bins + 1)
    rows = [_bin(errors.swapped, errors.plain, distance, low, high) for low, high in itertools.pairwise(edges)]
    return {"run": str(run), "factor": factor, "bins": [row for row in rows if row["pairs"]]}


def _bin(swapped: Floating, plain: Floating, distance: Floating, low: float, high: float) -> dict[str, float]:
    """Return the row of distances in (low, high]. The first bin includes 0."""
    inside = (distance > low) & (distance <= high) | ((distance == low) & (low == 0))
    ratio = float(swapped[inside].mean() / plain[inside].mean()) if inside.any() else float("nan")
    return {"from": float(low), "to": float(high), "pairs": int(inside.sum()), "ratio": ratio}


if __name__ == "__main__":
    main()
