"""The stand-in for 3D Shapes and the table of shared data sets."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.shared_sets.sets import SETS, import_words, training_words
from benchmarks.shared_sets.stand_in import SHAPES, make_stand_in
from benchmarks.shared_sets.table import markdown_table
from dcign.data.sources.recognise import open_source
from tests.support.commands import parsed

HUES, SCALES, ORIENTATIONS = 2, 3, 5
GRID = (HUES, HUES, HUES, SCALES, len(SHAPES), ORIENTATIONS)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stand-in") / "shapes.h5"
    assert make_stand_in(path, hues=HUES, scales=SCALES, orientations=ORIENTATIONS, size=32) == np.prod(GRID)
    return path


@pytest.fixture(scope="module")
def images(stand_in: Path) -> np.ndarray:
    with h5py.File(stand_in) as file:
        return file["images"][:].reshape(*GRID, 32, 32, 3).astype(int)


def test_the_stand_in_is_imported_as_3d_shapes(stand_in: Path) -> None:
    source = open_source(stand_in)
    assert source.layout == "3D Shapes"
    assert [len(np.unique(source.columns[name].values)) for name in source.factors] == list(GRID)
    assert source.columns["floor_hue"].factor.circular
    assert source.columns["shape"].factor.classes == SHAPES


def test_every_factor_changes_the_picture(images: np.ndarray) -> None:
    for axis in range(len(GRID)):
        first, second = images.take(0, axis), images.take(1, axis)
        assert (np.abs(first - second).reshape(-1, 32 * 32 * 3).max(axis=1) > 10).all()


def test_the_room_seen_from_the_other_side_is_the_mirror_image(images: np.ndarray) -> None:
    # Single pixels on edges fall to one side or the other.
    assert np.abs(images[..., ::-1, :] - images[:, :, :, :, :, ::-1]).mean() < 1


def test_a_hue_changes_only_its_part(images: np.ndarray) -> None:
    floor, wall = np.abs(np.diff(images, axis=0)).max(axis=(0, -1)), np.abs(np.diff(images, axis=1)).max(axis=(1, -1))
    assert (floor[..., -1, :] > 10).all()  # the lowest row of pixels is floor
    assert not (wall[..., -1, :] > 10).any()
    assert (wall[..., 0, :] > 10).any()


def evaluation(folder: Path, score: float) -> Path:
    folder.mkdir(parents=True)
    metrics = {name: {"value": score} for name in ("factor_vae", "mig", "infom", "infoc", "infoe")}
    report = {"metrics": {"blocks": metrics, "latents": metrics}, "dci": {"classes": {"blocks": score}}}
    (folder / "evaluation.json").write_text(json.dumps(report))
    return folder


def test_the_table_has_mean_and_spread_of_seeds_and_says_what_recipes_are_told(tmp_path: Path) -> None:
    runs = {
        "swap": [evaluation(tmp_path / "a", 0.8), evaluation(tmp_path / "b", 0.9)],
        "beta-vae": [evaluation(tmp_path / "c", 0.25)],
    }
    lines = markdown_table("Shapes3D", runs).splitlines()
    assert lines[0] == "## Shapes3D"
    assert lines[4] == "| swap | which factor varies in a batch |" + " 0.850 +- 0.071 |" * 6 + " 2 |"
    assert lines[5] == "| beta-vae | nothing |" + " 0.250 |" * 6 + " 1 |"


def test_what_was_not_measured_is_a_dash(tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "a", 0.5)
    (folder / "evaluation.json").write_text(json.dumps({"metrics": None, "dci": None}))
    assert "| swap | which factor varies in a batch |" + " - |" * 6 in markdown_table("x", {"swap": [folder]})


@pytest.mark.parametrize("each", SETS, ids=lambda each: each.word)
def test_the_commands_are_ones_that_dcign_has(each) -> None:
    for words in (import_words(each, "source", "out"), training_words("data", "run", "swap", 1, 10)):
        assert parsed(*words).params["out"] is not None
