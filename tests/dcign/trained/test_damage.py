"""Damaged runs: whatever bytes a run's files hold, reading them works or ends in one sentence."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import random
import shutil
import signal

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from dcign.errors import TrainingError
from dcign.inputs.batches import TrainingBatches
from dcign.recipes.registry import PAPER, SWAP, changed
from dcign.run.checkpoint import FILE as CHECKPOINT
from dcign.run.configuration import FILE as CONFIGURATION
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.training import train_on
from dcign.trained import calibration
from dcign.trained.calibration import FILE as CALIBRATION
from dcign.trained.trained_run import TrainedRun

DESCRIPTION = ImageDescription(
    size=32, channels=1, factors=("across", "up"), units=("px", "px"), mirror_signs=(-1, 1), data_sha256="none"
)
BATCHES = TrainingBatches(
    torch.randint(0, 256, (3, 20, 32, 32, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    np.arange(3),
)
STRANGE = (None, True, -1, 0, 3, 1e308, 10**30, "", "x", "\u0000", [], [1, "x"], {}, [[[]]], 0.5, "cpu", float("nan"))


@pytest.fixture(autouse=True)
def hangs():
    """A file on which reading hangs fails its test, minutes beyond what all of a test's files take."""

    def stop(*_):
        raise AssertionError("reading a damaged file hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(600)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def trained(folder, recipe=SWAP):
    settings = {"data": "noise", "seed": 0, "device": "cpu", "threads": 1, "ratio": (1.0, 1.0, 1.0)}
    train_on(BATCHES, DESCRIPTION, TrainConfiguration(out=str(folder), recipe=recipe, steps=2, **settings))
    rng = np.random.default_rng(0)
    codes = rng.normal(size=50)
    fits = [calibration.calibrate(name, latent, codes, 9 * codes) for latent, name in enumerate(DESCRIPTION.factors)]
    calibration.write_calibrations(folder, fits)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("damage") / "run")


