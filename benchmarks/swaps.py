"""How far can a factor be swapped? Its swap error by how far apart the two pictures are.

    python -m benchmarks.swaps RUN [--factor azimuth] [--bins 9] [--data FACES] [--json]

Each picture of a test batch in which the factor alone varies gets the next picture's latent, is decoded and compared
with the next picture, as in `dcign evaluate` and of the same batches. A bin's figure is the mean squared error of its
swaps over that of plain reconstructions of the pictures aimed at. Writes swaps.json into the run's folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sentence import BenchmarkError, one_sentence
from dcign.arrays import Floating
from dcign.evaluate.codes import encode_split
from dcign.evaluate.evaluation import TEST_BATCHES
from dcign.evaluate.swaps import measure_reconstruction, swap_errors
from dcign.trained.trained_run import TrainedRun

FILE = "swaps.json"


@one_sentence()
def main() -> None:
    """Swap, tell, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--factor", default="azimuth")
    parser.add_argument("--bins", type=int, default=9)
    parser.add_argument("--data", type=Path, help="the data set, if it has moved")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.bins < 1:
        raise BenchmarkError(f"{given.bins} bins asked for; wanted at least 1: give --bins 9.")
    found = measure(given.run, given.factor, given.bins, given.data)
    (given.run / FILE).write_text(json.dumps(found) + "\n")
    if given.json:
        print(json.dumps(found))
        return
    for row in found["bins"]:
        print(f"{row['from']:6.0f} to {row['to']:3.0f}: {row['ratio']:.2f} times, {row['pairs']} pairs")


def measure(run: Path, factor: str, bins: int, data: Path | None = None) -> dict[str, Any]:
    """Return the factor, and of each bin its ends, how many pairs of pictures it has, and their error."""
    opened = TrainedRun.open(run)
    codec = opened.codec
    names = codec.description.factors
    if factor not in names:
        raise BenchmarkError(f"the data set of {run} has no factor {factor!r}: choose of {', '.join(names)}.")
    if not codec.configuration.recipe.assigned:
        raise BenchmarkError(f"{run} has no latent that is {factor}'s own: wanted a run of swap, paper or released.")
    source = opened.data(data)
    test, place = source.labelled("test"), names.index(factor)
    test = test.chosen(np.flatnonzero(test.kind[:TEST_BATCHES] == place))
    codes = encode_split(codec, test)
    errors = swap_errors(codec, test, codes, measure_reconstruction(codec, test, codes), place, place)
    apart = np.abs(errors.steps)
    edges = np.linspace(0, apart.max(), bins + 1)
    rows = [_bin(errors.swapped, errors.plain, apart, low, high) for low, high in itertools.pairwise(edges)]
    return {"run": str(run), "factor": factor, "bins": [row for row in rows if row["pairs"]]}


def _bin(swapped: Floating, plain: Floating, apart: Floating, low: float, high: float) -> dict[str, float]:
    """Return one row; the first bin has its lower end, too."""
    inside = (apart > low) & (apart <= high) | ((apart == low) & (low == 0))
    ratio = float(swapped[inside].mean() / plain[inside].mean()) if inside.any() else float("nan")
    return {"from": float(low), "to": float(high), "pairs": int(inside.sum()), "ratio": ratio}


if __name__ == "__main__":
    main()
