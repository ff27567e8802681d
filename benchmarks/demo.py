"""The demo: one data set, a `swap` run and a plain VAE trained beside it for as many steps, both evaluated.

    python -m benchmarks.demo [demo] [--batches 1800] [--steps 14000] [--size 64]

What is there is not made again, and what was interrupted goes on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

RUNS = ("swap", "vae")  # the first is shown while it trains, the second writes to a log
PICTURES = ("relight", "inferred", "traversal", "reconstruction")


def main() -> None:
    """Render, train both, and show the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("demo"))
    parser.add_argument("--batches", type=int, default=1800)
    parser.add_argument("--steps", type=int, default=14_000)
    parser.add_argument("--size", type=int, default=64)
    given = parser.parse_args()
    began = time.monotonic()
    faces = given.folder / "faces"
    _dcign("render", "--batches", given.batches, "--size", given.size, "--out", faces)
    _train(given.folder, faces, given.steps)
    _show(given.folder, faces)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes.")


def _train(folder: Path, faces: Path, steps: int) -> None:
    """Both runs at once, half of the cores each: small steps share cores badly."""
    threads = max(1, len(os.sched_getaffinity(0)) // len(RUNS))
    print(f"Training a plain VAE beside it; it writes to {folder / 'vae.log'}.", flush=True)
    with (folder / "vae.log").open("w") as log:
        started = []
        for run in RUNS:
            out = folder / run
            if (out / "evaluation.json").exists():
                continue
            words = ["train", faces, "--recipe", run, "--steps", steps, "--threads", threads, "--out", out]
            if (out / "configuration.json").exists():
                words.append("--resume")
            output = {"stdout": log, "stderr": log} if run == "vae" else {"stdout": subprocess.DEVNULL}
            started.append(subprocess.Popen(_command(*words), **output))
        codes = [process.wait() for process in started]
        if any(codes):
            sys.exit(f"A training run stopped; see above and {folder / 'vae.log'}, then run the demo again to go on.")


def _show(folder: Path, faces: Path) -> None:
    """The table, and the pictures worth a look, side by side in one folder."""
    from dcign.report import evaluation_table, write_report
    from dcign.trained.trained_run import TrainedRun

    swap, vae = (TrainedRun.open(folder / run) for run in RUNS)
    print(evaluation_table([swap.evaluation, vae.evaluation]))
    write_report(swap, faces, against=vae)
    shutil.copy(faces / "preview.png", folder / "faces.png")
    for picture in PICTURES:
        shutil.copy(folder / "swap" / f"{picture}.png", folder / f"{picture}.png")
    shutil.copy(folder / "vae" / "relight.png", folder / "relight-vae.png")
    names = ("faces", "relight", "relight-vae", "inferred", "traversal", "reconstruction")
    print(f"Look at {folder / 'swap' / 'report.html'}; and, in {folder}: " + ", ".join(f"{name}.png" for name in names))


def _dcign(*words: object) -> None:
    done = subprocess.run(_command(*words), check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "dcign.cli", *(str(word) for word in words)]


if __name__ == "__main__":
    main()
