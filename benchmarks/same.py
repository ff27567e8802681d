"""Does the working tree make the same bytes as an earlier revision? Data sets and short trainings of both, compared.

    python -m benchmarks.same --against REV

The code of REV is checked out beside the working tree. Both render the same small data sets and train every recipe for
a few steps, each with its own cache. The hashes of shards, model files and checkpoints are compared. Then the working
tree opens what REV made. Exits with code 1 if anything differs or cannot be opened.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from safetensors import safe_open

from benchmarks.errors import BenchmarkError, one_sentence

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ("swap", "paper", "released", "vae", "beta-vae", "ada-gvae")
STEPS = 50
PATIENCE = 1800  # seconds that one training may take
OBJECTS = 40
DATA_SETS: dict[str, tuple[str, ...]] = {
    "faces": ("--size", "64"),
    "colour": ("--size", "48", "--channels", "3", "--truth", "all", "--background", "random"),
    "objects": ("--size", "32", "--meshes", "meshes"),
    "further": ("--size", "32", "--vary", "light_elevation", "--distance", "800", "1100", "--hair", "none"),
}
COMPARED = (".h5", ".npz")  # files whose bytes must be equal; prose and pictures of a data set card may change


@dataclass(frozen=True)
class Side:
    """One of the two revisions: its code, and the folder in which its commands run."""

    code: Path
    folder: Path

    @property
    def command(self) -> list[str]:
        """How this revision's command line is started: until 0.1.0 its module was named `cli`."""
        module = "dcign.cli" if (self.code / "dcign" / "cli.py").exists() else "cli"
        return [sys.executable, "-m", module]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its commands: its own code first on the path, and its own cache."""
        return os.environ | {"PYTHONPATH": str(self.code), "DCIGN_CACHE": str(self.folder / "cache")}

    def run(self, *words: str) -> None:
        """Run `dcign WORDS` in this side's folder. Raises BenchmarkError if it fails."""
        done = subprocess.run(
            [*self.command, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise BenchmarkError(f"dcign {' '.join(words)} failed with the code in {self.code}: {done.stderr.strip()}")


def main() -> None:
    """Make everything twice, compare it, print a table and exit with 1 if a row differs."""
    options = _options()
    with one_sentence(), _two_sides(options.against, options.keep) as (then, now):
        with ThreadPoolExecutor(2) as both:
            made_then, made_now = both.map(_make, (then, now))
        differing = sorted(name for name in made_then | made_now if made_then.get(name) != made_now.get(name))
        unread = [] if options.no_reading else _unread(then, now)
        if options.json:
            print(json.dumps({"compared": len(made_then), "differing": differing, "unreadable": unread}, indent=1))
        else:
            _print_table(made_then, differing, unread)
        if differing or unread:
            sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", required=True, metavar="REV", help="the revision to compare with")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work here and keep what is made")
    parser.add_argument("--no-reading", action="store_true", help="do not open what REV made with today's code")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


@contextmanager
def _two_sides(revision: str, keep: Path | None) -> Iterator[tuple[Side, Side]]:
    """Check out `revision`, and make an empty folder for each side. Everything is removed at the end, unless kept."""
    if keep is not None and keep.exists():
        raise BenchmarkError(f"expected a new folder, found {keep}: remove it or choose another --keep.")
    top = keep.resolve() if keep is not None else Path(tempfile.mkdtemp(prefix="dcign-same-"))
    top.mkdir(parents=True, exist_ok=True)
    code = top / "code"
    try:
        _git("worktree", "add", "--detach", str(code), revision)
        sides = Side(code, top / "then"), Side(ROOT, top / "now")
        for side in sides:
            write_objects(side.folder / "meshes")
        yield sides
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(code)], cwd=ROOT, capture_output=True)
        if keep is None:
            shutil.rmtree(top, ignore_errors=True)


def _git(*words: str) -> None:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"expected a revision that git can check out, found an error: {done.stderr.strip()}")


