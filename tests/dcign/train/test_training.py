"""Training: it learns, it goes on exactly, it stops in a sentence."""

import dataclasses
import errno
import json
import os
import signal

import numpy as np
import pytest
import torch

from dcign.errors import TrainingError, TrainingInterrupted
from dcign.recipes.fields import parse_ratio
from dcign.recipes.registry import ADA_GVAE, PAPER, RECIPES, RELEASED, SWAP, SWAP_1, VAE, WILD, Recipe, changed
from dcign.run.checkpoint import TrainingState, read_checkpoint, save_checkpoint
from dcign.run.configuration import TrainConfiguration, read
from dcign.train import loop, trainer
from dcign.train import loss as objective
from dcign.train.distributed import ALONE, Ranks
from dcign.train.training import train, train_on
from tests.support.blobs import DESCRIPTION, configured, moving_blobs
from tests.support.fields import choices

CHOICES = choices(Recipe)
PRETRAINED = changed(SWAP, {"pretrain_steps": 3})


def interrupt_at(step):
    def progress(now):
        if now.step == step:
            raise KeyboardInterrupt

    return progress


def tensors_of(folder):
    return read_checkpoint(folder)[1]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_training_lowers_the_loss_and_logs_it(tmp_path, recipe):
    ratio = (1.0, 1.0, 2.0)
    reported = []
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "run", recipe, 60, ratio=ratio), reported.append)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(2, 61, 2))
    assert lines[-1]["loss"] < 0.7 * lines[0]["loss"]
    assert reported[-1].step == reported[-1].steps == 60
    assert reported[-1].images_per_second > 0
    assert any((tmp_path / "run" / "tensorboard").iterdir())


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


@pytest.mark.parametrize("recipe", [SWAP, RELEASED, ADA_GVAE], ids=lambda recipe: recipe.name)
def test_pre_training_is_training_without_a_clamp_and_ends_at_its_step(tmp_path, recipe):
    recipes = [changed(recipe, change) for change in ({"pretrain_steps": 3}, {"reference": "none"})]
    for each in recipes:
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / each.name, each, 5, log_every=1))
    logs = [(tmp_path / each.name / "log.jsonl").read_text().splitlines() for each in recipes]
    same = [json.loads(ours)["loss"] == json.loads(theirs)["loss"] for ours, theirs in zip(*logs, strict=True)]
    assert same == [True, True, True, False, False]


@pytest.mark.parametrize("name", list(CHOICES))
def test_every_choice_trains(tmp_path, name):
    losses = set()
    for value in CHOICES[name]:
        recipe = changed(SWAP, {name: value})
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / value, recipe, 2, log_every=1))
        logged = [json.loads(line)["loss"] for line in (tmp_path / value / "log.jsonl").read_text().splitlines()]
        assert np.isfinite(logged).all()
        losses.add(tuple(logged))
    # The paper's networks are of its 150 px only; where z is clamped, the posterior as clamped is each image's own; an
    # unaltered picture is its own target.
    assert len(losses) == {"network": 2, "divergence_of": 2, "target": 1}.get(name, len(CHOICES[name]))


def test_a_run_recorded_before_recipes_grew_goes_on(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, SWAP_1, steps=1))
    recorded = json.loads((tmp_path / "configuration.json").read_text())
    for name in ("active_by", "reference_gradient", "clamp_of", "pretrain_steps", "divergence_of", "momentum"):
        del recorded["recipe"][name]
    (tmp_path / "configuration.json").write_text(json.dumps(recorded))
    assert train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, SWAP_1, steps=1), resume=True) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("reference", "median"), ("latents", 1e9), ("steps", True), ("mirror", 1), ("sigma", None), ("ratio", ["x"])],
)
def test_a_record_of_what_no_recipe_can_be_is_refused(tmp_path, name, value):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    recorded = json.loads((tmp_path / "configuration.json").read_text())
    recorded["recipe"][name] = value
    (tmp_path / "configuration.json").write_text(json.dumps(recorded))
    with pytest.raises(
        TrainingError, match=rf"cannot read .*configuration.json \(expected {name} to be .* found .*train again"
    ):
        read(tmp_path)


def test_another_seed_ends_elsewhere(tmp_path):
    for seed in (0, 1):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / str(seed), seed=seed, steps=1))
    first, other = tensors_of(tmp_path / "0"), tensors_of(tmp_path / "1")
    assert not torch.equal(first["weights.encoder.even.weight"], other["weights.encoder.even.weight"])


def test_a_run_cut_off_before_its_first_checkpoint_begins_again(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "alone", steps=2))
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "cut", steps=2))
    (tmp_path / "cut" / "checkpoint.safetensors").unlink()
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "cut", steps=2), resume=True)
    ours, theirs = tensors_of(tmp_path / "alone"), tensors_of(tmp_path / "cut")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_first_loss_that_is_not_finite_stops_the_run_and_the_last_good_checkpoint_stays(tmp_path, monkeypatch):
    steps_done = 0
    terms = objective.terms

    def spoilt(*arguments):
        nonlocal steps_done
        steps_done += 1
        return terms(*arguments) * (float("nan") if steps_done == 7 else 1)

    monkeypatch.setattr(objective, "terms", spoilt)
    with pytest.raises(
        TrainingError,
        match=r"expected a finite loss, found NaN or infinity in step 7: .*checkpoint\.safetensors is the last",
    ):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=12, log_every=12, checkpoint_every=4))
    assert steps_done == 7  # on a CPU at once
    header, tensors = read_checkpoint(tmp_path)
    assert header.step == 4
    assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())


