"""The demo: render a data set, train `swap` and a plain VAE on it for about the same time, evaluate both.

    python -m benchmarks.demo [demo] [--minutes 9] [--batches N] [--steps N]

It first turns a face with the network that comes with the package. Then it measures this machine and chooses batches
and steps so that everything takes about --minutes. Finished parts are kept: an interrupted demo continues when it is
started again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.demo.plan import RUNS, SIZE, VAE_STEPS, Plan, fitted, measure, threads_of_each
from benchmarks.errors import one_sentence, refuse_below

PLAN = "plan.json"
PICTURES = ("relight", "inferred", "traversal", "reconstruction")
TURN = "-80:80:25,80:-80:25"  # degrees


@one_sentence()
def main() -> None:
    """Show the network of the package, plan, render, train both, and show the results."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("demo"))
    parser.add_argument("--minutes", type=float, default=9, help="of the whole demo, downloads aside  [default: 9]")
    parser.add_argument("--batches", type=int, help="training batches  [default: as fits]")
    parser.add_argument("--steps", type=int, help="training steps  [default: as fits]")
    given = parser.parse_args()
    refuse_below(1, minutes=given.minutes)
    began = time.monotonic()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    _first_picture(folder)
    plan = _planned(folder, given.minutes, given.batches, given.steps)
    faces = folder / "faces"
    _dcign("render", "--batches", plan.batches, "--size", SIZE, "--out", faces)
    _train(folder, faces, plan.steps)
    _show(folder, faces)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes. The page to open: {folder / 'swap' / 'report.html'}")


def _first_picture(folder: Path) -> None:
    """Turn an unseen face, and then its light, with the network that comes with the package."""
    from dcign.trained.shipped import DEFAULT, EXAMPLE, network_folder

    for factor in ("azimuth", "light-azimuth"):
        out = folder / f"{factor}.gif"
        if not out.exists():
            picture = network_folder(DEFAULT) / EXAMPLE
            _dcign("edit", DEFAULT, picture, f"--{factor}", TURN, "--scale", 4, "--fps", 15, "--out", out)
    print("These pictures were drawn by the network that comes with dcign. Now train your own:", flush=True)


def _planned(folder: Path, minutes: float, batches: int | None, steps: int | None) -> Plan:
    """Return the plan of an earlier start, or measure this machine and plan. Print it."""
    path = folder / PLAN
    if path.exists():
        plan = Plan(**json.loads(path.read_text()))
    else:
        print("Measuring this machine for a few seconds ...", flush=True)
        speed = measure()
        plan = fitted(speed, minutes, batches, steps)
        print(
            f"It renders {speed.images_per_second:,.0f} images/s and takes {1000 * speed.step_seconds:.0f} ms per step."
        )
        path.write_text(json.dumps(asdict(plan)) + "\n")
    print(
        f"The demo renders {plan.batches:,} batches and trains for {plan.steps:,} steps: about {plan.seconds / 60:.0f} "
        "minutes.",
        flush=True,
    )
    return plan


def _train(folder: Path, faces: Path, steps: int) -> None:
    """Train both at once, each on half of the cores: small steps do not scale to many cores.

    `swap` shows its progress in the terminal, the plain VAE writes to a log.
    """
    print(f"Training `swap`, and a plain VAE at the same time, which writes to {folder / 'vae.log'}.", flush=True)
    with (folder / "vae.log").open("w") as log:
        started = []
        for run in RUNS:
            out = folder / run
            if (out / "evaluation.json").exists():
                continue
            share = VAE_STEPS if run == "vae" else 1.0
            words = ["train", faces, "--recipe", run, "--steps", round(share * steps), "--out", out]
            words += ["--threads", threads_of_each()]
            if (out / "configuration.json").exists():
                words.append("--resume")
            output = {"stdout": log, "stderr": log} if run == "vae" else {"stdout": subprocess.DEVNULL}
            started.append(subprocess.Popen(_command(*words), **output))
        codes = [process.wait() for process in started]
        if any(codes):
            sys.exit(
                f"expected two finished trainings, found one that stopped: see above and {folder / 'vae.log'}, then "
                "start the demo again to continue."
            )


def _show(folder: Path, faces: Path) -> None:
    """Print the table, and copy the most interesting pictures into one folder."""
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
    print(f"Pictures in {folder}: {', '.join(f'{name}.png' for name in names)}, azimuth.gif, light-azimuth.gif")


def _dcign(*words: object) -> None:
    done = subprocess.run(_command(*words), check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "dcign.cli", *map(str, words)]


if __name__ == "__main__":
    main()
