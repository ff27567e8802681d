"""Stop `dcign render` and `dcign train` by TERM, HUP and KILL at random moments, and compare what they make in the end.

A stopped command must exit with the code of its signal, say in one line how to continue, and keep every complete shard
or its last step. Continued to the end, it must give the bytes, or the weights, of an undisturbed run.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.faults.injection import LOCAL, RENDER, dcign_command, differences, inodes, undisturbed
from dcign.run import configuration as run_configuration
from dcign.run.checkpoint import FILE as CHECKPOINT
from dcign.run.checkpoint import read_checkpoint

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
TARGETS = ("all", "the parent")  # the process group, as SLURM and a closed terminal do; one process, as docker does
NOISE = re.compile(r"Traceback|leaked|asyncio|Exception ignored|Warning|Error")
FACES = ("render", "--batches", 20, "--size", 32)
TRAIN = ("--steps", 150, "--threads", 1, "--device", "cpu", "--set", "network=strided", "--set", "latents=8")
PATIENCE = 300  # seconds until a stopped process counts as hanging


@dataclass
class Stopped:
    """How one run ended: the signal that it got, or None if it had ended before; exit code and standard error."""

    sent: signal.Signals | None
    code: int
    said: str

    def faults(self, words: str) -> Iterator[str]:
        """Yield what is wrong with the ending. words: which the line about continuing has."""
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.said)
        if found := NOISE.search(text):
            yield f"{self.sent}: expected one line, found {found[0]}: {text[-500:]}"
        if self.sent is None:
            if self.code:
                yield f"expected exit code 0 of a run that was left alone, found {self.code}: {text[-500:]}"
        elif self.sent != signal.SIGKILL and self.code not in (0, -self.sent):  # negative: before Python had begun
            if self.code != 128 + self.sent:
                yield f"{self.sent}: expected exit code {128 + self.sent}, found {self.code}: {text[-500:]}"
            if text.lower().count("stopped") != 1 or words not in text:
                yield f"{self.sent}: expected one line with {words!r}, found {text[-500:]}"


@dataclass
class Campaign:
    """Commands that are stopped at random moments, and what was found wrong."""

    rng: random.Random
    seconds: float  # which the command takes if it is left alone
    sent: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    faults: list[str] = field(default_factory=list)
    _next: Iterator[signal.Signals] = field(default_factory=lambda: itertools.cycle(SIGNALS))

    def run(self, command: list[str]) -> Stopped:
        """Start a command and stop it at a random moment."""
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, start_new_session=True, **quiet)
        until, sent = time.monotonic() + self.rng.uniform(0, self.seconds), None
        while time.monotonic() < until and process.poll() is None:
            time.sleep(0.005)
        if process.poll() is None:
            sent, target = next(self._next), self.rng.choice(TARGETS)
            (os.killpg if target == "all" else os.kill)(process.pid, sent)
            self.sent[f"{sent.name} to {target}"] += 1
        else:
            self.finished += 1
        try:
            _, said = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            _, said = process.communicate()
            self.faults.append(f"{sent}: expected an end within {PATIENCE} s, found none: {said[-500:]}")
        return Stopped(sent, process.returncode, said)

    def result(self) -> dict[str, Any]:  # JSON
        """Return what was done and found."""
        return {"signals": dict(self.sent), "runs that ended before": self.finished, "faults": self.faults}


def stop_renders(out: Path, count: int, seed: int) -> dict[str, Any]:  # JSON
    """Stop `dcign render` so often, continue it, and compare all files with an undisturbed folder's."""
    seconds, expected = undisturbed(out)
    folder, campaign = out / "rendered", Campaign(random.Random(seed), seconds)
    while campaign.sent.total() < count:
        before = {name: inode for name, inode in inodes(folder).items() if _is_shard(name)}
        ended = campaign.run(dcign_command(*RENDER, *LOCAL, "--out", folder))
        campaign.faults += ended.faults("run the same command again")
        after = inodes(folder)
        campaign.faults += [f"{ended.sent}: {name} was lost" for name in before if after.get(name) != before[name]]
        if ended.sent != signal.SIGKILL:
            campaign.faults += [f"{ended.sent}: {name} is left" for name in after if name.endswith(".part")]
        if (folder / "dataset.json").exists():
            campaign.faults += differences(folder, expected)
            shutil.rmtree(folder)
        _report(f"render: {campaign.sent.total()} signals, {len(after)} of {len(expected)} files")
    subprocess.run(dcign_command(*RENDER, *LOCAL, "--out", folder), check=True, capture_output=True)
    return {**campaign.result(), "faults": campaign.faults + differences(folder, expected)}


def stop_trainings(out: Path, count: int, seed: int) -> dict[str, Any]:  # JSON
    """Stop `dcign train` so often, resume it, and compare the weights with an undisturbed run's."""
    faces, alone, folder = out / "small", out / "alone", out / "trained"
    for left_over in (alone, folder):
        shutil.rmtree(left_over, ignore_errors=True)
    subprocess.run(dcign_command(*FACES, "--out", faces), check=True, capture_output=True)
    began = time.monotonic()
    subprocess.run(_train(faces, alone), check=True, capture_output=True)
    campaign = Campaign(random.Random(seed), time.monotonic() - began)
    expected = read_checkpoint(alone)[1]
    while campaign.sent.total() < count:
        before = _step(folder)
        ended = campaign.run(_train(faces, folder))
        campaign.faults += ended.faults("--resume" if run_configuration.holds_run(folder) else "again")
        after, told = _step(folder), re.search(r"stopped after step (\d+)", ended.said)
        if after < (int(told[1]) if told else before):
            campaign.faults.append(f"{ended.sent}: expected step {told[1] if told else before}, found {after} kept")
        if ended.code == 0:
            campaign.faults += _other_weights(folder, expected)
            shutil.rmtree(folder)
        _report(f"train: {campaign.sent.total()} signals, step {after}")
    subprocess.run(_train(faces, folder), check=True, capture_output=True)
    return {**campaign.result(), "faults": campaign.faults + _other_weights(folder, expected)}


def _train(faces: Path, folder: Path) -> list[str]:
    resume = ("--resume",) if run_configuration.holds_run(folder) else ()
    return dcign_command("train", faces, "--out", folder, *TRAIN, *resume)


def _step(folder: Path) -> int:
    return read_checkpoint(folder)[0].step if (folder / CHECKPOINT).exists() else 0


def _other_weights(folder: Path, expected: dict[str, torch.Tensor]) -> list[str]:
    found = read_checkpoint(folder)[1]
    if found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in found):
        return []
    return [f"expected the weights of an undisturbed run in {folder}, found others"]


def _is_shard(name: str) -> bool:
    return name.endswith(".h5") and not Path(name).name.startswith(".")


def _report(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)
