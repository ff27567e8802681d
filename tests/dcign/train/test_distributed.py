"""Several processes train one run: with the result of a single process, and with one error message."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

from dcign.errors import TrainingError
from dcign.inputs.batches import batches_by_kind
from dcign.run.checkpoint import read_checkpoint
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import TrainConfiguration
from dcign.train import distributed as ranks
from dcign.train.distributed import (
    ALONE,
    Process,
    Ranks,
    device_name,
    device_of_rank,
    finish_other_processes,
    this_process,
)
from dcign.train.feed import StepFeed
from dcign.train.trainer import Trainer
from tests.support.processes import DESCRIPTION, RECIPE, noise, train_noise

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "tests.support.processes"]
RATIO = (1.0, 1.0, 1.0)


def torchrun(*arguments):
    return subprocess.run([*TORCHRUN, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)


def test_two_processes_train_what_one_does(tmp_path):
    ended = torchrun(tmp_path / "two", 8)
    assert ended.returncode == 0, ended.stderr
    assert "deprecated" not in ended.stderr
    train_noise(str(tmp_path / "one"), 8)
    ours, theirs = (
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    )
    assert len(ours) == len(theirs) == 8
    for name in ("loss", "reconstruction", "divergence", "invariance", "gradient_norm"):
        for mine, other in zip(ours, theirs, strict=True):
            assert other[name] == pytest.approx(mine[name], rel=1e-4, abs=1e-6)
    one, two = (read_checkpoint(tmp_path / name)[1] for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_shares_of_the_ranks_are_together_what_one_draws(count):
    batches = noise()
    members = batches_by_kind(batches.kind, DESCRIPTION.kinds, RATIO)
    layout = CodeLayout.of(DESCRIPTION, RECIPE)
    feeds = [StepFeed(batches, members, RATIO, RECIPE, layout, 0, Process(rank, count), 32) for rank in range(count)]
    whole = StepFeed(batches, members, RATIO, RECIPE, layout, 0, ALONE, 32)(5)
    shares = [feed(5) for feed in feeds]
    for name in ("images", "kind", "mirrored", "noise", "donors"):
        parts = [getattr(share, name) for share in shares]
        assert torch.equal(torch.stack(parts, dim=1).flatten(0, 1), getattr(whole, name))


def test_the_process_is_read_from_torchrun_only(monkeypatch):
    for name, value in {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert this_process() == ALONE
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "a run")
    assert this_process() == Process(3, 4, 1, 2)
    assert not this_process().first


def test_each_process_of_several_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    second = Process(1, 2, 1, 2)
    for name in ("auto", "cuda"):
        assert device_of_rank(name, second) == torch.device("cuda", 1)
    assert device_name(torch.device("cuda", 1), second) == "cuda"
    assert device_of_rank("cuda:1", ALONE) == torch.device("cuda:1")
    with pytest.raises(
        TrainingError, match="for 2 processes, found 'cuda:1', which is one device: ask for cpu or cuda"
    ):
        device_of_rank("cuda:1", second)
    with pytest.raises(TrainingError, match=r"found 3 processes and 2 GPUs: .*--nproc-per-node 2"):
        device_of_rank("cuda", Process(2, 3, 2, 3))


def test_groups_that_processes_cannot_share_are_refused(tmp_path):
    cpu = Ranks(torch.device("cpu"), torch.float32, ALONE)
    cpu.process = Process(0, 3)
    configuration = TrainConfiguration("noise", str(tmp_path), RECIPE, 2, seed=0)
    with pytest.raises(TrainingError, match="share the 4 groups of a step evenly, found 3"):
        Trainer(noise(), DESCRIPTION, configuration, cpu)


def test_all_but_the_first_process_end_without_a_message(monkeypatch):
    monkeypatch.setattr(ranks, "PATIENCE", 0.0)
    finish_other_processes(ALONE)
    with pytest.raises(SystemExit):
        finish_other_processes(Process(1, 2))


def test_a_lost_rank_is_distinguished_from_other_errors():
    assert ranks.is_lost_rank(RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer"))
    assert ranks.is_lost_rank(torch.distributed.DistBackendError("NCCL error"))
    assert not ranks.is_lost_rank(RuntimeError("shapes differ"))
