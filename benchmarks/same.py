"""Compare what this code makes with what an earlier revision made: data sets and short trainings, byte for byte.

    python -m benchmarks.same --against REV

REV is checked out beside the working tree. Both revisions render the same small data sets and train every recipe for a
few steps, each with its own cache. The hashes of shards, model files and trained weights are compared. Then today's
code opens what REV made. Exits with code 1 if anything differs or cannot be opened.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from safetensors import safe_open

from benchmarks.errors import BenchmarkError, one_sentence

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ("swap", "swap-1", "paper", "released", "vae", "beta-vae", "ada-gvae")
STEPS = 50
TRAINING_SECONDS = 1800  # the longest time that one training may take
OBJECTS = 40
DATA_SETS: dict[str, tuple[str, ...]] = {
    "faces": ("--size", "64"),
    "colour": ("--size", "48", "--channels", "3", "--truth", "all", "--background", "random"),
    "objects": ("--size", "32", "--meshes", "meshes"),
    "further": ("--size", "32", "--vary", "light_elevation", "--distance", "800", "1100", "--hair", "none"),
}
COMPARED = (".h5", ".npz")  # the text and the pictures of a data set card may change


@dataclass(frozen=True)
class Side:
    """One of the two revisions: its code, and the folder in which its commands run."""

    code: Path
    folder: Path

    @property
    def command(self) -> list[str]:
        """The start of this revision's command line. Up to 0.1.0 the module was named `cli`."""
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
            raise self.failure(words, done.stderr)

    def failure(self, words: tuple[str, ...], reason: str) -> BenchmarkError:
        """Return the error of a command of this side."""
        return BenchmarkError(f"dcign {' '.join(words)} failed with the code in {self.code}: {reason.strip()}")


def main() -> None:
    """Make everything with both revisions, compare it, and print the verdicts."""
    options = _options()
    with one_sentence(), _two_sides(options.against, options.keep) as (then, now):
        with ThreadPoolExecutor(2) as pool:
            verdicts = compare(*pool.map(_make, (then, now)))
        unreadable = [] if options.no_reading else _unreadable(then, now)
    differing = [name for name, verdict in verdicts.items() if verdict != "equal"]
    if options.json:
        print(json.dumps({"compared": len(verdicts), "differing": differing, "unreadable": unreadable}, indent=1))
    else:
        for name, verdict in [*verdicts.items(), *((failure, "UNREADABLE") for failure in unreadable)]:
            print(f"{verdict:10} {name}")
        print(f"{len(verdicts) - len(differing)} of {len(verdicts)} equal, {len(unreadable)} commands failed.")
    if differing or unreadable:
        sys.exit(1)


def compare(then: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """Return a verdict for each file of two sets of hashes: equal, DIFFERS, MISSING (only then) or NEW (only now)."""

    def verdict(name: str) -> str:
        if name not in now:
            return "MISSING"
        if name not in then:
            return "NEW"
        return "equal" if then[name] == now[name] else "DIFFERS"

    return {name: verdict(name) for name in sorted(then | now)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", required=True, metavar="REV", help="the revision to compare with")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work here and keep what is made")
    parser.add_argument("--no-reading", action="store_true", help="do not open what REV made with today's code")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


@contextmanager
def _two_sides(revision: str, keep: Path | None) -> Iterator[tuple[Side, Side]]:
    """Check out `revision` and make a folder for each side. Removes everything at the end unless `keep` is given."""
    if keep is not None and keep.exists():
        raise BenchmarkError(f"expected a new folder, found {keep}: remove it or choose another --keep.")
    if _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").returncode:
        raise BenchmarkError(f"expected a revision of {ROOT}, found {revision!r}: name a commit, a branch or a tag.")
    with tempfile.TemporaryDirectory(prefix="dcign-same-", ignore_cleanup_errors=True) as temporary:
        top = (keep or Path(temporary)).resolve()
        code = top / "code"
        try:
            _git("worktree", "add", "--detach", str(code), revision).check_returncode()
            sides = Side(code, top / "then"), Side(ROOT, top / "now")
            for side in sides:
                write_objects(side.folder / "meshes")
            yield sides
        finally:
            _git("worktree", "remove", "--force", str(code))


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)


def write_objects(folder: Path) -> None:
    """Write 40 boxes and cylinders of many proportions and colours: as few as make a data set."""
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
    return hashes | {f"runs/{recipe}": _trained(side, recipe) for recipe in RECIPES}


def _trained(side: Side, recipe: str) -> str:
    """Train for `STEPS` steps, and stop before the evaluation, which takes longer. Returns the weights' hash."""
    out = f"runs/{recipe}"
    words = ("train", "faces", "--recipe", recipe, "--steps", str(STEPS), "--threads", "1", "--out", out)
    until = time.monotonic() + TRAINING_SECONDS
    with tempfile.TemporaryFile("w+") as errors:
        training = subprocess.Popen(
            [*side.command, *words], cwd=side.folder, env=side.environment, stderr=errors, stdout=subprocess.DEVNULL
        )
        try:
            while (state := _state(side.folder / out / "checkpoint.safetensors")) is None:
                if training.poll() is not None or time.monotonic() > until:
                    errors.seek(0)
                    raise side.failure(words, errors.read() or f"it took more than {TRAINING_SECONDS} seconds")
                time.sleep(0.2)
        finally:
            training.kill()
            training.wait()
    return state


def _state(checkpoint: Path) -> str | None:
    """Return a hash of a checkpoint's tensors and their names, or None if the last step's checkpoint is not there."""
    if not checkpoint.exists():
        return None
    with safe_open(checkpoint, "numpy") as file:
        if json.loads(file.metadata()["dcign"])["step"] != STEPS:
            return None
        digest = hashlib.sha256()
        for name in sorted(file.keys()):
            digest.update(name.encode() + file.get_tensor(name).tobytes())
    return digest.hexdigest()


def _unreadable(then: Side, now: Side) -> list[str]:
    """Open what `then` made with the code of `now`. Returns a sentence for each command that failed."""
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
    failures = []
    for words in commands:
        try:
            Side(now.code, then.folder).run(*words)
        except BenchmarkError as error:
            failures.append(str(error))
    return failures


if __name__ == "__main__":
    main()