def test_on_a_device_that_is_read_seldom_the_first_bad_step_is_named_all_the_same(tmp_path, monkeypatch):
    steps_done = 0
    terms = objective.terms

    def spoilt(*arguments):
        nonlocal steps_done
        steps_done += 1
        return terms(*arguments) * (float("inf") if steps_done >= 3 else 1)

    monkeypatch.setattr(objective, "terms", spoilt)
    ranks = Ranks(torch.device("cpu"), torch.float32, ALONE)
    run = trainer.Trainer(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=8), ranks)
    unread = []
    for _ in range(4):
        unread.append(run.step())
        run.state.step += 1
    with pytest.raises(
        TrainingError, match=r"finite loss, found NaN or infinity in step 3: no checkpoint was written yet"
    ):
        run.read(unread)


@pytest.mark.parametrize("gradient_norm", [0.0, 2000.0])
def test_a_gradient_that_is_not_finite_stops_the_run_before_its_weights_are_saved(tmp_path, monkeypatch, gradient_norm):
    steps_done = 0
    terms = objective.terms

    def spoilt(*arguments):
        nonlocal steps_done
        steps_done += 1
        values = terms(*arguments)
        if steps_done == 4:  # of the step that the checkpoint is due at, and the loss is finite
            values.register_hook(lambda gradient: gradient * float("nan"))
        return values

    monkeypatch.setattr(objective, "terms", spoilt)
    recipe = changed(SWAP, {"gradient_norm": gradient_norm})
    with pytest.raises(
        TrainingError, match="expected a finite gradient, found NaN or infinity in step 4: no checkpoint was written"
    ):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, recipe))
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_the_configuration_is_written_before_work_begins_and_read_back_as_it_was(tmp_path, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("no work yet")

    monkeypatch.setattr(objective, "terms", fail)
    asked = configured(tmp_path, precision="float32", ratio=(1.0, 2.0, 3.0))
    with pytest.raises(RuntimeError, match="no work yet"):
        train_on(moving_blobs(), DESCRIPTION, asked)
    assert read(tmp_path) == (asked, DESCRIPTION)


def test_a_folder_with_a_run_is_refused_unless_resumed(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    with pytest.raises(TrainingError, match=r"found a run in .*: continue it with --resume"):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(TrainingError, match=r"found other files in .*: choose another --out"):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path))


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


def test_more_images_than_a_batch_has_are_refused_of_a_fresh_run(tmp_path):
    recipe = changed(SWAP, {"images": 21})
    with pytest.raises(TrainingError, match="expected images of at most 20, as many as a batch has, found 21"):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "run", recipe))
    assert not any((tmp_path / "run").glob("*.json"))


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


@pytest.mark.parametrize(
    "change",
    [{"steps": 0}, {"seed": -1}, {"threads": -1}, {"log_every": 0}, {"seed": 2**63}, {"steps": 10**9 + 1}],
    ids=str,
)
def test_numbers_out_of_bounds_are_refused(tmp_path, change):
    name, value = next(iter(change.items()))
    with pytest.raises(TrainingError, match=f"expected {name} to be .*, found {value}"):
        configured(tmp_path, **change)


@pytest.mark.parametrize("name", ["abacus", "meta", "cpu:0", "cuda:99", "cuda:-1", "mps", "xla", ""])
def test_a_device_that_is_not_there_is_refused(tmp_path, name, monkeypatch):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    with pytest.raises(TrainingError, match=rf"found '{name}': choose cpu(, cuda\S*)*, or auto\.$"):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "run", device=name))
    assert not any(tmp_path.iterdir())


def test_more_threads_than_the_cores_can_bear_are_refused(tmp_path):
    with pytest.raises(
        TrainingError, match=r"expected 1 to \d+ threads on \d+ cores, or 0 for one per core, found 60000"
    ):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "run", threads=60000))
    assert not any(tmp_path.iterdir())


def test_a_run_recorded_with_more_threads_than_there_are_here_is_still_read(tmp_path):
    train_on(moving_blobs(), DESCRIPTION, configured(tmp_path, steps=1))
    recorded = json.loads((tmp_path / "configuration.json").read_text()) | {"threads": 5000}
    (tmp_path / "configuration.json").write_text(json.dumps(recorded))
    assert read(tmp_path)[0].threads == 5000
    assert TrainConfiguration.from_options(out=tmp_path, resume=True, threads=1).threads == 1


@pytest.mark.parametrize(
    ("resume", "said"),
    [(False, "expected a new or empty folder, found other files in .*: choose another --out"),
     (True, "found .*, which holds no run: name one that dcign train wrote")],
)  # fmt: skip
def test_a_data_set_is_not_taken_for_a_run(small_faces, resume, said):
    before = sorted(small_faces.rglob("*"))
    assert (small_faces / "configuration.json").is_file()
    with pytest.raises(TrainingError, match=said):
        train(configured(small_faces), resume=resume)
    assert sorted(small_faces.rglob("*")) == before


@pytest.mark.parametrize("text", ["1e308:1e308:1e308", "inf:1:1", "nan:1:1", "0:0:0", "1:1", "-1:2:2"])
def test_a_ratio_that_is_no_ratio_is_refused(text):
    with pytest.raises(TrainingError, match=r"expected 3 shares >= 0, not all of them 0, as the ratio of"):
        parse_ratio(text, DESCRIPTION.kinds)


def test_a_ratio_for_other_kinds_of_batches_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="expected a ratio of 3 shares, for across:up:identity, found 4"):
        train_on(moving_blobs(), DESCRIPTION, configured(tmp_path / "run", PAPER))
