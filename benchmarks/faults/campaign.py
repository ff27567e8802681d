"""Accidents, many of them: what `dcign render` and the readers of its files make of each.

    python -m benchmarks.faults [PART ...] [--kills 50] [--shards 3000] [--manifests 500]

kills: so many SIGKILLs at random moments, of a run and its workers, of a worker, of the parent alone, then one clean
run: the same bytes as a folder left alone. harms: shards and other files lost or damaged, named by `inspect` and made
again. disk: a disk that fills up. cluster: two of four dask workers killed during a run. shards, manifests: mutants
through `dcign inspect`, its checks and the reader, in a process of 1 GB (`benchmarks.faults.fuzz`); whole, found, refused
are good ends, everything else is a fault. Peak MB are those of the largest process.
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
from benchmarks.faults import interruptions
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce.production import render_dataset

PARTS = ("kills", "harms", "disk", "cluster", "shards", "manifests")
SMALL = RenderConfiguration(Splits(train=3, test=2, iid=1, sweep_levels=(1, 1, 1)), size=16)
HANGS = 300  # seconds without a word


@one_sentence()
def main() -> None:
    """Parse, run, print; exit with 1 if there was a fault."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}  [default: all]")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--shards", type=int, default=3000)
    parser.add_argument("--manifests", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work  [default: a temporary folder]")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        raise BenchmarkError(f"there is no part {sorted(unknown)[0]!r}: choose of {', '.join(PARTS)}.")
    results = {}
    with tempfile.TemporaryDirectory(prefix="dcign-faults-") as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for part in given.parts or PARTS:
            results[part] = _run(part, folder, given)
            print(json.dumps({part: results[part]}, indent=1), flush=True)
    if any(result["faults"] for result in results.values()):
        sys.exit("There were faults: see above.")


def _run(part: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:  # JSON
    if part == "kills":
        return interruptions.killed(folder, given.kills, given.seed)
    if part == "harms":
        return interruptions.robbed(folder, given.seed)
    if part == "disk":
        return interruptions.starved(folder)
    if part == "cluster":
        return interruptions.lost_workers(folder, given.seed)
    return put_through(folder, part, given.seed, getattr(given, part))


def put_through(folder: Path, kind: str, seed: int, count: int) -> dict[str, Any]:  # JSON
    """`count` mutants through the ordeal; after each that ends it, it goes on with the next."""
    small_faces(folder / "faces")
    ends: Counter[str] = Counter()
    faults: list[str] = []
    peak = number = 0
    while number < count:
        words = (folder, kind, seed, number, count - number)
        command = [sys.executable, "-m", "benchmarks.faults.fuzz", *(str(word) for word in words)]
        with (
            tempfile.TemporaryFile() as said,  # a pipe that nobody reads would fill up, and hold the ordeal
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as ordeal,
        ):
            assert ordeal.stdout is not None  # a pipe
            for about in _lines(ordeal.stdout):
                if "end" in about:
                    ends[about["end"]] += 1
                    number = about["number"] + 1
                    if about["end"] == "wrong":
                        faults.append(f"{about['number']}, {about['done']}: {about['said']}")
                peak = max(peak, about.get("kilobytes", 0))
            ordeal.kill()
            if number < count:
                ends["died"] += 1
                said.seek(0)
                faults.append(f"{number} ended the process: {said.read()[-1500:].decode(errors='replace')}")
                number += 1
    return {"mutants": count, "ends": dict(ends), "peak MB": peak // 1000, "faults": faults}


def _lines(pipe: IO[bytes]) -> Any:  # JSON objects, until there are no more, or none comes
    while select.select([pipe], [], [], HANGS)[0]:
        line = pipe.readline()
        if not line:
            return
        yield json.loads(line)


def small_faces(folder: Path) -> None:
    """A data set of a few batches, if it is not there yet."""
    from dcign.facegen.build import procedural_model

    if not (folder / "dataset.json").exists():
        render_dataset(folder, SMALL, procedural_model, worker_count=1, progress=lambda made, wanted: None)
