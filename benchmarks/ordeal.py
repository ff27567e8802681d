"""Put mutants through `dcign inspect`, `--verify` and the reader, with 1 GB of memory, and say what became of each.

    python -m benchmarks.ordeal FOLDER KIND SEED FIRST COUNT

KIND is shards or manifests. FOLDER holds a small data set, `faces`; mutants are made beside it. A line of JSON each:
its number, what was done to it, and how it ended: whole (nothing to find), found, refused, or what went wrong: a
traceback, or words that are no sentence. What ends this process is its caller's to see (`benchmarks.faults`).
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

from benchmarks.mutants import Kernel, mutate_shard, mutate_text, shard_kernel, text_kernel
from dcign import cli
from dcign.data.dataset.reader import FaceDataset, Shard
from dcign.data.shard import sandbox
from dcign.errors import DataError, ModelError, RenderError
from dcign.render.produce.redraw import check_shard_pixels, pixel_task
from dcign.render.produce.worker_pool import ENVIRONMENT

MEMORY = 1 << 30  # bytes
SENTENCES = (DataError, RenderError, ModelError)
LONGEST = 1000  # characters of a sentence


def main() -> None:
    """Run the mutants of this part."""
    folder, kind, seed, first, count = Path(sys.argv[1]), sys.argv[2], *(int(word) for word in sys.argv[3:6])
    os.environ.update(ENVIRONMENT)
    kernels = _kernels(folder / "faces", kind)
    own = folder / f"mutants-{os.getpid()}"
    shutil.copytree(folder / "faces", own / "faces")
    faulthandler.enable()
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number in range(first, first + count):
        print(json.dumps({"begun": number}), flush=True)
        ended = ordeal(own, kernels, kind, seed, number)
        print(json.dumps({"number": number, **ended}), flush=True)
    shutil.rmtree(own)
    sandbox.close()  # so that it and its children are waited for, and count
    # Its own from /proc: getrusage's is at least what the process was that started this one.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    peaks = int(peak[1]) if peak else 0, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps({"kilobytes": max(peaks)}), flush=True)


def ordeal(folder: Path, kernels: list[Kernel], kind: str, seed: int, number: int) -> dict[str, str]:
    """One mutant: what was done, and how it ended."""
    kernel = kernels[number % len(kernels)]
    if kind == "shards":
        path = folder / "faces" / "train" / "shard-00000.h5"
        done = _made_apart(lambda: mutate_shard(kernel, path, seed, number))
        trials = [_inspected(path, "--quick"), _read(path), _drawn_again(path)]
        if number % 10 == 0:
            trials += [_inspected(path), _inspected(folder / "faces", "--quick")]
    else:
        path = folder / "faces" / "dataset.json"
        done = mutate_text(kernel, path, seed, number)
        trials = [_inspected(path.parent, "--quick"), _inspected(path.parent), _loaded(path.parent)]
    ends = [_end(trial) for trial in trials]
    order = ("wrong", "found", "refused", "whole")
    kind_of_end, said = min(ends, key=lambda end: order.index(end[0]))
    return {"done": done, "end": kind_of_end, "said": said}


def _made_apart(make: Callable[[], str]) -> str:
    """Make a mutant in a forked process: HDF5 was seen to crash on what it had been made to write before."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of OpenGL's threads, which the child does not need
        child = os.fork()
    if not child:
        faulthandler.disable()
        try:
            os.write(writing, make().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        done = pipe.read()
    os.waitpid(child, 0)
    return done or "HDF5 died of making it"


def _kernels(faces: Path, kind: str) -> list[Kernel]:
    if kind == "manifests":
        return [text_kernel(faces / "dataset.json")]
    return [shard_kernel(faces / split / "shard-00000.h5") for split in ("train", "test")]


def _end(trial: Callable[[], Iterator[str]]) -> tuple[str, str]:
    """How a trial ended, and what was said."""
    try:
        findings = list(trial())
    except SENTENCES as error:
        return _judged("refused", str(error))
    except Exception:
        return "wrong", traceback.format_exc()[-2000:]
    return _judged("found", findings[0]) if findings else ("whole", "")


def _judged(end: str, said: str) -> tuple[str, str]:
    """Whether what was said is a sentence to show to a person."""
    fine = (said.isprintable() and said.endswith((".", "`"))) or (end == "found" and said.isprintable())
    return (end, said[:LONGEST]) if fine and len(said) <= LONGEST else ("wrong", f"no sentence: {said!r}"[:2000])


def _inspected(path: Path, *options: str) -> Callable[[], Iterator[str]]:
    """`dcign inspect PATH OPTIONS`, all that it prints."""

    def trial() -> Iterator[str]:
        result = CliRunner().invoke(cli.dcign, ["inspect", str(path), *options])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if result.exit_code == 0:
            return
        lines = result.output.replace(str(path.parent), "").splitlines()
        said = [line for line in lines if line.startswith(("Error: ", "WRONG", "UNREADABLE"))]
        if result.exit_code not in (1, 2) or not said:
            raise AssertionError(f"exit code {result.exit_code}: {result.output[-500:]}")
        yield "".join(letter for letter in said[0] if letter != "\n")

    return trial


def _read(path: Path) -> Callable[[], Iterator[str]]:
    """The reader, every batch of it."""

    def trial() -> Iterator[str]:
        with Shard(path) as shard:
            for batch in shard.batches():
                assert batch.images.shape[0] == len(batch.factors)
        return iter(())

    return trial


def _drawn_again(path: Path) -> Callable[[], Iterator[str]]:
    """What `--verify` does in its workers, if it would."""

    def trial() -> Iterator[str]:
        task = pixel_task(path)
        return iter([str(finding) for finding in check_shard_pixels(task)] if task else [])

    return trial


def _loaded(folder: Path) -> Callable[[], Iterator[str]]:
    """Every split of a folder, whole in memory."""

    def trial() -> Iterator[str]:
        dataset = FaceDataset(folder)
        for split in dataset.splits:
            dataset.load(split)
        return iter(())

    return trial


if __name__ == "__main__":
    main()
