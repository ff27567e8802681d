"""--vary with traits of people on the command line: from the render to the checks, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from dcign.render.plan.configuration import Splits
from tests.support.commands import dcign, refused
from tests.support.data_sets import digests, list_again
from tests.support.heads import head
from tests.support.model_files import flame

pytestmark = pytest.mark.usefixtures("drawn_here")

SMALL = ("--size", "32", "--workers", "1")


def test_traits_are_rendered_inspected_and_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Splits(train=6, test=6, iid=1, sweep_levels=(1, 1, 1, 2), mix=1)
    monkeypatch.setattr(Splits, "in_paper_proportions", lambda *_: few)
    out = tmp_path / "faces"
    made = dcign("render", "--batches", "6", "--vary", "hair", "--vary", "sex", "--out", out, *SMALL)
    assert made.exit_code == 0, made.output
    assert "19 batches made" in made.output
    checked = dcign("inspect", out, "--verify", "--workers", "1", "--json")
    assert checked.exit_code == 0, checked.output
    about = json.loads(checked.stdout)
    assert about["splits"]["mix"]["batches"] == 1
    assert (
        about["splits"]["train"]["batches_of_kind"]["hair"] == about["splits"]["train"]["batches_of_kind"]["sex"] == 1
    )
    assert about["factors"]["sex"]["configured"] == [-2, 2]
    shown = dcign("inspect", out)
    assert "varying hair" in shown.output
    assert "| mix |" in (out / "README.md").read_text()


@pytest.fixture(scope="module")
def crowd_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("crowd") / "crowd.json"
    assert dcign("face", "--gallery", "105", "--seed", "50", "--out", file).exit_code == 0
    return file


def test_traits_of_a_user_s_people_are_rendered_verified_and_continued(
    crowd_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Splits(train=8, test=8, iid=1, sweep_levels=(1, 1, 1, 2), mix=2)
    monkeypatch.setattr(Splits, "in_paper_proportions", lambda *_: few)
    out = tmp_path / "faces"
    vary = ("--vary", "age", "--vary", "shape", "--vary", "skin", "--vary", "hair")
    words = ("render", "--batches", "8", *vary, "--people", crowd_file, "--out", out, *SMALL)
    made = dcign(*words)
    assert made.exit_code == 0, made.output
    checked = dcign("inspect", out, "--verify", "--workers", "1")
    assert checked.exit_code == 0, checked.output
    assert "or has traits of them" in (out / "README.md").read_text()
    whole = digests(out)
    for split in ("mix", "train"):
        (out / split / "shard-00000.h5").unlink()
    assert dcign(*words).exit_code == 0
    assert digests(out) == whole
    with h5py.File(out / "mix" / "shard-00000.h5", "r+") as file:
        file["identity/index"][0, 9] += 1
    list_again(out)
    found = dcign("inspect", out / "mix" / "shard-00000.h5", "--verify", "--workers", "1")
    assert found.exit_code == 1
    assert "of people.json" in " ".join(found.output.split())


def test_a_dry_run_counts_the_batches_of_mix_and_names_the_parts(tmp_path: Path) -> None:
    said = dcign("render", "--batches", "90", "--vary", "age", "--vary", "skin", "--out", tmp_path / "no", "--dry-run")
    assert said.exit_code == 0, said.output
    assert "mix         10 batches" in said.output
    assert "age            18 to 80 years" in said.output
    assert "skin           of people, varied alone" in said.output
    one = dcign("render", "--batches", "90", "--vary", "skin", "--out", tmp_path / "no", "--dry-run")
    assert "mix " not in one.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--vary", "nose"), "expected --vary with one of light_elevation, distance, field_of_view"),
        (("--vary", "hair", "--hair", "none"), "expected people with hair for --vary hair, found --hair none"),
        (("--vary", "age", "--meshes", "."), "expected no options for faces beside --meshes, found --vary age"),
    ],
)
def test_what_cannot_vary_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    assert said in refused("render", "--batches", "9", *words, "--out", tmp_path / "no", *SMALL)
    assert not (tmp_path / "no").exists()


@pytest.mark.usefixtures("own_cache")
def test_a_model_without_ages_refuses_them_and_says_what_it_has(tmp_path: Path) -> None:
    np.savez(tmp_path / "flame.npz", **flame(head()))
    words = ("render", "--batches", "9", "--model", tmp_path / "flame.npz", "--out", tmp_path / "no", *SMALL)
    said = refused(*words, "--vary", "shape", "--vary", "hair", "--vary", "age")
    assert "of a person, shape and skin, found age, hair: leave out --vary age." in said
    assert not (tmp_path / "no").exists()
