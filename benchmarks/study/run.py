"""The studies of docs/results.md: every recipe at equal compute, `swap` without each ingredient, at length, at 150 px.

    python -m benchmarks.study recipes FACES OUT [--seeds 3] [--workers 2] [--only swap,vae]
    python -m benchmarks.study ablation FACES OUT [--seeds 1]
    python -m benchmarks.study swap FACES OUT [--seeds 3]
    python -m benchmarks.study large FACES150 OUT150 [--seeds 1]
    python -m benchmarks.study evaluate FACES OUT      what is there again, by the code of today
    python -m benchmarks.study tables FACES OUT        fill the tables of docs/results.md

Each run is one `dcign train` with one thread, as many at once as there are workers, in OUT/STUDY/RUN, its output in
RUN.log beside it. What is evaluated is not run again, and what was begun goes on. --list prints the commands alone.
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

from benchmarks.study.tables import write_tables
from benchmarks.study.trainings import STUDIES, Training, command

SEEDS = {"recipes": 3, "ablation": 1, "swap": 3, "large": 1}


def main() -> None:
    """Parse, and train what is not there yet."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=(*STUDIES, "evaluate", "tables"))
    parser.add_argument("faces", type=Path, help="the data set's folder")
    parser.add_argument("out", type=Path, help="the studies' folder")
    parser.add_argument("--seeds", type=_positive, help="as many runs of each, seeds 0, 1 ... [3; ablation, large: 1]")
    parser.add_argument("--workers", type=_positive, default=2, help="runs at once [2]")
    parser.add_argument(
        "--only",
        action="append",
        help="a run's name without its seed, or several with commas between; may be given again",
    )
    parser.add_argument("--list", action="store_true", help="print the commands and train nothing")
    parser.add_argument(
        "--page", type=Path, default=Path("docs/results.md"), help="the page with the tables [%(default)s]"
    )
    given = parser.parse_args()
    if given.what not in STUDIES:
        _refuse_nothing(given)
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
        sys.exit(
            f"{given.faces} holds no data set: make one with dcign render --batches 12000 --size 64 --out {given.faces}"
        )
    if given.what == "evaluate":
        sys.exit(not evaluate_all(given.faces, given.out, given.workers))
    sys.exit(not run_all(trainings, given.faces, given.out, given.workers))


def evaluate_all(faces: Path, out: Path, workers: int) -> bool:
    """Evaluate again every run of the studies that was evaluated, so many at once; returns whether all went well."""

    def evaluate(path: Path) -> bool:
        words = ["evaluate", str(path.parent), "--data", str(faces), "--threads", "1"]
        with path.parent.with_name(path.parent.name + ".log").open("ab") as log:
            code = subprocess.run(
                [sys.executable, "-m", "dcign.cli", *words], stdout=log, stderr=log, check=False
            ).returncode
        print(f"{path.parent}: " + (f"stopped, see {log.name}" if code else "evaluated"), flush=True)
        return code == 0

    with ThreadPoolExecutor(workers) as pool:
        return all(list(pool.map(evaluate, sorted(out.glob("*/*/evaluation.json")))))


def run_all(trainings: list[Training], faces: Path, out: Path, workers: int) -> bool:
    """Run all of them, so many at once; returns whether each ended in an evaluation."""
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
        sys.exit("Stopped; the same command goes on.")
    return all(ended)


def _run(training: Training, faces: Path, out: Path, running: dict[str, subprocess.Popen[bytes]]) -> bool:
    """Train and evaluate one, unless that is done; returns whether it is now."""
    folder = out / training.name
    if (folder / "evaluation.json").exists():
        return True
    words = command(training, faces, out) + (["--resume"] if (folder / "configuration.json").exists() else [])
    path = folder.with_name(folder.name + ".log")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the child inherits it, and holds it as long as it lives
        except BlockingIOError:
            print(f"{training.name} is being trained by another study: left to it.", flush=True)
            return False
        print(f"{training.name}: {shlex.join(['dcign', *words])}", flush=True)
        began = time.monotonic()
        # A session of its own: a Ctrl-C of the terminal reaches it once, through `stop`.
        process = subprocess.Popen(
            [sys.executable, "-m", "dcign.cli", *words], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        running[training.name] = process
        code = process.wait()
        del running[training.name]
    minutes = (time.monotonic() - began) / 60
    print(f"{training.name}: " + (f"stopped, see {path}" if code else f"done in {minutes:.1f} minutes"), flush=True)
    return code == 0


def _only(trainings: list[Training], asked: list[str]) -> list[Training]:
    """Return those whose folder, without its study and seed, is named; refuse a name that is none.

    A name may hold commas itself: what is a name as it stands is not cut up.
    """
    held = {_name(each) for each in trainings}
    names = [name for words in asked for name in ([words] if words in held else words.split(","))]
    unknown = [name for name in names if name not in held]
    if unknown:
        sys.exit(f"there is no run {unknown[0]!r}: choose of {', '.join(sorted(held))}")
    return [each for each in trainings if _name(each) in names]


def _name(training: Training) -> str:
    return training.name.split("/")[1].rsplit("-", 1)[0]


def _positive(text: str) -> int:
    """Read a number of seeds or workers; argparse makes a sentence of the error."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number}: wanted 1 or more")
    return number


def _refuse_nothing(given: argparse.Namespace) -> None:
    """Stop where there is nothing to evaluate or to fill tables with, or no page for them."""
    if given.list or given.only or given.seeds:
        sys.exit(f"{given.what} takes what is there: --list, --only and --seeds are of {', '.join(STUDIES)}")
    if not any(given.out.glob("*/*/evaluation.json")):
        sys.exit(f"{given.out} holds no evaluated run of a study: run {', '.join(STUDIES)} first")
    if given.what == "tables" and not given.page.is_file():
        sys.exit(f"{given.page} is not there: wanted the page with the tables, docs/results.md of a clone")
