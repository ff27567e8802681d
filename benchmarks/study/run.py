"""The studies of docs/results.md: every recipe at equal compute, `swap` without each ingredient, at length, at 150 px.

    python -m benchmarks.study recipes FACES OUT [--seeds 3] [--workers 2] [--only swap,vae]
    python -m benchmarks.study ablation FACES OUT [--seeds 1]
    python -m benchmarks.study swap FACES OUT [--seeds 3]
    python -m benchmarks.study large FACES150 OUT150 [--seeds 1]
    python -m benchmarks.study evaluate FACES OUT      evaluate finished runs again with today's code
    python -m benchmarks.study tables FACES OUT        fill the tables of docs/results.md

Each run is one `dcign train` with one thread in OUT/STUDY/RUN, with its output in RUN.log beside it. --workers sets how
many run at once. Evaluated runs are skipped, and interrupted runs continue. --list prints the commands and runs none.
An OUT holds the runs of one data set.
"""

from __future__ import annotations

import argparse
import fcntl
import shlex
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.errors import BenchmarkError, one_sentence
from benchmarks.study.tables import write_tables
from benchmarks.study.trainings import STUDIES, Training, command

SEEDS = {"recipes": 3, "ablation": 1, "swap": 3, "large": 1}


@one_sentence()
def main() -> None:
    """Parse the options and run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=(*STUDIES, "evaluate", "tables"))
    parser.add_argument("faces", type=Path, help="the folder of the data set")
    parser.add_argument("out", type=Path, help="the folder of the studies")
    parser.add_argument(
        "--seeds", type=_positive, help="number of runs of each, with seeds 0, 1 ... [3; ablation, large: 1]"
    )
    parser.add_argument("--workers", type=_positive, default=2, help="runs at once [2]")
    parser.add_argument(
        "--only",
        action="append",
        help="names of runs without their seeds, with commas between them; may be repeated",
    )
    parser.add_argument("--list", action="store_true", help="print the commands and train nothing")
    parser.add_argument(
        "--page", type=Path, default=Path("docs/results.md"), help="the page with the tables [%(default)s]"
    )
    given = parser.parse_args()
    if given.what not in STUDIES:
        _refuse_empty(given)
    if given.what == "tables":
        print(f"{given.page}: " + ", ".join(write_tables(given.out, given.page)))
        return
    trainings = STUDIES[given.what](given.seeds or SEEDS[given.what]) if given.what in STUDIES else []
    if given.only:
        trainings = _only(trainings, given.only)
    if given.list:
        print("\n".join(shlex.join(["dcign", *command(each, given.faces, given.out)]) for each in trainings))
        return
    if not (given.faces / "dataset.json").is_file():
        raise BenchmarkError(
            f"expected a data set, found no dataset.json in {given.faces}: "
            f"run dcign render --batches 12000 --size 64 --out {given.faces}."
        )
    if given.what == "evaluate":
        sys.exit(not evaluate_all(given.faces, given.out, given.workers))
    sys.exit(not run_all(trainings, given.faces, given.out, given.workers))


def evaluate_all(faces: Path, out: Path, workers: int) -> bool:
    """Evaluate every evaluated run of the studies again, `workers` at once. Returns whether all succeeded."""

    def evaluate(path: Path) -> bool:
        words = ["evaluate", str(path.parent), "--data", str(faces), "--threads", "1"]
        with path.parent.with_name(path.parent.name + ".log").open("ab") as log:
            code = subprocess.call([sys.executable, "-m", "dcign.cli", *words], stdout=log, stderr=log)
        print(f"{path.parent}: " + (f"failed, see {log.name}" if code else "evaluated"), flush=True)
        return code == 0

    with ThreadPoolExecutor(workers) as pool:
        return all(list(pool.map(evaluate, sorted(out.glob("*/*/evaluation.json")))))


def run_all(trainings: list[Training], faces: Path, out: Path, workers: int) -> bool:
    """Run all trainings, `workers` at once. Returns whether each ended with an evaluation."""
    stopping = threading.Event()
    running: dict[str, subprocess.Popen[bytes]] = {}

    def stop(*_: object) -> None:
        stopping.set()
        for process in list(running.values()):
            process.send_signal(signal.SIGINT)  # `dcign train` saves its step and stops

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with ThreadPoolExecutor(workers) as pool:
        ended = list(pool.map(lambda each: stopping.is_set() or _run(each, faces, out, running), trainings))
    if stopping.is_set():
        sys.exit("Stopped. Run the same command again to continue.")
    return all(ended)


def _run(training: Training, faces: Path, out: Path, running: dict[str, subprocess.Popen[bytes]]) -> bool:
    """Train and evaluate one run unless it is evaluated. Returns whether it is evaluated now."""
    folder = out / training.name
    if (folder / "evaluation.json").exists():
        return True
    words = command(training, faces, out) + (["--resume"] if (folder / "configuration.json").exists() else [])
    path = folder.with_name(folder.name + ".log")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the child inherits it and holds it until it ends
        except BlockingIOError:
            print(f"{training.name} skipped: another study is training it.", flush=True)
            return False
        print(f"{training.name}: {shlex.join(['dcign', *words])}", flush=True)
        began = time.monotonic()
        # It gets its own session, so that Ctrl-C in the terminal reaches it only once, through `stop`.
        process = subprocess.Popen(
            [sys.executable, "-m", "dcign.cli", *words], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        running[training.name] = process
        code = process.wait()
        del running[training.name]
    minutes = (time.monotonic() - began) / 60
    print(f"{training.name}: " + (f"failed, see {path}" if code else f"done in {minutes:.1f} minutes"), flush=True)
    return code == 0


def _only(trainings: list[Training], asked: list[str]) -> list[Training]:
    """Return the trainings whose names, without study and seed, are in `asked`. Refuse unknown names.

    `asked` holds names with commas between them. A name may contain commas, so exact names are not split.
    """
    known = {_name(each) for each in trainings}
    names = [name for text in asked for name in ([text] if text in known else text.split(","))]
    if unknown := [name for name in names if name not in known]:
        raise BenchmarkError(
            f"expected the name of a run, found {unknown[0]!r}: choose from {', '.join(sorted(known))}."
        )
    return [each for each in trainings if _name(each) in names]


def _name(training: Training) -> str:
    return training.name.split("/")[1].rsplit("-", 1)[0]


def _positive(text: str) -> int:
    """Read a number of seeds or workers. argparse prints the error."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, found {number}")
    return number


def _refuse_empty(given: argparse.Namespace) -> None:
    """Raise BenchmarkError if there is nothing to evaluate or no page for the tables."""
    if given.list or given.only or given.seeds:
        raise BenchmarkError(
            f"expected no --list, --only or --seeds with {given.what}, found one: use them with {', '.join(STUDIES)}."
        )
    if not any(given.out.glob("*/*/evaluation.json")):
        raise BenchmarkError(f"expected evaluated runs, found none in {given.out}: run {', '.join(STUDIES)} first.")
    if given.what == "tables" and not given.page.is_file():
        raise BenchmarkError(
            f"expected the page with the tables, found no {given.page}: use docs/results.md of a clone."
        )
