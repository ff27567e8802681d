"""The networks that come with the package: found by their names, never written, and as good as their cards say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.shipped_network import MAKINGS
from dcign import DCIGN
from dcign.errors import TrainingError
from dcign.evaluate.codes import encode_split
from dcign.evaluate.robustness import FRAMINGS, alterations_of
from dcign.explore.network import ExploredRun
from dcign.facegen.model.morphable import MorphableModel
from dcign.inputs.source import DataSource, LabelledBatches
from dcign.metrics import r_squared
from dcign.publish.card import model_card
from dcign.render.plan.configuration import RenderConfiguration
from dcign.trained.shipped import DEFAULT, EXAMPLE, FOLDER, network_folder, refuse_shipped, shipped_names
from dcign.trained.trained_run import TrainedRun
from tests.support.commands import dcign, refused
from tests.support.data_sets import draw

NAMES = ("face", "wild")
LARGEST = 12e6  # bytes of all files of all networks
PEOPLE = 2000  # each in one picture


@pytest.fixture(scope="module", params=NAMES)
def run(request: pytest.FixtureRequest) -> TrainedRun:
    return TrainedRun.open(request.param)


@pytest.fixture(scope="module")
def people(model: MorphableModel, tmp_path_factory: pytest.TempPathFactory) -> LabelledBatches:
    """Pictures of people of another seed than the networks were trained on, with masks."""
    description, folder = TrainedRun.open(DEFAULT).description, tmp_path_factory.mktemp("people") / "new"
    vary = (*description.of_identity, *description.parts)
    configuration, _ = RenderConfiguration.from_options(batches=1, size=64, channels=3, seed=7, vary=vary, truth="mask")
    one_of_each = dict.fromkeys(("train", "test", "mix"), 1)
    levels = (1,) * len(configuration.splits.sweep_levels)
    few = replace(configuration.splits, iid=PEOPLE // 20, sweep_levels=levels, **one_of_each)
    draw(folder, model, replace(configuration, splits=few))
    return DataSource(folder).labelled("iid")


def test_the_networks_are_small_and_whole() -> None:
    assert shipped_names() == NAMES
    for name in NAMES:
        files = {path.name for path in network_folder(name).iterdir()}
        assert {"model.safetensors", "config.json", "calibration.json", "evaluation.json", "README.md"} <= files
        assert EXAMPLE in files
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_that_of_its_files_and_says_what_the_network_cannot_do(name: str) -> None:
    run = TrainedRun.open(name)
    written = (run.folder / "README.md").read_text()
    assert written == model_card(run.published, *run.results)
    assert all(f"\n- {sentence}\n" in written for sentence in run.published.limits)
    assert ("none of shape are alive" in written) == (name == "wild")


def test_the_command_that_makes_them_again_trains_what_the_cards_say() -> None:
    assert MAKINGS.keys() == {*NAMES}
    for name, making in MAKINGS.items():
        run = TrainedRun.open(name)
        assert f"dcign train people64c {making.train} --seed 0\n" in (run.folder / "README.md").read_text()
        assert run.published.limits == making.limits


def test_the_explorer_measures_steps_against_people(run: TrainedRun) -> None:
    """A standard deviation of the code is that of the factors, which were uniform: their range / sqrt(12)."""
    explored = ExploredRun(run)
    assert 6 <= len(explored.shipped_examples()) <= 20
    for fit in run.calibrations[:3]:
        low, high = fit.range
        first, second = fit.read(np.stack([explored.codes.mean + sign * explored.codes.spread for sign in (-1, 1)]))
        assert abs(second - first) / 2 == pytest.approx((high - low) / 12**0.5, rel=0.3), fit.factor


def test_a_folder_of_the_user_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert network_folder(DEFAULT).is_dir()
    (tmp_path / DEFAULT).mkdir()
    assert network_folder(DEFAULT) == Path(DEFAULT)


def test_unseen_people_are_read_and_drawn_as_its_card_says(run: TrainedRun, people: LabelledBatches) -> None:
    """The figures of evaluation.json hold for the weights in float16, on people of another seed."""
    read = encode_split(run.codec, people)
    for index, fit in enumerate(run.calibrations):
        expected = run.evaluation["factors"][fit.factor]["r2"]
        assert r_squared(read.flat_factors[:, index], fit.read(read.flat_mu)) == pytest.approx(expected, abs=0.04)
    images = people.images[:10].reshape(-1, 64, 64, 3)
    drawn = run.codec.decode(run.codec.encode(images)[0])
    decibels = -10 * np.log10(np.square(drawn - images / 255.0).mean(axis=(1, 2, 3))).mean()
    assert decibels == pytest.approx(run.evaluation["reconstruction"]["psnr_frame_db"], abs=0.8)


def test_altered_pictures_are_read_as_its_card_says(run: TrainedRun, people: LabelledBatches) -> None:
    """face reads azimuth wrongly from shifted and enlarged pictures and in front of gray; wild does not."""
    images, mask = people.images[:20].reshape(-1, 64, 64, 3), people.mask[:20].reshape(-1, 64, 64)
    truth, azimuth = people.factors[:20].reshape(len(images), -1)[:, 0], run.calibrations[0]
    said = run.evaluation["robustness"]["alterations"]
    for name, altered in alterations_of(images, mask, np.random.default_rng(0)).items():
        error = np.abs(azimuth.read(run.codec.encode(altered)[0]) - truth).mean()
        assert error == pytest.approx(said[name]["azimuth"]["mean_absolute_error"], rel=0.2), name
        if name in (*FRAMINGS, "gray_background"):
            assert error < 3.5 if run.name == "wild" else error > 8, name


def test_it_edits_its_example_and_is_opened_from_python(run: TrainedRun, tmp_path: Path) -> None:
    name = run.folder.name
    said = dcign("edit", name, run.folder / EXAMPLE, "--azimuth", "-40,40", "--out", tmp_path / "new.png")
    assert said.exit_code == 0, said.output
    left, right = np.hsplit(np.asarray(Image.open(tmp_path / "new.png"), float), 2)
    assert np.abs(left - right).mean() > 5
    network = DCIGN.from_pretrained(name)
    assert network.factors[:3] == ("azimuth", "elevation", "light_azimuth")


def test_only_the_network_for_renderings_warns_of_a_photograph_and_names_the_other(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    said = {name: dcign("edit", name, tmp_path / "photo.png").output for name in NAMES}
    assert "do not trust these values and pictures. For a photograph, use the network wild" in said["face"]
    assert "trust" not in said["wild"]


def test_nothing_is_written_into_the_package(run: TrainedRun, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="a network of the package"):
        refuse_shipped(run.folder)
    refuse_shipped(tmp_path)
    name = run.folder.name
    assert "which cannot be evaluated again: name a run that dcign train wrote" in refused("evaluate", name)
    for to in ("onnx", "hub", "web"):
        assert f"expected --out FOLDER with {name}, a network of the package" in refused("export", name, "--to", to)


def test_networks_of_the_package_are_compared_by_their_names_without_the_advice_to_draw_missing_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = dcign("compare", *NAMES, "--any-data")
    assert said.exit_code == 0, said.output
    assert "wild x1" in said.output
    assert "compare.html" not in said.output
    assert "expected --out with --data" in refused("compare", *NAMES, "--data", "nowhere")


@pytest.mark.parametrize(
    "words",
    [
        ("edit", "fase", "photo.png"),
        ("edit", "fase", "photo.png", "--azimuth", "30"),
        ("encode", "fase", ".", "--out", "z.npz"),
        ("evaluate", "fase"),
        ("export", "fase"),
        ("explore", "fase", "--no-browser", "--port", "0"),
    ],
)
def test_an_unknown_name_is_refused_with_the_names_that_there_are(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = dcign(*words)
    assert said.exit_code != 0
    assert "a network of the package (face, wild)" in " ".join(said.output.split())


def test_a_copy_keeps_what_the_card_says_and_in_half_precision_is_half_as_large(
    run: TrainedRun, tmp_path: Path
) -> None:
    for name, words in {"whole": (), "half": ("--half",)}.items():
        said = dcign("export", run.folder.name, "--to", "hub", "--out", tmp_path / name, *words)
        assert said.exit_code == 0, said.output
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.55 * sizes[1]
    assert TrainedRun.open(tmp_path / "half").published == run.published
    assert "--half" in refused("export", run.folder.name, "--to", "onnx", "--half", "--out", tmp_path / "onnx")


def test_a_network_is_the_package_s_by_a_relative_path_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    for name in ("face", "../networks/face"):
        with pytest.raises(TrainingError, match="expected a run's folder, found face, a network of the package"):
            refuse_shipped(Path(name))
