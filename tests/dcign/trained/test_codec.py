"""The codec of a run: images to codes and back, in parts, with progress, in float32 and in bfloat16."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from dcign.errors import TrainingError
from dcign.inputs.source import DataSource
from dcign.recipes.registry import RECIPES
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from dcign.trained.trained_run import TrainedRun


@pytest.fixture(scope="module")
def swap(small_faces, tmp_path_factory):
    """A run of three steps."""
    out = tmp_path_factory.mktemp("codec") / "run"
    train(TrainConfiguration(str(small_faces), str(out), RECIPES["swap"], 3, 0, device="cpu"))
    return out


def test_codes_of_another_network_or_of_no_numbers_are_refused(swap):
    codec = TrainedRun.open(swap).codec
    for codes in (np.zeros((2, 3)), np.zeros(28), np.zeros((0, 28)), np.full((1, 28), np.nan)):
        with pytest.raises(TrainingError, match=r"expected finite codes \(N, 40\), one or more"):
            codec.decode(codes)


def test_a_codec_encodes_any_number_of_images_and_decodes_what_it_encoded(swap, small_faces):
    codec = TrainedRun.open(swap).codec
    images = DataSource(small_faces).labelled("iid").images.reshape(-1, 32, 32, 1)
    mu, logvar = codec.encode(images)
    alone, _ = codec.encode(images[:1])
    assert mu.shape == logvar.shape == (len(images), RECIPES["swap"].latents)
    np.testing.assert_allclose(alone[0], mu[0], atol=1e-5)
    assert codec.decode(mu).shape == images.shape


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="holds no run"):
        _ = TrainedRun.open(tmp_path).codec


def test_encoding_reports_every_pass(swap, small_faces, monkeypatch):
    monkeypatch.setattr("dcign.trained.codec.PIXELS_AT_ONCE", 10 * 32 * 32)
    images = DataSource(small_faces).labelled("iid").images.reshape(-1, 32, 32, 1)[:25]
    told = []
    TrainedRun.open(swap).codec.encode(images, told.append)
    assert told == [0.4, 0.8, 1.0]


def test_a_network_trained_in_float32_is_evaluated_in_it(swap, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(swap, run)
    configuration = json.loads((run / "configuration.json").read_text()) | {"precision": "float32"}
    (run / "configuration.json").write_text(json.dumps(configuration))
    assert TrainedRun.open(run).codec.precision == torch.float32


def test_bfloat16_changes_a_code_little(swap, small_faces):
    images = DataSource(small_faces).labelled("iid").images.reshape(-1, 32, 32, 1)
    exact, rounded = (
        dataclasses.replace(TrainedRun.open(swap).codec, precision=precision).encode(images)[0]
        for precision in (torch.float32, torch.bfloat16)
    )
    assert 0 < np.abs(exact - rounded).max() < 0.05 * exact.std()
