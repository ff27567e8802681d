"""Runs whose training steps are timed: several train in turn in one process, and each continues where it stopped.

Beside the files of a run, its folder has seconds.json: the machine, and the seconds up to each step that was saved.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.errors import BenchmarkError
from benchmarks.machine import device_name
from dcign.device import choose_precision, threads
from dcign.inputs.batches import ImageBatches
from dcign.machine import keep_freed_memory
from dcign.run import configuration as run_configuration
from dcign.run.checkpoint import FILE as CHECKPOINT
from dcign.run.checkpoint import load_checkpoint, save_checkpoint
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.run.json_files import read_json
from dcign.storage.atomic import write_atomic
from dcign.train.distributed import ALONE, Ranks
from dcign.train.trainer import Trainer
from dcign.trained.evaluation_file import FILE as EVALUATION

FILE = "seconds.json"
SLICES = 20  # turns of each run
WARM_UP = 2  # steps

Seconds = tuple[int, float, float]  # step, CPU seconds and wall seconds of training up to that step


def train_in_turn(
    configurations: Sequence[TrainConfiguration], batches: ImageBatches, description: ImageDescription
) -> None:
    """Train runs to their ends, a slice of the steps of each in turn. All have the same device and threads."""
    keep_freed_memory()
    first = configurations[0]
    device = torch.device(first.device)
    with Ranks(device, choose_precision(first.precision, device), ALONE) as ranks, threads(first.threads):
        runs = [_prepared(Trainer(batches, description, each, ranks), description) for each in configurations]
        for turn in range(1, SLICES + 1):
            for run in runs:
                run.advance(run.trainer.configuration.steps * turn // SLICES)


@dataclass(eq=False)
class TimedRun:
    """A run in memory, and its seconds up to each step that was saved."""

    trainer: Trainer
    seconds: list[Seconds]

    def advance(self, until: int) -> None:
        """Train to a step, add the seconds that this takes, and save."""
        trainer, state, configuration = self.trainer, self.trainer.state, self.trainer.configuration
        if state.step >= until:
            return
        unread = []
        before = _now(trainer.device)
        while state.step < until:
            unread.append(trainer.step())
            state.step += 1
            if trainer.device.type == "cpu":  # as Trainer.train does
                trainer.refuse_not_finite(unread[-1:])
        cpu, wall = (
            known + end - start
            for known, end, start in zip(self.seconds[-1][1:], _now(trainer.device), before, strict=True)
        )
        trainer.refuse_not_finite(unread)
        self.seconds.append((state.step, cpu, wall))
        state.seconds = wall
        self.save()
        name = f"{configuration.recipe.name}, seed {configuration.seed}"
        times = f"CPU {cpu:,.0f} s, wall {wall:,.0f} s"
        print(f"{name}: step {state.step:,} of {configuration.steps:,}, {times}", file=sys.stderr)

    def save(self) -> None:
        """Write the seconds, then the checkpoint, so that the seconds of a checkpoint's step are always there."""
        folder = Path(self.trainer.configuration.out)
        record = {"machine": machine(self.trainer.configuration), "seconds": self.seconds}
        write_atomic(folder / FILE, (json.dumps(record) + "\n").encode())
        save_checkpoint(folder, self.trainer.state)


def machine(configuration: TrainConfiguration) -> dict[str, Any]:  # JSON
    """Return what a run's seconds depend on."""
    return {"device": device_name(torch.device(configuration.device)), "threads": configuration.threads}


def seconds_of(folder: Path, step: int) -> tuple[float, float]:
    """Return the CPU seconds and the wall seconds up to a step of a run."""
    return next((cpu, wall) for known, cpu, wall in _record(folder)["seconds"] if known == step)


def is_evaluated(configuration: TrainConfiguration) -> bool:
    """Return whether a run is evaluated, which this benchmark does at the end of training alone."""
    return (Path(configuration.out) / EVALUATION).exists()


def refuse_other_run(configuration: TrainConfiguration, description: ImageDescription) -> None:
    """Raise unless a run's folder holds nothing, or a run with this configuration that was timed on this machine."""
    folder = Path(configuration.out)
    if not (folder / CHECKPOINT).exists():
        return
    run_configuration.refuse_difference(run_configuration.read(folder), (configuration, description))
    found, here = _record(folder)["machine"], machine(configuration)
    if found != here:
        raise BenchmarkError(
            f"expected a run that was timed on {here['device']} with --threads {here['threads']}, found one on "
            f"{found['device']} with --threads {found['threads']} in {folder}: choose another --out."
        )


def _prepared(trainer: Trainer, description: ImageDescription) -> TimedRun:
    """Return a run at its last checkpoint, after steps that warm up and are undone."""
    folder = Path(trainer.configuration.out)
    run = TimedRun(trainer, [(0, 0.0, 0.0)])
    if not (folder / CHECKPOINT).exists():
        run_configuration.write(trainer.configuration, description)
        run.save()
    for _ in range(WARM_UP):
        trainer.step()
    load_checkpoint(folder, trainer.state)
    run.seconds = [tuple(each) for each in _record(folder)["seconds"] if each[0] <= trainer.state.step]
    return run


def _record(folder: Path) -> dict[str, Any]:  # JSON
    try:
        found = read_json(folder / FILE)
        return {"machine": dict(found["machine"]), "seconds": list(found["seconds"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(
            f"expected the seconds of a run in {folder / FILE}, found none ({error}): choose another --out."
        ) from None


def _now(device: torch.device) -> tuple[float, float]:
    """Return CPU seconds of this process, and wall seconds, after all work queued on a GPU is done."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.process_time(), time.monotonic()
