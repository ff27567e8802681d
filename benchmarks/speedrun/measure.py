"""Time to quality: how long recipes train until their reconstructions of unseen people are good enough.

    python -m benchmarks.speedrun FACES [--json] [--marks 25.7,27.2,28.2] [--recipes swap-1,swap] [--seeds 1]
                                  [--threads 1] [--precision auto] [--device auto] [--set FIELD=VALUE] [--steps N]
                                  [--out FOLDER]

A mark is a PSNR in dB over the head, on the test split, with the averaged weights. A learning rate schedule belongs to
one number of steps, so every recipe trains a new run for every mark; the table STEPS holds its number of steps. The
recipes train in turn, a twentieth of their steps at a time, so that all see the same state of the machine. Only
training steps are timed. Two steps before (compilation, choice of kernels) are not timed, and are undone. CPU seconds
count on a CPU with one thread; wall seconds count on a GPU or with another number of threads; both are reported. The
runs are evaluated as `dcign evaluate` does. A ratio is the seconds of the first recipe divided by those of the row, at
the same mark and seed.

With --out the runs are kept. Finished runs found there are not trained again. Interrupted ones continue, with the
seconds that they had. A run whose partner is finished trains alone, so the machine may differ between the two: for a
ratio to publish, start with an empty folder.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import torch

from benchmarks.errors import BenchmarkError, one_sentence, refuse_below
from benchmarks.speedrun.rows import Row, row_of_run, table
from benchmarks.speedrun.timed_run import is_evaluated, refuse_other_run, train_in_turn
from dcign.device import choose_device, choose_precision, refuse_threads
from dcign.evaluate.evaluation import evaluate
from dcign.inputs.memory import free_memory, gigabytes
from dcign.inputs.source import DataSource
from dcign.recipes.fields import read_settings
from dcign.recipes.registry import Recipe, changed, recipe_named
from dcign.run.configuration import ImageDescription, Precision, TrainConfiguration
from dcign.storage.lock import folder_lock
from dcign.trained.trained_run import TrainedRun

# Steps of the schedule that reaches a mark in dB, at SIZE px.
STEPS: dict[str, dict[float, int]] = {
    "swap-1": {25.7: 14_000, 27.2: 40_000, 28.2: 120_000},
    "swap": {25.7: 4_400, 27.2: 14_000, 28.2: 34_000},
}
SIZE = 64

Plan = Sequence[tuple[float, Sequence[TrainConfiguration]]]  # marks in dB, each with the runs to compare


@one_sentence()
def main() -> None:
    """Parse, train, evaluate, print."""
    given = _parser().parse_args()
    refuse_below(1, seeds=given.seeds)
    refuse_threads(given.threads)
    marks, recipes = _marks(given.marks), _recipes(given.recipes.split(","), given.set)
    device, source = choose_device(given.device), DataSource(given.faces)
    description = source.description()
    half = choose_precision(given.precision, device) == torch.bfloat16
    with tempfile.TemporaryDirectory(prefix="dcign-speedrun-") as temporary:
        out = given.out or Path(temporary)

        def configuration(recipe: Recipe, mark: float, seed: int) -> TrainConfiguration:
            steps = _steps(recipe, mark, description.size) if given.steps is None else given.steps
            return TrainConfiguration(
                str(given.faces),
                str(out / f"{recipe.name.replace(':', '-')},{steps}-{seed}"),
                recipe,
                steps,
                seed,
                device=str(device),
                precision="bfloat16" if half else "float32",
                threads=given.threads,
            )

        plan = [
            (mark, [configuration(recipe, mark, seed) for recipe in recipes])
            for seed in range(given.seeds)
            for mark in marks
        ]
        _refuse(source, description, (run for _, runs in plan for run in runs))
        with folder_lock(out):
            rows = measure(source, plan)
    print(json.dumps(rows, indent=1) if given.json else table(rows))


def measure(source: DataSource, plan: Plan) -> list[Row]:
    """Train the runs of each mark in turn and evaluate them. Returns a row per run."""
    rows: list[Row] = []
    description = source.description()
    batches = functools.cache(lambda: source.training("memory", torch.device(plan[0][1][0].device)))
    for mark, runs in plan:
        missing = [run for run in runs if not is_evaluated(run)]
        if missing:
            train_in_turn(missing, batches(), description)
        for run in missing:
            evaluate(TrainedRun.open(run.out, run.device), run.data, run.threads)
        compared = [row_of_run(run, mark) for run in runs]
        for row in compared:
            for clock in ("cpu", "wall"):
                row[f"ratio_{clock}"] = round(compared[0][f"{clock}_seconds"] / row[f"{clock}_seconds"], 3)
        rows += compared
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speedrun", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faces", type=Path)
    parser.add_argument("--json", action="store_true", help="print a JSON list, one object per run")
    parser.add_argument("--marks", default="25.7,27.2,28.2", help="dB over the head  [%(default)s]")
    parser.add_argument("--recipes", default="swap-1,swap", help="ratios are to the first  [%(default)s]")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each, with seeds 0, 1 ...  [%(default)s]")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads, 0 for one per core  [%(default)s]")
    parser.add_argument("--precision", choices=get_args(Precision), default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="change the last recipe")
    parser.add_argument("--steps", type=int, help=f"of every run  [default: by recipe and mark, for {SIZE} px]")
    parser.add_argument("--out", type=Path, help="keep the runs in this folder  [default: a temporary one]")
    return parser


def _marks(text: str) -> list[float]:
    try:
        marks = [float(word) for word in text.split(",")]
    except ValueError:
        marks = []
    if not marks or not all(map(math.isfinite, marks)):
        raise BenchmarkError(f"expected --marks in dB, found {text!r}: give numbers, e.g. --marks 25.7,27.2.")
    return marks


def _recipes(names: Sequence[str], settings: Sequence[str]) -> list[Recipe]:
    recipes = [recipe_named(name) for name in names]
    recipes[-1] = changed(recipes[-1], read_settings(settings, recipes[-1]))
    if len({recipe.name for recipe in recipes}) < len(recipes):
        raise BenchmarkError(f"expected different --recipes, found {','.join(names)}: name each once.")
    return recipes


def _steps(recipe: Recipe, mark: float, size: int) -> int:
    if size != SIZE:
        raise BenchmarkError(
            f"expected images of {SIZE} px, for which STEPS holds numbers of steps, found {size} px: give --steps N."
        )
    known = STEPS.get(recipe.name.split(",")[0], {})
    if mark not in known:
        choice = f", or choose from {', '.join(f'{each:g}' for each in known)}." if known else "."
        raise BenchmarkError(
            f"expected a mark for which STEPS holds the steps of {recipe.name}, found {mark:g}: give --steps N{choice}"
        )
    return known[mark]


def _refuse(source: DataSource, description: ImageDescription, runs: Iterable[TrainConfiguration]) -> None:
    """Raise unless the data set can be used, and runs that exist are those that are asked for."""
    source.refuse_missing(("train", "test", "iid", "sweep"))
    needed, free = source.training_bytes(), free_memory()
    if needed > free:
        raise BenchmarkError(
            f"expected memory for {gigabytes(needed)} of training images, found {gigabytes(free)} free: use fewer "
            "batches, for example dcign render --batches 1800."
        )
    if source.labelled("test").mask is None:
        raise BenchmarkError("expected masks of the head in the test split, found none: use a data set of faces.")
    for run in runs:
        refuse_other_run(run, description)
