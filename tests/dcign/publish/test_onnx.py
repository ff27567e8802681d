"""ONNX: what another program computes from the files is what torch does."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from dcign.errors import DataError, TrainingError
from dcign.inputs.batches import TrainingBatches
from dcign.publish import hub
from dcign.publish import onnx as export
from dcign.recipes.registry import PAPER, SWAP
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.storage.atomic import write_atomic
from dcign.train.training import train_on
from dcign.trained.calibration import calibrate, from_json, write_calibrations
from dcign.trained.trained_run import TrainedRun
from tests.support.noise_run import make_noise_run

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

DESCRIPTION = ImageDescription(
    size=37, channels=1, factors=("across", "up"), units=("px", "px"), mirror_signs=(-1, 1), data_sha256="none"
)


def trained(folder, recipe):
    noise = torch.randint(0, 256, (3, 20, 37, 37, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    settings = {"data": "noise", "out": str(folder), "seed": 0, "device": "cpu", "threads": 1, "ratio": (1.0, 1.0, 1.0)}
    train_on(TrainingBatches(noise, np.arange(3)), DESCRIPTION, TrainConfiguration(recipe=recipe, steps=2, **settings))
    return folder


@pytest.mark.parametrize("recipe", [SWAP, PAPER], ids=lambda recipe: recipe.name)
def test_onnx_runtime_computes_what_the_codec_does_for_any_number_of_images(tmp_path, recipe):
    run = trained(tmp_path / "run", recipe)
    encoder_file, decoder_file = export.export_run(TrainedRun.open(run), tmp_path / "onnx")
    encoder, decoder = (onnxruntime.InferenceSession(file) for file in (encoder_file, decoder_file))
    codec = dataclasses.replace(TrainedRun.open(run).codec, precision=torch.float32)
    for count in (1, 2, 7):
        images = np.random.default_rng(count).integers(0, 256, (count, 37, 37, 1), dtype=np.uint8)
        mu, logvar = codec.encode(images)
        given = images.transpose(0, 3, 1, 2).astype(np.float32) / 255
        found_mu, found_logvar = encoder.run(["mu", "logvar"], {"images": given})
        np.testing.assert_allclose(found_mu, mu, atol=1e-4)
        np.testing.assert_allclose(found_logvar, logvar, atol=1e-4)
        (pictures,) = decoder.run(["images"], {"code": mu})
        np.testing.assert_allclose(pictures.transpose(0, 2, 3, 1), codec.decode(mu), atol=1e-4)
    about = json.loads(encoder.get_modelmeta().custom_metadata_map["dcign"])
    assert about["factors"][1] == {"name": "up", "units": "px", "latent": 1}
    assert about["latents"] == recipe.latents
    assert about["calibration"] == []  # the run was not evaluated


def test_the_metadata_of_both_files_hold_the_calibration_as_calibration_json_does(tmp_path):
    run, rng = trained(tmp_path / "run", SWAP), np.random.default_rng(0)
    fits = [calibrate(name, 1 - k, *rng.normal(size=(2, 30))) for k, name in enumerate(DESCRIPTION.factors)]
    write_calibrations(run, fits)
    for file in export.export_run(TrainedRun.open(run), tmp_path / "onnx"):
        about = json.loads(onnxruntime.InferenceSession(file).get_modelmeta().custom_metadata_map["dcign"])
        assert about["calibration"] == json.loads((run / "calibration.json").read_text())["factors"]
        for found, fit in zip(map(from_json, about["calibration"]), fits, strict=True):
            codes = rng.normal(size=9)
            np.testing.assert_array_equal(found.value(codes), fit.value(codes))


def test_files_that_are_there_are_not_overwritten(tmp_path):
    (tmp_path / "decoder.onnx").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"decoder\.onnx is there already; expected a new file: remove it"):
        export.export_run(TrainedRun.open(trained(tmp_path / "run", SWAP)), tmp_path)
    assert not (tmp_path / "encoder.onnx").exists()
    assert (tmp_path / "decoder.onnx").read_bytes() == b"mine"


def test_a_difference_from_torch_is_refused_and_nothing_written(tmp_path, monkeypatch):
    written = export._onnx

    def spoilt(network, *others):
        with torch.no_grad():
            network.model.encoder.even.bias += 0.01
        content = written(network, *others)
        with torch.no_grad():
            network.model.encoder.even.bias -= 0.01
        return content

    run = trained(tmp_path / "run", SWAP)
    monkeypatch.setattr(export, "_onnx", spoilt)
    with pytest.raises(TrainingError, match=r"expected mu of ONNX Runtime within 0\.0001 of torch's"):
        export.export_run(TrainedRun.open(run), tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()


@pytest.mark.parametrize("to", ["onnx", "hub"])
def test_an_export_that_fails_half_way_leaves_no_file_and_can_be_tried_again(tmp_path, monkeypatch, to):
    folder, out = make_noise_run(tmp_path / "run"), tmp_path / "out"
    last = {"onnx": "decoder.onnx", "hub": "README.md"}[to]

    def full(path, content):
        if path.name == last:
            raise OSError(28, "No space left on device")
        write_atomic(path, content)

    with monkeypatch.context() as broken:
        broken.setattr({"onnx": export, "hub": hub}[to], "write_atomic", full)
        with pytest.raises(TrainingError, match="No space left on device"):
            export.export_run(TrainedRun.open(folder), out, to)
    assert not out.exists()
    out.mkdir()
    assert export.export_run(TrainedRun.open(folder), out, to)[0].exists()


def test_without_onnx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "NEEDED", ("onnx", "no_such_package"))
    with pytest.raises(TrainingError, match=r"found no package no_such_package: run `pip install 'dcign\[onnx\]'`"):
        export.export_run(TrainedRun.open(trained(tmp_path / "run", SWAP)), tmp_path / "onnx")


def test_another_format_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="expected one of the formats onnx, hub, found 'pickle'"):
        export.export_run(TrainedRun.open(trained(tmp_path / "run", SWAP)), tmp_path, to="pickle")
