"""From a folder of meshes to a trained network, on the command line; and what it refuses on the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from dcign.render.plan.configuration import Splits
from dcign.render.plan.objects import FEWEST
from tests.support.chairs import write_chairs
from tests.support.commands import dcign, refused

pytestmark = pytest.mark.usefixtures("quick_evaluations", "drawn_here")

SMALL = ("--size", "32", "--batches", "8", "--workers", "1")


@pytest.fixture(scope="module", autouse=True)
def few_batches() -> Iterator[None]:
    """Splits besides train as small as can be trained and evaluated on."""
    with pytest.MonkeyPatch.context() as patch:
        small = Splits(train=8, test=4, iid=2, sweep_levels=(3, 2, 2))
        patch.setattr(Splits, "in_paper_proportions", lambda *_: small)
        yield


@pytest.fixture(scope="module")
def meshes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chairs(tmp_path_factory.mktemp("meshes") / "chairs", FEWEST)


@pytest.fixture(scope="module")
def chairs(meshes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("meshes") / "out"
    made = dcign("render", "--meshes", meshes, "--out", out, *SMALL)
    assert made.exit_code == 0, made.output
    assert "21 batches made, 0 were there; 8 are to train on, 13 to test with" in made.output
    return out


def test_a_folder_of_chairs_is_rendered_verified_and_trained_on(chairs: Path, tmp_path: Path) -> None:
    checked = dcign("inspect", chairs)
    assert checked.exit_code == 0, checked.output
    assert "40 meshes of chairs" in checked.output
    run = tmp_path / "run"
    trained = dcign("train", chairs, "--steps", "4", "--out", run, "--threads", "1")
    assert trained.exit_code == 0, trained.output
    report = json.loads((run / "evaluation.json").read_text())
    assert set(report["factors"]) == {"azimuth", "elevation", "light_azimuth"}
    exported = dcign("encode", run, chairs, "--split", "test", "--out", tmp_path / "z.npz")
    assert exported.exit_code == 0, exported.output
    with np.load(tmp_path / "z.npz") as codes:
        held_out = set(codes["identity_index"].ravel().tolist())
    with h5py.File(chairs / "train" / "shard-00000.h5") as shard:
        assert not held_out & set(shard["identity/index"][:].ravel().tolist())


def test_landmarks_of_objects_and_all_layers_are_refused_before_a_folder_is_begun(meshes: Path, tmp_path: Path) -> None:
    for words in (["--truth", "landmarks"], ["--truth", "all", "--dry-run"]):
        said = refused("render", "--meshes", meshes, "--out", tmp_path / "out", *SMALL, *words)
        assert "expected no options for faces beside --meshes, found --truth landmarks" in said
    assert not (tmp_path / "out").exists()


def test_the_same_meshes_go_on_and_changed_ones_do_not(chairs: Path, meshes: Path, tmp_path: Path) -> None:
    out, changed = tmp_path / "out", tmp_path / "chairs"
    shutil.copytree(chairs, out)
    shutil.copytree(meshes, changed)
    again = dcign("render", "--meshes", changed, "--out", out, *SMALL)
    assert "0 batches made, 21 were there" in again.output, again.output
    (changed / "chair-00.obj").unlink()
    (changed / "chair-99.obj").write_bytes((meshes / "chair-00.obj").read_bytes())
    assert "was started with, 40 meshes of chairs" in refused("render", "--meshes", changed, "--out", out, *SMALL)
    assert "configuration" in refused("render", "--out", out, *SMALL)


def test_what_cannot_be_is_refused_before_a_folder_is_made(meshes: Path, tmp_path: Path) -> None:
    few, bad, out = tmp_path / "few", tmp_path / "bad", tmp_path / "out"
    shutil.copytree(meshes, few)
    (few / "chair-07.ply").unlink()
    assert "found 39 meshes" in refused("render", "--meshes", few, "--out", out, *SMALL)
    shutil.copytree(meshes, bad)
    (bad / "chair-07.ply").write_bytes(b"ply\nnot at all")
    assert "bad, found chair-07.ply (it does not begin with the header" in refused(
        "render", "--meshes", bad, "--out", out, *SMALL
    )
    assert "expected no options for faces beside --meshes, found --hair" in refused(
        "render", "--meshes", meshes, "--hair", "none", "--out", out, *SMALL
    )
    assert "expected a folder of meshes" in refused("render", "--meshes", tmp_path / "no", "--out", out, *SMALL)
    assert "'x' is not one of 'y', 'z'" in refused("render", "--meshes", meshes, "--up", "x", "--out", out, *SMALL)
    assert not out.exists()


def test_names_that_control_the_terminal_are_escaped_wherever_they_are_printed(meshes: Path, tmp_path: Path) -> None:
    bad = tmp_path / "[/bold]\x1b[31mred"  # a rich tag that closes nothing, and a terminal code
    shutil.copytree(meshes, bad)
    (bad / "\x1b[2J\udce9.obj").write_text("v 0 0 0\n")
    said = refused("render", "--meshes", bad, "--out", tmp_path / "out", *SMALL)
    assert "\\x1b[2J\\xe9.obj (it has no triangles)" in said
    assert "\x1b" not in said


def test_missing_textures_are_reported_and_stand_in_the_card(meshes: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "chairs", tmp_path / "out"
    shutil.copytree(meshes, folder)
    (folder / "a.mtl").write_text("newmtl wood\nmap_Kd oak.png\n")
    (folder / "a.obj").write_text("mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl wood\nf 1 2 3\n")
    (folder / "gone.obj").symlink_to(folder / "nowhere")
    made = dcign("render", "--meshes", folder, "--out", out, *SMALL)
    assert made.exit_code == 0, made.output
    assert "1 entry of the folder is no file: gone.obj (a link to nothing)." in (out / "README.md").read_text()
    said = "1 of 41 objects has missing textures: a.obj (oak.png)."
    assert f"Warning: {said} Their materials' own colours are used" in made.output
    assert said in (out / "README.md").read_text()
    again = dcign("inspect", out)
    assert again.exit_code == 0, again.output


def test_a_dry_run_reads_the_meshes_and_makes_nothing(meshes: Path, tmp_path: Path) -> None:
    said = dcign("render", "--meshes", meshes, "--out", tmp_path / "out", "--dry-run", *SMALL)
    assert said.exit_code == 0, said.output
    assert "would hold 32 x 32 images" in said.output
    assert not (tmp_path / "out").exists()


def test_a_file_of_meshes_is_no_face_model(chairs: Path, tmp_path: Path) -> None:
    said = refused("face", "--model", chairs / "model.npz", "--out", tmp_path / "face.png")
    assert "expected dcign-morphable-model, found dcign-meshes" in said
