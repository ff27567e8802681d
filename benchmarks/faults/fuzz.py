"""Fuzz campaign: test mutated files with `dcign inspect`, `--verify` and the reader, in a process of 1 GB of memory.

    python -m benchmarks.faults.fuzz FOLDER KIND SEED FIRST COUNT

KIND is shards or manifests. FOLDER holds a small data set, `faces`; mutated files are made beside it. Prints one line
of JSON per file: its number, its mutation and its outcome. Outcomes are intact (nothing wrong to find), found, refused,
and wrong: a traceback, or a message that is not one sentence. The caller sees if this process dies
(`benchmarks.faults.campaign`).
"""

from __future__ import annotations

import faulthandler
import json
import os
import re
import resource
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from click.testing import CliRunner

from benchmarks.faults.mutations import Original, mutate_shard, mutate_text, read_shard, read_text
from dcign import cli
from dcign.data.dataset.reader import FaceDataset
from dcign.data.shard import sandbox
from dcign.data.shard.reader import Shard
from dcign.errors import DcignError
from dcign.render.produce.verification import check_shard_pixels, pixel_task
from dcign.render.produce.worker_pool import ENVIRONMENT

MEMORY = 1 << 30  # bytes
WORST_FIRST = ("wrong", "found", "refused", "intact")
LONGEST = 1000  # characters of one sentence


def main() -> None:
    """Test the mutated files of this process."""
    folder, kind, seed, first, count = Path(sys.argv[1]), sys.argv[2], *(int(word) for word in sys.argv[3:6])
    os.environ.update(ENVIRONMENT)
    originals = _originals(folder / "faces", kind)
    own = folder / f"mutants-{os.getpid()}"
    shutil.copytree(folder / "faces", own / "faces")
    faulthandler.enable()
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number in range(first, first + count):
        print(json.dumps({"started": number}), flush=True)
        result = try_mutant(own, originals, kind, seed, number)
        print(json.dumps({"number": number, **result}), flush=True)
    shutil.rmtree(own)
    sandbox.close()  # waits for its processes, so that their memory counts
    # The peak of this process comes from /proc: getrusage also counts the process that started this one.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    peaks = int(peak[1]) if peak else 0, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps({"kilobytes": max(peaks)}), flush=True)


def try_mutant(folder: Path, originals: list[Original], kind: str, seed: int, number: int) -> dict[str, str]:
    """Mutate a file, test it in every way, and return its mutation and its worst outcome."""
    original = originals[number % len(originals)]
    if kind == "shards":
        path = folder / "faces" / "train" / "shard-00000.h5"
        mutation = _in_fork(lambda: mutate_shard(original, path, seed, number))
        trials = [_inspect(path, "--quick"), _read_batches(path), _draw_again(path)]
        if number % 10 == 0:
            trials += [_inspect(path), _inspect(folder / "faces", "--quick")]
    else:
        path = folder / "faces" / "dataset.json"
        mutation = mutate_text(original, path, seed, number)
        trials = [_inspect(path.parent, "--quick"), _inspect(path.parent), _load(path.parent)]
    outcome, message = min(map(_outcome, trials), key=lambda result: WORST_FIRST.index(result[0]))
    return {"mutation": mutation, "outcome": outcome, "message": message}


def _in_fork(mutate: Callable[[], str]) -> str:
    """Mutate a file in a forked process: HDF5 may crash on damaged files that the same process wrote."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # Python warns of forks with threads; the child needs none of OpenGL's
        child = os.fork()
    if not child:
        faulthandler.disable()
        try:
            os.write(writing, mutate().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        mutation = pipe.read()
    os.waitpid(child, 0)
    return mutation or "HDF5 crashed in the mutation"


def _originals(faces: Path, kind: str) -> list[Original]:
    if kind == "manifests":
        return [read_text(faces / "dataset.json")]
    return [read_shard(faces / split / "shard-00000.h5") for split in ("train", "test")]


def _outcome(trial: Callable[[], Iterator[str]]) -> tuple[str, str]:
    """Return the outcome of a trial, and its message."""
    try:
        findings = list(trial())
    except DcignError as error:
        return _checked("refused", str(error))
    except Exception:
        return "wrong", traceback.format_exc()[-2000:]
    return _checked("found", findings[0]) if findings else ("intact", "")


def _checked(outcome: str, message: str) -> tuple[str, str]:
    """Return the outcome, or wrong if the message is not one printable sentence."""
    good = message.isprintable() and (outcome == "found" or message.endswith((".", "`")))
    return (outcome, message) if good and len(message) <= LONGEST else ("wrong", f"no sentence: {message!r}"[:2000])


def _inspect(path: Path, *options: str) -> Callable[[], Iterator[str]]:
    """Run `dcign inspect PATH OPTIONS`, and yield its first finding."""

    def trial() -> Iterator[str]:
        result = CliRunner().invoke(cli.dcign, ["inspect", str(path), *options])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if result.exit_code == 0:
            return
        lines = result.output.replace(str(path.parent), "").splitlines()
        found = [line for line in lines if line.startswith(("Error: ", "WRONG", "UNREADABLE"))]
        if result.exit_code not in (1, 2) or not found:
            raise AssertionError(f"exit code {result.exit_code}: {result.output[-500:]}")
        yield "".join(letter for letter in found[0] if letter != "\n")

    return trial


def _read_batches(path: Path) -> Callable[[], Iterator[str]]:
    """Read every batch of a shard."""

    def trial() -> Iterator[str]:
        with Shard(path) as shard:
            for batch in shard.batches():
                assert batch.images.shape[0] == len(batch.factors)
        return iter(())

    return trial


def _draw_again(path: Path) -> Callable[[], Iterator[str]]:
    """Draw every batch of a shard again, as the workers of `--verify` do."""

    def trial() -> Iterator[str]:
        task = pixel_task(path)
        return iter([str(finding) for finding in check_shard_pixels(task)] if task else [])

    return trial


def _load(folder: Path) -> Callable[[], Iterator[str]]:
    """Load every split of a folder into memory."""

    def trial() -> Iterator[str]:
        dataset = FaceDataset(folder)
        for split in dataset.splits:
            dataset.load(split)
        return iter(())

    return trial


if __name__ == "__main__":
    main()