@pytest.fixture
def copy(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    return tmp_path / "run"


def read_network(folder):
    return TrainedRun.open(folder).codec


def read_calibrated(folder):
    return TrainedRun.open(folder).calibrations


def go_on(folder):
    train_on(BATCHES, DESCRIPTION, TrainConfiguration.from_options(out=folder, resume=True, threads=1), resume=True)


READERS = {
    CONFIGURATION: (read_network, go_on),
    CHECKPOINT: (read_network, go_on),
    CALIBRATION: (read_calibrated,),
}


def refused(folder, name):
    """Read a file of a run in every way; returns whether one refused, and fails on anything but a sentence."""
    sentences = []
    for reads in READERS[name]:
        try:
            reads(folder)
        except TrainingError as error:
            sentences.append(str(error))
    assert all("\n" not in sentence and 0 < len(sentence) < 1000 for sentence in sentences), sentences
    return bool(sentences)


def places(value, path=()):
    """Every place of a JSON value: the keys that lead there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inner:
        yield (*path, key)
        yield from places(held, (*path, key))


def strange(whole, chance):
    """A JSON value with one place made strange, or gone."""
    broken = json.loads(json.dumps(whole))
    *way, key = chance.choice([place for place in places(whole) if len(place) < 5 or chance.random() < 0.02])
    target = broken
    for step in way:
        target = target[step]
    if chance.random() < 0.15:
        del target[key]
    else:
        target[key] = chance.choice(STRANGE)
    return json.dumps(broken).encode()


def flipped(whole, chance, end):
    """Bytes of which one or a few of the first `end` were changed, or that are cut short."""
    broken = bytearray(whole)
    for _ in range(chance.choice((1, 1, 4))):
        at = chance.randrange(end)
        broken[at] = chance.choice((broken[at] ^ 1 << chance.randrange(8), chance.randrange(256), *b'01"-'))
    return bytes(broken if chance.random() < 0.9 else broken[: chance.randrange(len(broken))])


@pytest.mark.parametrize(
    ("name", "how", "times", "least"),
    [
        (CONFIGURATION, "strange", 120, 60),
        (CONFIGURATION, "flipped", 60, 20),
        (CALIBRATION, "strange", 80, 40),
        (CALIBRATION, "flipped", 60, 20),
    ],
)
def test_json_with_anything_made_strange_is_read_or_refused(run, copy, name, how, times, least):
    whole, chance, count = (run / name).read_bytes(), random.Random(0), 0
    for _ in range(times):
        broken = strange(json.loads(whole), chance) if how == "strange" else flipped(whole, chance, len(whole))
        (copy / name).write_bytes(broken)
        count += refused(copy, name)
    assert count >= least


def test_a_checkpoint_with_any_bytes_changed_is_read_or_refused(run, copy):
    whole, chance, count = (run / CHECKPOINT).read_bytes(), random.Random(1), 0
    head = 8 + int.from_bytes(whole[:8], "little")
    for _ in range(150):
        broken = flipped(whole, chance, head if chance.random() < 0.9 else len(whole))
        (copy / CHECKPOINT).write_bytes(broken)
        count += refused(copy, CHECKPOINT)
    assert count > 60


def rewritten(run, copy, change, header=None):
    """Write a whole checkpoint whose tensors, and numbers in the header, were changed by hand."""
    tensors = load_file(run / CHECKPOINT)
    whole = (run / CHECKPOINT).read_bytes()
    found = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])["__metadata__"]
    known = json.loads(found["dcign"])
    change(tensors)
    save_file(tensors, copy / CHECKPOINT, metadata={"dcign": json.dumps(known | (header or {}))})


def spoil(prefix, value):
    def change(tensors):
        name = next(name for name in sorted(tensors) if name.startswith(prefix))
        tensors[name] = value(tensors[name])

    return change


def nan_in(tensor):
    tensor.view(-1)[0] = float("nan")
    return tensor


WRONG = {
    "weights not finite": spoil("weights.", nan_in),
    "averages not finite": spoil("average.", nan_in),
    "moments not finite": spoil("optimizer.0.exp_avg", nan_in),
    "whole numbers": spoil("weights.", lambda tensor: tensor.view(torch.int32)),
    "another shape": spoil("average.", lambda tensor: tensor[None]),
    "a huge shape": spoil("average.", lambda tensor: torch.zeros(10**7)),
    "squares below nothing": spoil("optimizer.0.exp_avg_sq", lambda tensor: tensor - 1),
    "steps below nothing": spoil("optimizer.0.step", lambda tensor: tensor - 100),
    "a missing weight": lambda tensors: tensors.pop("average.decoder.seed.bias"),
    "a missing moment": lambda tensors: [tensors.pop(name) for name in list(tensors) if name.endswith("exp_avg_sq")],
    "no moments": lambda tensors: [tensors.pop(name) for name in list(tensors) if name.startswith("optimizer.")],
}


@pytest.mark.parametrize("name", list(WRONG))
def test_a_whole_checkpoint_of_wrong_numbers_is_refused(run, copy, name):
    rewritten(run, copy, WRONG[name])
    assert refused(copy, CHECKPOINT)


@pytest.mark.parametrize(
    "header",
    [
        {"step": -1},
        {"step": 10**18},
        {"step": "2"},
        {"seconds": float("inf")},
        {"optimizer": []},
        {"optimizer": {"0.exp_avg": "x"}},
        {"optimizer": {"0.step": float("nan")}},
        {"optimizer": {"0": 1}},
        {"optimizer": {"-1.step": 1}},
        {"version": 2},
    ],
    ids=str,
)
def test_a_checkpoint_whose_header_lies_is_refused(run, copy, header):
    rewritten(run, copy, lambda tensors: None, header)
    assert refused(copy, CHECKPOINT)


def test_a_checkpoint_of_another_optimiser_is_refused(run, tmp_path):
    other = trained(tmp_path / "other", changed(PAPER, {"latents": SWAP.latents}))
    shutil.copy(run / CHECKPOINT, other)
    with pytest.raises(TrainingError, match=r"cannot read .*checkpoint.safetensors"):
        go_on(other)


class Trap:
    """Runs code where it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("trapped",)


@pytest.mark.parametrize("name", [CONFIGURATION, CHECKPOINT, CALIBRATION])
@pytest.mark.parametrize("disguise", ["pickle", "torch"])
def test_a_pickle_in_disguise_runs_no_code(copy, tmp_path, monkeypatch, name, disguise):
    monkeypatch.chdir(tmp_path)
    if disguise == "pickle":
        (copy / name).write_bytes(pickle.dumps(Trap()))
    else:
        torch.save({"model": Trap()}, copy / name)
    assert refused(copy, name)
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("name", [CONFIGURATION, CHECKPOINT, CALIBRATION])
@pytest.mark.parametrize("what", ["nothing", "a folder", "itself", "nested", "terabyte", "a lying length"])
def test_what_is_no_such_file_is_refused_without_reading_it(copy, name, what):
    path = copy / name
    path.unlink()
    if what == "a folder":
        path.mkdir()
    elif what == "itself":
        path.symlink_to(path)
    elif what == "nested":
        path.write_text("[" * 100_000)
    elif what == "terabyte":
        with path.open("wb") as file:
            file.truncate(2**40)  # a hole: it takes no room on the disk, and all memory if it is read
    elif what == "a lying length":
        path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    assert refused(copy, name)


def test_a_log_that_a_dying_machine_left_does_not_hold_a_run_up(copy):
    log = copy / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b'{"step": 1}\n' + bytes(50) + b'\n{"loss": 1}\n[]\n\xff\xfe\n{"step": "x"}\n' + whole + b'{"step')
    go_on(copy)
    assert log.read_bytes() == b'{"step": 1}\n' + whole


def test_a_checkpoint_of_another_network_is_refused(run, tmp_path):
    other = trained(tmp_path / "other", changed(SWAP, {"latents": 16}))
    shutil.copy(run / CHECKPOINT, other)
    with pytest.raises(TrainingError, match=r"cannot read .*checkpoint.safetensors \(.*size mismatch"):
        _ = TrainedRun.open(other).codec


def test_a_record_with_more_than_a_run_has_is_refused(run, copy):
    found = json.loads((run / CONFIGURATION).read_text())
    (copy / CONFIGURATION).write_text(json.dumps(found | {"__class__": "os.system", "steps2": 1}))
    assert refused(copy, CONFIGURATION)
    assert {field.name for field in dataclasses.fields(TrainConfiguration)} <= found.keys()
