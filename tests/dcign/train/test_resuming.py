"""Resuming: a run goes on exactly, from whole checkpoints, and only with what it was begun with."""

import dataclasses
import errno
import json
import os
import signal

import pytest
import torch

from dcign.errors import TrainingError, TrainingInterrupted
from dcign.recipes.registry import ADA_GVAE, PAPER, RELEASED, SWAP, SWAP_1, VAE, WILD, changed
from dcign.run.checkpoint import TrainingState, read_checkpoint, save_checkpoint
from dcign.run.configuration import TrainConfiguration, read
from dcign.train import loop
from dcign.train.training import train, train_on
from tests.support.blobs import DESCRIPTION, configured, moving_blobs

PRETRAINED = changed(SWAP, {"pretrain_steps": 3})


def interrupt_at(step):
    def progress(now):
        if now.step == step:
            raise KeyboardInterrupt

    return progress


def tensors_of(folder):
    return read_checkpoint(folder)[1]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("recipe", [SWAP, WILD, PAPER, RELEASED, ADA_GVAE, PRETRAINED], ids=lambda recipe: recipe.name)
def test_a_resumed_run_ends_bit_for_bit_like_one_left_alone(tmp_path, recipe, precision):
    settings = {"precision": precision, "ratio": (1.0, 1.0, 1.0)}
    alone, cut = (configured(tmp_path / name, recipe, **settings) for name in ("alone", "cut"))
    train_on(moving_blobs(), DESCRIPTION, alone)
    with pytest.raises(TrainingInterrupted, match=r"stopped after step 6 of 8.*--resume to go on"):
        train_on(moving_blobs(), DESCRIPTION, cut, interrupt_at(6))
    assert train_on(moving_blobs(), DESCRIPTION, cut, resume=True) == 8
    ours, theirs = tensors_of(tmp_path / "alone"), tensors_of(tmp_path / "cut")
    assert ours.keys() == theirs.keys()
    assert any(name.startswith("optimizer.") for name in ours)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    steps = [json.loads(line)["step"] for line in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert steps == [2, 4, 6, 8]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("last", [6, 7])
def test_a_stop_signal_ends_the_step_and_the_run_resumes_exactly(tmp_path, number, last):
    def send_at(now):
        if now.step == last:
            os.kill(os.getpid(), number)

    alone, cut = (configured(tmp_path / name, log_every=1, checkpoint_every=100) for name in ("alone", "cut"))
    train_on(moving_blobs(), DESCRIPTION, alone)
    with pytest.raises(TrainingInterrupted, match=rf"after step {last + 1} of 8.*--resume to go on") as stopped:
        train_on(moving_blobs(), DESCRIPTION, cut, send_at)
    assert stopped.value.number == number
    assert read_checkpoint(tmp_path / "cut")[0].step == last + 1  # it was sent after step `last`
    assert train_on(moving_blobs(), DESCRIPTION, cut, resume=True) == 8
    ours, theirs = tensors_of(tmp_path / "alone"), tensors_of(tmp_path / "cut")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_checkpoints_are_also_written_by_time_and_leave_the_log_as_it_is(tmp_path, monkeypatch):
    kept = []

    def save(folder, state):
        kept.append(state.step)
        return save_checkpoint(folder, state)

    monkeypatch.setattr(loop, "save_checkpoint", save)
    assert loop.CHECKPOINT_SECONDS <= 300
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "steps"))
    assert kept == [4, 8]
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "time"))
    assert kept == [4, 8, *range(1, 9)]
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("steps", "time")]
    ours, theirs = ([{**json.loads(line), "seconds": 0, "images_per_second": 0} for line in log] for log in logs)
    assert ours == theirs


def test_a_run_recorded_before_recipes_grew_goes_on(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, SWAP_1, steps=1))
    recorded = json.loads((tmp_path / "configuration.json").read_text())
    for name in ("active_by", "reference_gradient", "clamp_of", "pretrain_steps", "divergence_of", "momentum"):
        del recorded["recipe"][name]
    (tmp_path / "configuration.json").write_text(json.dumps(recorded))
    assert train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, SWAP_1, steps=1), resume=True) == 1