def write_objects(folder: Path) -> None:
    """Write boxes and cylinders of many proportions and colours, the smallest number that makes a data set."""
    folder.mkdir(parents=True)
    for number in range(OBJECTS):
        rng = np.random.default_rng(number)
        extents = rng.uniform(0.3, 1.0, 3)
        mesh = trimesh.creation.box(extents) if number % 2 else trimesh.creation.cylinder(extents[0], extents[1])
        mesh.visual.vertex_colors = [*rng.integers(60, 250, 3), 255]
        mesh.export(folder / f"object-{number:02d}.ply")


def _make(side: Side) -> dict[str, str]:
    """Render every data set and train every recipe. Returns the hash of each file that must be equal, by its name."""
    hashes = {}
    for name, options in DATA_SETS.items():
        side.run("render", "--batches", "10", "--out", name, "--workers", "1", *options)
        for path in sorted((side.folder / name).rglob("*")):
            if path.suffix in COMPARED:
                hashes[str(path.relative_to(side.folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    for recipe in RECIPES:
        hashes[f"runs/{recipe}"] = _trained(side, recipe)
    return hashes


def _trained(side: Side, recipe: str) -> str:
    """Train for `STEPS` steps, and stop before the evaluation, which takes longer. Returns the weights' hash."""
    run = side.folder / "runs" / recipe
    words = ["train", "faces", "--recipe", recipe, "--steps", str(STEPS), "--threads", "1", "--out", f"runs/{recipe}"]
    training = subprocess.Popen(
        [*side.command, *words],
        cwd=side.folder,
        env=side.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + PATIENCE
        while (state := _state(run / "checkpoint.safetensors")) is None:
            if training.poll() is not None or time.monotonic() > until:
                said = training.communicate()[1].decode() if training.returncode is not None else "it took too long"
                raise BenchmarkError(f"dcign {' '.join(words)} failed with the code in {side.code}: {said.strip()}")
            time.sleep(0.2)
    finally:
        training.send_signal(signal.SIGKILL)
        training.communicate()
    return state


def _state(checkpoint: Path) -> str | None:
    """Hash a checkpoint's tensors by name, or None if the last step's checkpoint is not there yet."""
    if not checkpoint.exists():
        return None
    with safe_open(checkpoint, "numpy") as file:
        if json.loads(file.metadata()["dcign"])["step"] != STEPS:
            return None
        digest = hashlib.sha256()
        for name in sorted(file.keys()):
            digest.update(name.encode() + file.get_tensor(name).tobytes())
    return digest.hexdigest()


def _unread(then: Side, now: Side) -> list[str]:
    """Open what `then` made with the code of `now`. Returns a line for each command that failed."""
    theirs = Side(now.code, then.folder)
    then.run("evaluate", "runs/swap", "--threads", "1")
    then.run("export", "runs/swap", "--to", "hub", "--out", "exported")
    picture = "faces/preview.png"
    commands: list[tuple[str, ...]] = [
        *(("inspect", name, "--verify") for name in DATA_SETS),
        ("render", "--batches", "10", "--out", "faces", "--workers", "1", *DATA_SETS["faces"]),
        ("encode", "runs/swap", "faces", "--split", "test", "--out", "codes.npz"),
        ("encode", "exported", "faces", "--split", "test", "--out", "codes-of-export.npz"),
        ("edit", "runs/swap", picture, "--azimuth", "30", "--out", "edited.png"),
        ("edit", "exported", picture, "--azimuth", "30", "--out", "edited-by-export.png"),
        ("train", "--out", "runs/swap", "--resume"),
        ("compare", "runs/swap"),
        ("export", "faces", "--to", "npz", "--out", "faces-npz"),
    ]
    failed = []
    for words in commands:
        try:
            theirs.run(*words)
        except BenchmarkError as error:
            failed.append(str(error))
    return failed


def _print_table(made: dict[str, Any], differing: list[str], unread: list[str]) -> None:
    for name in sorted(made):
        print(f"{'DIFFERS' if name in differing else 'equal':8} {name}")
    for name in sorted(set(differing) - set(made)):
        print(f"{'NEW':8} {name}")
    for line in unread:
        print(f"UNREAD   {line}")
    print(f"{len(made) - len(differing)} of {len(made)} equal, {len(unread)} of what REV made cannot be opened.")


if __name__ == "__main__":
    main()
