"""Fault injection: what `dcign render` and the readers of its files do about interruptions and damage.

    python -m benchmarks.faults [PART ...] [--kills 50] [--signals 10] [--shards 3000] [--manifests 500]
                                [--alterations 200]

kills: SIGKILLs at random moments, of a run with its workers, of one worker, or of the parent alone; then one run to the
end, which must give the bytes of an undisturbed folder. signals: TERM, HUP and KILL at random moments of `render` and
of `train`, which must say how to continue and end in the bytes and weights of undisturbed runs. harms: shards and other
files that are lost or damaged; `inspect` must name them, and the next run must make them again. disk: a disk that fills
up. cluster: two of four dask workers are killed during a run. shards, manifests: mutated files through `dcign inspect`,
its checks and the reader, in a process of 1 GB (`benchmarks.faults.fuzz`). Good outcomes are intact, found and refused;
everything else is a fault. Peak MB are those of the largest process. alterations: labels, attributes and chunks of
valid shards are changed; inspect, export, encode and train must name each (`benchmarks.faults.alterations`).
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import IO, Any

from benchmarks.errors import BenchmarkError, one_sentence
from benchmarks.faults import injection, stopping
from benchmarks.faults.alterations import alter_in
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce.production import render_dataset

PARTS = ("kills", "harms", "disk", "cluster", "shards", "manifests", "alterations", "signals")
SMALL = RenderConfiguration(Splits(train=3, test=2, iid=1, sweep_levels=(1, 1, 1)), size=16)
SILENCE = 300  # seconds without output after which a process counts as hanging


@one_sentence()
def main() -> None:
    """Run the parts and print their results. Exits with 1 if there was a fault."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}  [default: all]")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--signals", type=int, default=10, help="to render, and as many to train")
    parser.add_argument("--shards", type=int, default=3000)
    parser.add_argument("--manifests", type=int, default=500)
    parser.add_argument("--alterations", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work  [default: a temporary folder]")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        raise BenchmarkError(f"expected a part, found {sorted(unknown)[0]!r}: choose from {', '.join(PARTS)}.")
    results = {}
    with tempfile.TemporaryDirectory(prefix="dcign-faults-") as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for part in given.parts or PARTS:
            results[part] = _run(part, folder, given)
            print(json.dumps({part: results[part]}, indent=1), flush=True)
    if any(result["faults"] for result in results.values()):
        raise BenchmarkError("expected no faults, found some: see above.")


def _run(part: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:  # JSON
    if part == "kills":
        return injection.kill_runs(folder, given.kills, given.seed)
    if part == "signals":
        rendering = stopping.stop_renders(folder, given.signals, given.seed)
        training = stopping.stop_trainings(folder, given.signals, given.seed)
        return {"render": rendering, "train": training, "faults": rendering.pop("faults") + training.pop("faults")}
    if part == "harms":
        return injection.damage_files(folder, given.seed)
    if part == "disk":
        return injection.fill_disk(folder)
    if part == "cluster":
        return injection.kill_workers(folder, given.seed)
    if part == "alterations":
        return alter_in(folder, given.alterations, given.seed)
    return fuzz_files(folder, part, given.seed, getattr(given, part))


def fuzz_files(folder: Path, kind: str, seed: int, count: int) -> dict[str, Any]:  # JSON
    """Test `count` mutated files in a process. If one ends the process, a new process continues with the next."""
    small_faces(folder / "faces")
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    peak = number = 0
    while number < count:
        arguments = (folder, kind, seed, number, count - number)
        command = [sys.executable, "-m", "benchmarks.faults.fuzz", *map(str, arguments)]
        with (
            tempfile.TemporaryFile() as errors,  # an unread pipe would fill up and block the process
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,
        ):
            assert process.stdout is not None  # a pipe
            for line in _lines(process.stdout):
                if "outcome" in line:
                    outcomes[line["outcome"]] += 1
                    number = line["number"] + 1
                    if line["outcome"] == "wrong":
                        faults.append(f"{line['number']}, {line['mutation']}: {line['message']}")
                peak = max(peak, line.get("kilobytes", 0))
            process.kill()
            if number < count:
                outcomes["died"] += 1
                errors.seek(0)
                faults.append(f"{number} ended the process: {errors.read()[-1500:].decode(errors='replace')}")
                number += 1
    return {"mutants": count, "outcomes": dict(outcomes), "peak MB": peak // 1000, "faults": faults}


def _lines(pipe: IO[bytes]) -> Any:  # JSON objects, until the pipe ends or nothing comes for `SILENCE` seconds
    while select.select([pipe], [], [], SILENCE)[0]:
        line = pipe.readline()
        if not line:
            return
        yield json.loads(line)


def small_faces(folder: Path) -> None:
    """Render a data set of a few batches unless it is there."""
    from dcign.facegen.build import procedural_model

    if not (folder / "dataset.json").exists():
        render_dataset(folder, SMALL, procedural_model, worker_count=1, progress=lambda made, wanted: None)
