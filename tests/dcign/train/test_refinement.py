"""The training of a refiner: it learns, resumes exactly, and leaves the auto-encoder as it is."""

import dataclasses
import json

import pytest
import torch

from dcign.errors import TrainingError, TrainingInterrupted
from dcign.network.refiner import NOISE, fixed_noise, refined
from dcign.run.checkpoint import read_checkpoint
from dcign.run.configuration import read
from dcign.train.training import train_on
from dcign.trained.trained_run import TrainedRun
from tests.support.blobs import DESCRIPTION, configured, moving_blobs


def refiner_of(folder):
    return read_checkpoint(folder, "refiner.safetensors")[1]


def test_a_flow_along_the_true_velocity_ends_in_the_real_picture():
    decoded, real = torch.rand(2, 3, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    start = decoded + NOISE * fixed_noise(decoded)
    made = refined(lambda *_: (real - start) / NOISE, decoded, torch.zeros(3, 4))
    torch.testing.assert_close(made, real)


def test_a_refiner_learns_and_has_a_log_of_its_own(tmp_path):
    stages = []
    train_on(
        moving_blobs(), DESCRIPTION, configured(tmp_path, refine=200, log_every=20, checkpoint_every=400), stages.append
    )
    assert [each.stage for each in stages] == ["swap"] + ["refiner"] * 10
    lines = [json.loads(line) for line in (tmp_path / "refiner_log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(20, 201, 20))
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    assert any((tmp_path / "tensorboard" / "refiner").iterdir())


def test_a_refiner_is_added_to_a_finished_run_and_changes_nothing_else(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path))
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    assert not TrainedRun.open(tmp_path).has_refiner
    assert train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, refine=3), resume=True) == 8
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
    assert read(tmp_path)[0].refine == 3
    assert TrainedRun.open(tmp_path).sharp_codec.refiner is not None
    with pytest.raises(TrainingError, match=r"expected refine to be 3, .* found 5: ask for the same, or delete"):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, refine=5), resume=True)
    assert read(tmp_path)[0].refine == 3


@pytest.mark.parametrize("stage", ["swap", "refiner"])
def test_a_run_with_a_refiner_resumes_exactly_in_either_stage(tmp_path, stage):
    def interrupt(now):
        if (now.stage, now.step) == (stage, 4):
            raise KeyboardInterrupt

    alone, cut = (configured(tmp_path / name, refine=8) for name in ("alone", "cut"))
    train_on(moving_blobs(), DESCRIPTION, alone)
    with pytest.raises(TrainingInterrupted, match=f"after step 4 of 8 of {stage}, which is kept in .*--resume to go"):
        train_on(moving_blobs(), DESCRIPTION, cut, interrupt)
    train_on(moving_blobs(), DESCRIPTION, dataclasses.replace(cut), resume=True)
    for read_tensors in (refiner_of, lambda folder: read_checkpoint(folder)[1]):
        ours, theirs = (read_tensors(tmp_path / name) for name in ("alone", "cut"))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_whose_refiner_is_not_trained_yet_says_so(tmp_path):
    def interrupt(now):
        raise KeyboardInterrupt

    with pytest.raises(TrainingInterrupted):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, refine=8), interrupt)
    with pytest.raises(TrainingError, match=r"expected refiner\.safetensors in .*, found none.*--resume"):
        _ = TrainedRun.open(tmp_path).sharp_codec
