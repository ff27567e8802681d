"""The recipes on the data sets that papers share.

    python -m benchmarks.shared_sets OUT --shapes3d 3dshapes.h5 [--dsprites dsprites.npz] [--mpi3d mpi3d_toy.npz]
                                         [--cars3d FOLDER] [--smallnorb FOLDER]
    python -m benchmarks.shared_sets --make-stand-in FILE.h5 [--hues 4]

Each file is imported into OUT/SET, and each recipe is trained with each seed in OUT/runs/SET/RECIPE-SEED. The table
that papers print goes to the terminal and to OUT/tables.md, with a column that says what each recipe is told. Evaluated
runs are skipped, and interrupted runs continue. Runs take one thread each, one after another. The originals are not
downloaded. --make-stand-in writes a file in 3D Shapes' layout, drawn by our own renderer: 480,000 images, or fewer with
--hues.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.errors import BenchmarkError, one_sentence, refuse_below
from benchmarks.shared_sets.sets import RECIPES, SETS, SharedSet, import_words, training_words
from benchmarks.shared_sets.table import markdown_table

EVALUATION = "evaluation.json"


@one_sentence()
def main() -> None:
    """Parse the options and run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.shared_sets",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", nargs="?", type=Path, help="the folder for data sets and runs")
    for each in SETS:
        parser.add_argument(f"--{each.word}", metavar="SOURCE", help=f"what `dcign import` reads of {each.title}")
    parser.add_argument("--recipes", default=",".join(RECIPES), help="with commas between them [%(default)s]")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each recipe, with seeds 0, 1 ... [3]")
    parser.add_argument("--steps", type=int, help="gradient steps [each recipe's own]")
    parser.add_argument("--make-stand-in", type=Path, metavar="FILE.h5", help="write the stand-in and end")
    parser.add_argument("--hues", type=int, default=10, help="of floor, wall and object, in the stand-in [10]")
    given = parser.parse_args()
    if given.make_stand_in is not None:
        _make(given.make_stand_in, given.hues)
        return
    refuse_below(1, seeds=given.seeds, steps=1 if given.steps is None else given.steps)
    sources = {each: getattr(given, each.word) for each in SETS if getattr(given, each.word)}
    if given.out is None or not sources:
        options = ", ".join(f"--{each.word}" for each in SETS)
        raise BenchmarkError(f"expected OUT and one of {options}, found less: name a folder and a source.")
    recipes = [name for word in given.recipes.split(",") if (name := word.strip())]
    tables = [_measure(each, source, given.out, recipes, given.seeds, given.steps) for each, source in sources.items()]
    (given.out / "tables.md").write_text("\n".join(tables))
    print("\n".join(tables))


def _make(path: Path, hues: int) -> None:
    """Write the stand-in."""
    from benchmarks.shared_sets.stand_in import make_stand_in

    refuse_below(2, hues=hues)
    if path.exists():
        raise BenchmarkError(f"{path} is there already; expected a free name: remove it, or choose another.")
    count = make_stand_in(path, hues=hues)
    print(f"{path}: {count:,} images.")


def _measure(each: SharedSet, source: str, out: Path, recipes: list[str], seeds: int, steps: int | None) -> str:
    """Import a set, train and evaluate what is missing, and return its table."""
    data = out / each.word
    if not data.exists():
        _dcign(import_words(each, source, str(data)))
    runs = {recipe: [out / "runs" / each.word / f"{recipe}-{seed}" for seed in range(seeds)] for recipe in recipes}
    for seed in range(seeds):  # the first seed of all recipes, then the second
        for recipe in recipes:
            folder = runs[recipe][seed]
            if not (folder / EVALUATION).exists():
                words = training_words(str(data), str(folder), recipe, seed, steps)
                _dcign([*words, "--resume"] if folder.exists() else words)
    return markdown_table(each.title, runs)


def _dcign(words: list[str]) -> None:
    """Run a command of dcign in a process of its own. Raises BenchmarkError if it fails."""
    print("dcign", *words, flush=True)
    done = subprocess.run([sys.executable, "-m", "dcign.cli", *words], check=False)
    if done.returncode:
        raise BenchmarkError(
            f"expected exit code 0 of `dcign {' '.join(words)}`, found {done.returncode}: see what it printed."
        )
