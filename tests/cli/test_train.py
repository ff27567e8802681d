"""`dcign train` and `dcign export`: what they leave, refuse, and go on with."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from dcign.commands import train as command
from dcign.storage.lock import folder_lock
from dcign.trained.shipped import EXAMPLE, FOLDER
from tests.support.commands import dcign, imported_by, refused

pytestmark = pytest.mark.usefixtures("quick_evaluations")


def test_train_refuses_an_unknown_recipe_and_lists_the_known(small_faces: Path, tmp_path: Path) -> None:
    sentence = refused("train", small_faces, "--recipe", "magic", "--out", tmp_path / "run")
    assert "'swap', 'swap-1', 'wild', 'paper', 'released', 'vae', 'beta-vae', 'ada-gvae'" in sentence


def test_train_refuses_a_setting_that_cannot_be_and_names_the_nearest_field(small_faces: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    sentence = " ".join(refused("train", small_faces, "--set", "mirrors=false", "--out", run).split())
    assert sentence.endswith("expected a field of the recipe, found 'mirrors': did you mean mirror (true|false)?")
    assert "expected mirror to be true|false, found 'no'" in refused(
        "train", small_faces, "--set", "mirror=no", "--out", run
    )
    words = ("--pretrain", "5", "--steps", "5")
    assert "expected fewer pretrain_steps than steps, found 5 and 5" in refused(
        "train", small_faces, *words, "--out", run
    )
    assert not run.exists()


@pytest.mark.parametrize("split", ["iid", "test", "sweep"])
def test_train_refuses_a_data_set_that_cannot_be_evaluated_before_it_trains(
    small_faces: Path, tmp_path: Path, split: str
) -> None:
    faces, run = tmp_path / "faces", tmp_path / "run"
    shutil.copytree(small_faces, faces)
    manifest = json.loads((faces / "dataset.json").read_text())
    del manifest["splits"][split]
    (faces / "dataset.json").write_text(json.dumps(manifest))
    assert f"expected a split '{split}' in {faces}, found none" in refused("train", faces, "--out", run, "--steps", 2)
    assert not run.exists()


def test_train_keeps_what_was_set_and_resumes_by_the_same_command(
    small_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["train", small_faces, "--set", "mirror=false", "--pretrain", "1", "--steps", "2"]
    words += ["--out", tmp_path / "run", "--threads", "1"]
    assert dcign(*words).exit_code == 0
    recipe = json.loads((tmp_path / "run" / "configuration.json").read_text())["recipe"]
    assert (recipe["name"], recipe["mirror"]) == ("swap,mirror=false,pretrain_steps=1", False)
    monkeypatch.setattr(command, "_evaluate_run", lambda *_: None)  # once is enough: it takes most of the time
    assert dcign(*words, "--resume").exit_code == 0
    assert "holds no run" in refused("export", tmp_path)
    exported = dcign("export", tmp_path / "run", "--out", tmp_path / "onnx")
    assert "encoder.onnx" in exported.output
    assert exported.exit_code == 0 or "dcign[onnx]" in exported.output
    assert dcign("train", "--out", tmp_path / "run", "--threads", "1", "--resume").exit_code == 0
    other = ("--set", "mirror=true", "--out", tmp_path / "run", "--resume")
    assert 'expected recipe.name to be "swap,mirror=false,pretrain_steps=1", as in' in refused("train", *other)


def test_a_training_that_is_stopped_before_its_first_step_names_the_step_and_the_folder_that_are_kept(
    small_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_evaluate_run", lambda *_: None)
    run = tmp_path / "run"
    words = ["train", small_faces, "--steps", "3", "--set", "network=strided", "--threads", "1", "--out", run]

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("dcign.train.trainer.initialise", stopped)
        result = dcign(*words)
    assert result.exit_code == 130
    said = " ".join(result.output.split())
    assert f"Stopped before the first step; nothing is kept in {run}: run the same command again." in said
    assert dcign(*words).exit_code == 0
    monkeypatch.setattr("dcign.train.trainer.initialise", stopped)
    said = " ".join(dcign(*words, "--resume").output.split())
    assert f"Stopped before a further step; step 3 is kept in {run}: run the same command with --resume." in said
    (run / "checkpoint.safetensors").unlink()
    said = " ".join(dcign(*words, "--resume").output.split())
    assert f"nothing is kept in {run}: run the same command with --resume." in said


def test_export_writes_a_data_set_without_torch_and_overwrites_nothing(small_faces: Path, tmp_path: Path) -> None:
    words = ("export", small_faces, "--to", "npz", "--out", tmp_path / "out")
    assert not imported_by(*words, "--split", "iid") & {"torch", "pyrender", "OpenGL"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["about.json", "iid.npz"]
    assert "there already" in refused(*words)
    result = dcign("export", small_faces, "--to", "png", "--split", "iid", "--out", tmp_path / "png")
    assert f"{tmp_path / 'png'}: 40 images." in result.output


def test_export_tells_runs_from_data_sets_and_names_what_each_goes_to(small_faces: Path, tmp_path: Path) -> None:
    assert "choose --to png, npz, 3dshapes, webdataset" in refused("export", small_faces)
    sentence = refused("export", small_faces, "--to", "onnx")
    assert "expected a format of data sets for" in sentence
    assert "found onnx: choose --to png, npz, 3dshapes, webdataset" in sentence
    (tmp_path / "configuration.json").write_text("{}")  # as a run has, and a data set that is not finished
    for words in (("--to", "png"), ("--split", "test")):
        sentence = refused("export", tmp_path, *words)
        asked = " ".join(words[: 2 if "png" in words else 1])
        assert f"expected dataset.json in {tmp_path}, because {asked} is for data sets" in sentence
        assert "a run is exported --to onnx, hub, web, without these options" in sentence
    assert "'zip' is not one of 'onnx', 'hub'" in refused("export", tmp_path, "--to", "zip")
    assert [path.name for path in tmp_path.iterdir()] == ["configuration.json"]


def test_ctrl_c_during_an_export_leaves_nothing(
    small_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dcign.data.export.png.png_bytes", interrupted)
    result = dcign("export", small_faces, "--to", "png", "--out", tmp_path / "png")
    assert result.exit_code == 130
    assert "Stopped. Nothing was written." in result.output
    assert not list(tmp_path.iterdir())


def test_train_refuses_no_steps_a_strange_ratio_and_nothing_to_resume(small_faces: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert "0 is not in the range x>=1" in refused("train", small_faces, "--steps", "0", "--out", run)
    assert "found '1:1'" in refused("train", small_faces, "--ratio", "1:1", "--out", run)
    assert "expected a run to resume, found none" in refused("train", small_faces, "--resume", "--out", run)
    assert not run.exists()


def test_train_leaves_weights_figures_and_an_evaluation(small_faces: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = dcign("train", small_faces, "--steps", "4", "--out", run, "--threads", "1")
    assert result.exit_code == 0, result.output
    assert "light_azimuth" in result.output
    report = json.loads((run / "evaluation.json").read_text())
    for factor in ("azimuth", "elevation", "light_azimuth"):
        assert {"latent", "swap_ratio", "rerender"} <= report["factors"][factor].keys()
    assert "40" in report["unmeasured"]  # images of the iid split, too few for the others
    for name in ("traversal", "inferred", "reconstruction", "relight"):
        with Image.open(run / f"{name}.png") as picture:
            assert picture.width > 200
    assert "found a run in" in refused("train", small_faces, "--steps", "4", "--out", run)
    alone = (run / "report.html").read_text(encoding="utf-8")
    result = dcign("evaluate", run, "--against", run, "--data", small_faces, "--threads", "1")
    assert result.exit_code == 0, result.output
    assert f"Look at {run / 'report.html'}." in result.output
    assert len((run / "report.html").read_text(encoding="utf-8")) > len(alone)
    with folder_lock(run):  # as by the evaluation that ends a training
        assert f"{run} is being written to by process {os.getpid()} on" in refused("evaluate", run)
    assert not list(run.glob(".*"))
    assert "nowhere" in refused("evaluate", run, "--data", tmp_path / "nowhere")
    assert "holds no run" in refused("evaluate", small_faces)


def test_names_that_are_too_long_are_refused_in_a_sentence(tmp_path: Path) -> None:
    name, picture = tmp_path / (300 * "a"), FOLDER / "face" / EXAMPLE
    for words in (
        ("edit", "face", picture, "--azimuth", "5", "--out", f"{name}.png"),
        ("edit", "face", f"{name}.png", "--azimuth", "5", "--out", tmp_path / "z.png"),
        ("edit", name, picture, "--out", tmp_path / "z.png"),
        ("encode", "face", name, "--out", tmp_path / "z.npz"),
        ("encode", name, picture, "--out", tmp_path / "z.npz"),
        ("inspect", name),
        ("train", name),
        ("import", name, "--out", tmp_path / "z"),
        ("render", "--batches", "4", "--out", name),
        ("face", "--out", f"{name}.png"),
    ):
        assert "... (file name too long): name another." in refused(*words), words


def test_a_path_in_a_circle_of_links_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert "(too many levels of symbolic links): name another." in refused("inspect", tmp_path / "one" / "faces")


def test_options_that_would_be_dropped_are_refused(tmp_path: Path) -> None:
    assert "expected --half with --to hub, found it with --to web" in refused("export", "face", "--to", "web", "--half")
    photos = ("evaluate", "face", "--photos", tmp_path, "--labels", tmp_path / "labels.csv", "--out", tmp_path)
    for option in ("--data", "--against"):
        assert f"expected {option} without --photos, found both: leave one out" in refused(*photos, option, tmp_path)


def test_a_run_whose_data_set_moved_is_resumed_and_evaluated_there(
    small_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces, run = tmp_path / "faces", tmp_path / "run"
    shutil.copytree(small_faces, faces)
    with monkeypatch.context() as patch:
        patch.setattr(command, "_evaluate_run", lambda *_: None)
        words = ("--steps", "2", "--out", run, "--threads", "1")
        assert dcign("train", faces, *words).exit_code == 0
    before = (run / "configuration.json").read_text()
    moved = faces.rename(tmp_path / "moved")
    result = dcign("train", moved, "--resume", "--out", run)
    assert result.exit_code == 0, result.output
    assert (run / "evaluation.json").exists()
    assert (run / "configuration.json").read_text() == before.replace(str(faces), str(moved))
