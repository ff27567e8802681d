"""Damaged runs: whatever bytes a run's files hold, reading them works or ends in one sentence."""

import json
import random
import shutil

import numpy as np
import pytest
import torch

from dcign.batches import TrainingBatches
from dcign.codec import load_codec
from dcign.configuration import ImageDescription, TrainConfiguration
from dcign.errors import TrainingError
from dcign.recipes import SWAP, changed
from dcign.training import configuration_to_resume, train_on

DESCRIPTION = ImageDescription(
    size=32, channels=1, factors=("across", "up"), units=("px", "px"), mirror_signs=(-1, 1), data_sha256="none"
)
BATCHES = TrainingBatches(
    torch.randint(0, 256, (3, 20, 32, 32, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    np.arange(3),
)
STRANGE = (None, True, -1, 0, 3, 1e308, 10**30, "", "x", "\u0000", [], [1, "x"], {}, [[[]]], 0.5, "cpu", float("nan"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage") / "run"
    settings = {"data": "noise", "seed": 0, "device": "cpu", "threads": 1, "ratio": (1.0, 1.0, 1.0)}
    train_on(BATCHES, DESCRIPTION, TrainConfiguration(out=str(folder), recipe=SWAP, steps=2, **settings))
    return folder


def read_or_refused(folder):
    """Read a run both ways; returns whether either was refused, and fails on any other error."""
    refused = 0
    try:
        load_codec(folder)
    except TrainingError as error:
        refused, sentence = 1, str(error)
        assert "\n" not in sentence
    try:
        train_on(BATCHES, DESCRIPTION, configuration_to_resume(folder, threads=1), resume=True)
    except TrainingError as error:
        refused, sentence = 1, str(error)
        assert "\n" not in sentence
    return refused


def test_a_configuration_with_any_value_made_strange_is_read_or_refused(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    whole = json.loads((run / "configuration.json").read_text())
    places = [(None, key) for key in whole]
    places += [(part, key) for part in ("recipe", "description") for key in whole[part]]
    chance, refused = random.Random(0), 0
    for _ in range(250):
        broken = json.loads(json.dumps(whole))
        part, key = chance.choice(places)
        target = broken if part is None else broken[part]
        if chance.random() < 0.1:
            del target[key]
        else:
            target[key] = chance.choice(STRANGE)
        (folder / "configuration.json").write_text(json.dumps(broken))
        refused += read_or_refused(folder)
    assert refused > 150


def test_a_checkpoint_with_any_bytes_changed_is_read_or_refused(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    whole = (run / "checkpoint.safetensors").read_bytes()
    head = 8 + int.from_bytes(whole[:8], "little")
    chance, refused = random.Random(1), 0
    for _ in range(250):
        broken = bytearray(whole)
        for _ in range(chance.choice((1, 1, 4))):
            broken[chance.randrange(head)] = chance.choice((chance.randrange(256), ord("0"), ord("1"), ord('"')))
        cut = len(broken) if chance.random() < 0.9 else chance.randrange(len(broken))
        (folder / "checkpoint.safetensors").write_bytes(broken[:cut])
        refused += read_or_refused(folder)
    assert refused > 100


def test_a_checkpoint_of_another_network_is_refused(run, tmp_path):
    other = tmp_path / "other"
    settings = {"data": "noise", "seed": 0, "device": "cpu", "threads": 1, "ratio": (1.0, 1.0, 1.0)}
    recipe = changed(SWAP, {"latents": 16})
    train_on(BATCHES, DESCRIPTION, TrainConfiguration(out=str(other), recipe=recipe, steps=1, **settings))
    shutil.copy(run / "checkpoint.safetensors", other)
    with pytest.raises(TrainingError, match=r"cannot read .*checkpoint.safetensors \(.*size mismatch"):
        load_codec(other)


def test_json_that_is_nested_without_end_is_no_run(run, tmp_path):
    (tmp_path / "configuration.json").write_text("[" * 100_000)
    with pytest.raises(TrainingError, match="holds no run"):
        load_codec(tmp_path)
