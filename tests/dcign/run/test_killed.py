"""Runs killed without a warning, by SIGKILL: they end as if nothing had happened."""

from __future__ import annotations

import json
import multiprocessing
import random
import time

import torch

from dcign.run.checkpoint import read_checkpoint
from tests.support.processes import train_noise

STEPS = 60
KILLED = -9


def lines_of(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_run_killed_at_three_random_moments_ends_in_the_weights_of_one_left_alone(tmp_path):
    chance = random.Random(time.time_ns())
    moments = sorted(chance.sample(range(1, STEPS - 20), 3))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.processes"])
    folder = tmp_path / "killed"
    for moment in moments:
        begun = (folder / "configuration.json").exists()
        process = context.Process(target=train_noise, args=(str(folder), STEPS), kwargs={"resume": begun})
        process.start()
        while lines_of(folder / "log.jsonl") < moment and process.is_alive():
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
        process.kill()
        process.join()
        assert process.exitcode == KILLED, moments
    train_noise(str(folder), STEPS, resume=True)
    train_noise(str(tmp_path / "alone"), STEPS)
    ours, theirs = (read_checkpoint(tmp_path / name)[1] for name in ("alone", "killed"))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours), moments
    steps = [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text().splitlines()]
    assert steps == list(range(1, STEPS + 1)), moments


def test_what_a_killed_process_left_half_written_does_not_hold_a_folder(tmp_path):
    (tmp_path / ".configuration.json.part").write_text("{")
    train_noise(str(tmp_path), 1)
    assert (tmp_path / "checkpoint.safetensors").exists()
