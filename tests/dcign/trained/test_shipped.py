"""The network that comes with the package: found by its name, never written, and as good as its card says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcign import DCIGN
from dcign.errors import TrainingError
from dcign.evaluate.codes import encode_split
from dcign.explore.network import ExploredRun
from dcign.facegen.model.morphable import MorphableModel
from dcign.inputs.source import DataSource
from dcign.metrics import r_squared
from dcign.render.plan.configuration import RenderConfiguration
from dcign.trained.shipped import DEFAULT, EXAMPLE, network_folder, refuse_shipped, shipped_names
from dcign.trained.trained_run import TrainedRun
from tests.support.commands import dcign, refused
from tests.support.data_sets import draw

LARGEST = 12e6  # bytes of all files
PEOPLE = 2000  # each in one picture


@pytest.fixture(scope="module")
def run() -> TrainedRun:
    return TrainedRun.open(DEFAULT)


def test_the_network_is_small_and_whole() -> None:
    files = {path.name: path.stat().st_size for path in network_folder(DEFAULT).iterdir()}
    assert {"model.safetensors", "config.json", "calibration.json", "evaluation.json", "README.md", EXAMPLE} <= set(
        files
    )
    assert sum(files.values()) < LARGEST
    assert shipped_names() == (DEFAULT,)


def test_the_explorer_measures_steps_against_people(run: TrainedRun) -> None:
    """A standard deviation of the code is that of the factors, which were uniform: their range / sqrt(12)."""
    explored = ExploredRun(run)
    assert 6 <= len(explored.shipped_examples()) <= 20
    for fit in run.calibrations[:3]:
        low, high = fit.range
        first, second = fit.read(np.stack([explored.codes.mean + sign * explored.codes.spread for sign in (-1, 1)]))
        assert abs(second - first) / 2 == pytest.approx((high - low) / 12**0.5, rel=0.3), fit.factor


def test_values_that_can_be_read_are_set_exactly_and_span_the_explorer_s_sliders(run: TrainedRun) -> None:
    sliders = {each["name"]: (each["low"], each["high"]) for each in ExploredRun(run).describe()["factors"]}
    for fit in run.calibrations:
        asked = np.linspace(*fit.reach, 300)
        np.testing.assert_allclose(fit.value(fit.code(asked)), asked, atol=1e-6)
        assert sliders[fit.factor] == (pytest.approx(fit.reach[0]), pytest.approx(fit.reach[1]))
    assert sliders["age"][0] > 25  # the mean age of the people with the lowest latents


def test_a_folder_of_the_user_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert network_folder(DEFAULT).is_dir()
    (tmp_path / DEFAULT).mkdir()
    assert network_folder(DEFAULT) == Path(DEFAULT)


def test_unseen_people_are_read_and_drawn_as_its_card_says(
    run: TrainedRun, model: MorphableModel, tmp_path: Path
) -> None:
    """The figures of evaluation.json hold for the weights in float16, on people of another seed."""
    vary = (*run.description.of_identity, *run.description.parts)
    configuration, _ = RenderConfiguration.from_options(batches=1, size=64, channels=3, seed=7, vary=vary)
    one_of_each = dict.fromkeys(("train", "test", "mix"), 1)
    levels = (1,) * len(configuration.splits.sweep_levels)
    few = replace(configuration.splits, iid=PEOPLE // 20, sweep_levels=levels, **one_of_each)
    draw(tmp_path / "new", model, replace(configuration, splits=few))
    iid = DataSource(tmp_path / "new").labelled("iid")
    read = encode_split(run.codec, iid)
    for index, fit in enumerate(run.calibrations):
        expected = run.evaluation["factors"][fit.factor]["r2"]
        assert r_squared(read.flat_factors[:, index], fit.read(read.flat_mu)) == pytest.approx(expected, abs=0.04)
    images = iid.images[:10].reshape(-1, 64, 64, 3)
    drawn = run.codec.decode(run.codec.encode(images)[0])
    decibels = -10 * np.log10(np.square(drawn - images / 255.0).mean(axis=(1, 2, 3))).mean()
    assert decibels == pytest.approx(run.evaluation["reconstruction"]["psnr_frame_db"], abs=0.8)


def test_it_edits_its_example_and_is_opened_from_python(tmp_path: Path) -> None:
    example = network_folder(DEFAULT) / EXAMPLE
    said = dcign("edit", DEFAULT, example, "--azimuth", "-40,40", "--out", tmp_path / "new.png")
    assert said.exit_code == 0, said.output
    left, right = np.hsplit(np.asarray(Image.open(tmp_path / "new.png"), float), 2)
    assert np.abs(left - right).mean() > 5
    network = DCIGN.from_pretrained(DEFAULT)
    assert network.factors[:3] == ("azimuth", "elevation", "light_azimuth")


def test_nothing_is_written_into_the_package(run: TrainedRun, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="a network of the package"):
        refuse_shipped(run.folder)
    refuse_shipped(tmp_path)
    for words in (("evaluate", DEFAULT), ("export", DEFAULT)):
        assert "dcign export face --to hub --out face-copy" in refused(*words)


def test_a_copy_in_half_precision_is_half_as_large_and_draws_the_same(run: TrainedRun, tmp_path: Path) -> None:
    for name, words in {"whole": (), "half": ("--half",)}.items():
        said = dcign("export", DEFAULT, "--to", "hub", "--out", tmp_path / name, *words)
        assert said.exit_code == 0, said.output
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.55 * sizes[1]
    assert "--half" in refused("export", DEFAULT, "--to", "onnx", "--half", "--out", tmp_path / "onnx")