def test_a_run_cut_off_before_its_first_checkpoint_begins_again(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "alone", steps=2))
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "cut", steps=2))
    (tmp_path / "cut" / "checkpoint.safetensors").unlink()
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "cut", steps=2), resume=True)
    ours, theirs = tensors_of(tmp_path / "alone"), tensors_of(tmp_path / "cut")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_resuming_nothing_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"expected a run to resume, found none in"):
        train(configured(tmp_path / "nothing"), resume=True)
    with pytest.raises(TrainingError, match=r"expected a run to resume, found none in"):
        TrainConfiguration.from_options(out=tmp_path / "nothing", resume=True)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": 9}, "expected steps to be 1, .* found 9: ask"),
        ({"seed": 1}, "expected seed to be 0, .* found 1: ask"),
        ({"recipe": VAE}, r'expected recipe\.name to be "swap", .* found "vae": ask'),
        ({"recipe": dataclasses.replace(SWAP, beta=2.0)}, r"expected recipe\.beta to be 1\.0, .* found 2\.0: ask"),
    ],
)
def test_resuming_with_another_configuration_is_refused(tmp_path, change, sentence):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    asked = dataclasses.replace(configured(tmp_path, steps=1), **change)
    with pytest.raises(TrainingError, match=sentence):
        train_on(moving_blobs(), DESCRIPTION, asked, resume=True)


def test_resuming_with_another_data_set_is_refused_without_a_hash(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    other = dataclasses.replace(DESCRIPTION, data_sha256="f" * 64)
    with pytest.raises(
        TrainingError, match=r"expected the data set on which the run in .* was trained, found another in"
    ) as reported:
        train_on(moving_blobs(), other, configured(tmp_path, steps=1), resume=True)
    assert "fff" not in str(reported.value)


def test_resuming_where_the_data_set_has_moved_says_to_name_it(tmp_path):
    configuration = dataclasses.replace(configured(tmp_path / "run", steps=1), data=str(tmp_path / "moved"))
    train_on(moving_blobs(), DESCRIPTION, configuration)
    with pytest.raises(
        TrainingError,
        match=r"expected the data set of the run in .*moved, found nothing there: .* dcign train FACES --resume --out",
    ):
        train(configuration, resume=True)


def test_a_checkpoint_is_on_the_disk_before_it_takes_the_last_ones_name(tmp_path, monkeypatch):
    network = torch.nn.Linear(2, 2)
    state = TrainingState(network, {}, torch.optim.Adam(network.parameters()), step=1, seconds=1.0)
    last = save_checkpoint(tmp_path, state).read_bytes()

    def disk_full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("dcign.storage.atomic.os.fsync", disk_full)
    with pytest.raises(TrainingError, match=r"the disk is full.* go on with dcign train --resume --out"):
        save_checkpoint(tmp_path, dataclasses.replace(state, step=2))
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == last
    assert not list(tmp_path.glob(".*.part"))


def test_a_checkpoint_can_be_read_by_whom_other_files_can(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    modes = {(tmp_path / name).stat().st_mode & 0o777 for name in ("checkpoint.safetensors", "configuration.json")}
    assert len(modes) == 1


def test_what_a_run_lacks_or_is_damaged_is_said_as_it_is(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    (tmp_path / "checkpoint.safetensors").unlink()
    with pytest.raises(TrainingError, match=r"stopped before the first: go on with dcign train --resume --out"):
        read_checkpoint(tmp_path)
    path = tmp_path / "configuration.json"
    path.write_bytes(path.read_bytes()[:100])
    for ask in (read, lambda out: TrainConfiguration.from_options(out=out, resume=True)):
        with pytest.raises(
            TrainingError, match=r"cannot read .*configuration\.json \(.+\): train again into a new fol"
        ):
            ask(tmp_path)


def test_resuming_takes_what_is_not_given_from_the_run(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    again = TrainConfiguration.from_options(out=tmp_path, resume=True, steps=None, threads=2)
    assert (again.steps, again.threads) == (1, 2)
    assert train_on(moving_blobs(), DESCRIPTION, again, resume=True) == 1


def test_a_torn_checkpoint_is_refused(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TrainingError, match=r"cannot read .*checkpoint.safetensors"):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1), resume=True)


def test_a_run_recorded_with_more_threads_than_there_are_here_is_still_read(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    recorded = json.loads((tmp_path / "configuration.json").read_text()) | {"threads": 5000}
    (tmp_path / "configuration.json").write_text(json.dumps(recorded))
    assert read(tmp_path)[0].threads == 5000
    assert TrainConfiguration.from_options(out=tmp_path, resume=True, threads=1).threads == 1
