"""A run that was trained further after its evaluation: commands that use its calibrations warn, exports refuse it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcign import DCIGN
from dcign.trained.trained_run import OldEvaluationWarning, TrainedRun
from tests.support.commands import dcign, refused
from tests.support.evaluation import EVALUATION
from tests.support.noise_run import make_noise_run

SENTENCE = "was evaluated at step 1 and trained to step 2 since"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_noise_run(tmp_path_factory.mktemp("old") / "run")
    (folder / "evaluation.json").write_text(json.dumps(EVALUATION | {"steps": 1}))
    return folder


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    (tmp_path / "labels.csv").write_text("file,across\nphoto.png,3\n")
    return tmp_path


def test_each_command_that_reads_factors_says_so_once(run: Path, photographs: Path) -> None:
    photo, labels = photographs / "photo.png", photographs / "labels.csv"
    for words in (
        ("edit", run, photo),
        ("edit", run, photo, "--across", "3", "--out", photographs / "new.png"),
        ("encode", run, photo, "--out", photographs / "z.csv"),
        ("evaluate", run, "--photos", photographs, "--labels", labels, "--out", photographs / "measured"),
    ):
        done = dcign(*words)
        assert done.exit_code == 0, done.output
        assert " ".join(done.output.split()).count(SENTENCE) == 1, words
    assert SENTENCE not in dcign("edit", run, "--help").output


def test_python_is_warned_and_the_network_of_the_hub_has_neither_calibrations_nor_evaluation(run: Path) -> None:
    with pytest.warns(OldEvaluationWarning, match=SENTENCE):
        assert TrainedRun.open(run).calibrations
    with pytest.warns(OldEvaluationWarning, match=SENTENCE):
        model = DCIGN.from_pretrained(run)
    assert (model.calibrations, model.evaluation) == ((), None)


@pytest.mark.parametrize("to", ["hub", "onnx", "web"])
def test_every_export_refuses_it(run: Path, tmp_path: Path, to: str) -> None:
    if to != "hub":
        pytest.importorskip("onnxscript")
    said = refused("export", run, "--to", to, "--out", tmp_path / "out")
    assert "expected an evaluation of step 2, found one of step 1" in said
    assert "Warning" not in said
    assert not (tmp_path / "out").exists()


def test_an_evaluation_of_the_last_step_and_none_at_all_are_no_reason_to_warn(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    (folder / "evaluation.json").write_text(json.dumps(EVALUATION))
    assert TrainedRun.open(folder).calibrations
    (folder / "evaluation.json").unlink()
    assert TrainedRun.open(folder).calibrations
