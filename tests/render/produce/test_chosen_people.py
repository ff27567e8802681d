"""Data sets of chosen people: made again to the last byte, verified, and described."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from dcign.data.dataset.manifest import read_manifest
from dcign.errors import RenderError
from dcign.facegen.files.people_file import parse_people, people_json
from dcign.facegen.model.changes import Changes, changed
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.population import sample_person
from dcign.render.plan.choice import FILE, Choice, Crowd
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.correlation import Correlation
from dcign.render.plan.ranges import Range
from dcign.render.produce.production import render_dataset
from tests.support.commands import dcign, refused
from tests.support.data_sets import digests, list_again, make

pytestmark = pytest.mark.usefixtures("drawn_here")

PART = Choice(Range(18.0, 30.0), Range(-3.0, 0.0), ("bob",))
PEOPLE = 90


@pytest.fixture(scope="module")
def crowd(model: MorphableModel) -> Crowd:
    people = [sample_person(model, np.random.default_rng(seed)) for seed in range(PEOPLE)]
    return Crowd(tuple(people), people_json(model, people))


def make_crowd(folder: Path, model: MorphableModel, configuration: RenderConfiguration, crowd: Crowd) -> None:
    render_dataset(
        folder,
        replace(configuration, people=crowd.choice),
        lambda: model,
        worker_count=1,
        progress=lambda made, wanted: None,
        crowd=crowd,
    )


@pytest.fixture(scope="module")
def crowd_faces(
    tmp_path_factory: pytest.TempPathFactory,
    model: MorphableModel,
    small_configuration: RenderConfiguration,
    crowd: Crowd,
) -> Path:
    folder = tmp_path_factory.mktemp("crowd") / "faces"
    make_crowd(folder, model, small_configuration, crowd)
    return folder


@pytest.fixture(scope="module")
def part_faces(
    tmp_path_factory: pytest.TempPathFactory, model: MorphableModel, small_configuration: RenderConfiguration
) -> Path:
    folder = tmp_path_factory.mktemp("part") / "faces"
    correlate = (Correlation("azimuth", "light_azimuth", 0.8),)
    make(folder, model, replace(small_configuration, people=PART, correlate=correlate))
    return folder


def test_a_data_set_of_a_crowd_verifies_and_any_shard_is_made_again(
    crowd_faces: Path, tmp_path: Path, model: MorphableModel, small_configuration: RenderConfiguration, crowd: Crowd
) -> None:
    result = dcign("inspect", crowd_faces, "--verify", "--workers", 1)
    assert result.exit_code == 0, result.output
    folder = Path(shutil.copytree(crowd_faces, tmp_path / "faces"))
    (folder / "test" / "shard-00000.h5").unlink()
    make_crowd(folder, model, small_configuration, crowd)
    assert digests(folder) == digests(crowd_faces)


def test_the_folder_holds_its_people(crowd_faces: Path, model: MorphableModel, crowd: Crowd) -> None:
    held = parse_people((crowd_faces / FILE).read_text(), model)
    for one, other in zip(held, crowd.people, strict=True):
        np.testing.assert_array_equal(one.shape, other.shape)
    assert f"the {PEOPLE} people of people.json. Nobody is in two splits." in (crowd_faces / "README.md").read_text()


def test_other_people_in_the_folder_stop_verifying_and_rendering(crowd_faces: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(crowd_faces, tmp_path / "faces"))
    (folder / FILE).write_text((folder / FILE).read_text().replace("0.", "0.0", 1))
    for words in ("found others", "found no file"):
        assert words in refused("inspect", folder / "iid" / "shard-00000.h5", "--verify", "--workers", 1)
        (folder / FILE).unlink(missing_ok=True)


def test_a_stranger_among_the_crowd_is_found(crowd_faces: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(crowd_faces, tmp_path / "faces"))
    with h5py.File(folder / "iid" / "shard-00000.h5", "r+") as file:
        file["identity/shape"][1, 4, 3] += np.float32(0.5)
    list_again(folder)
    result = dcign("inspect", folder / "iid" / "shard-00000.h5", "--verify", "--workers", 1)
    assert result.exit_code == 1
    assert "with other coefficients than people[" in result.output.replace("\n", "")


def test_a_part_of_the_population_and_correlations_are_stated_and_verified(part_faces: Path) -> None:
    result = dcign("inspect", part_faces, "--verify", "--workers", 1)
    assert result.exit_code == 0, result.output
    for words in ("people chosen", "age low 18.0, high 30.0", "cuts bob", "correlated factors", "r 0.8"):
        assert words in result.output
    card = (part_faces / "README.md").read_text()
    assert "People shown: age 18 to 30 years, women, haircuts bob." in card
    assert "azimuth and light_azimuth: 0.8 asked for, " in card
    with h5py.File(part_faces / "iid" / "shard-00000.h5") as file:
        measured = np.corrcoef(file["factors"][...].reshape(-1, 3).T)[0, 2]
    assert f"{measured:.3f} in the 40 images of iid" in card
    assert "across the 4 batches of train that hold both" in card


def test_people_outside_the_part_are_found_without_drawing(part_faces: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(part_faces, tmp_path / "faces"))
    with h5py.File(folder / "iid" / "shard-00000.h5", "r+") as file:
        file["identity/attributes"][0, 3, 1] = 31.0
        file["identity/attributes"][0, 4, 2] = 5.0
    list_again(folder)
    result = dcign("inspect", folder, "--quick")
    assert result.exit_code == 1
    text = " ".join(result.output.split())
    assert "shows 1 images of people whose age is outside 18 to 30" in text
    assert "shows 1 images of people whose haircut is none of bob" in text


def test_another_choice_does_not_continue_a_folder(
    part_faces: Path, model: MorphableModel, small_configuration: RenderConfiguration
) -> None:
    with pytest.raises(RenderError, match=r"expected the configuration of .* found another configuration .*people"):
        make(part_faces, model, replace(small_configuration, people=replace(PART, age=Range(18.0, 40.0))))


def test_the_command_line_chooses_the_same(tmp_path: Path, crowd: Crowd) -> None:
    file = tmp_path / "crowd.json"
    file.write_text(crowd.text)
    out = tmp_path / "faces"
    plan = dcign("render", "--batches", 4, "--out", out, "--people", file, "--dry-run")
    assert f"people         the {PEOPLE} people of people.json" in plan.output
    options = (
        "--age",
        18,
        30,
        "--sex",
        "women",
        "--hair",
        "bob,long-parted",
        "--correlate",
        "azimuth,light-azimuth=.8",
    )
    plan = dcign("render", "--batches", 4, "--out", out, *options, "--dry-run")
    assert "people         age 18 to 30 years, women, haircuts bob; long, parted" in plan.output
    assert "correlated     azimuth and light_azimuth 0.8" in plan.output
    assert "sex -1 to 0.5" in dcign("render", "--batches", 4, "--out", out, "--sex", -1, 0.5, "--dry-run").output
    assert "men" in dcign("render", "--batches", 4, "--out", out, "--sex=men", "--dry-run").output
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--people", "crowd.json", "--age", 20, 30),
            "expected --people without options that choose or change people, found --age",
        ),
        (("--people", "crowd.json", "--hair", "none"), "found --hair"),
        (
            ("--people", "crowd.json", "--vary", "age", "--vary", "hair"),
            "expected 100 people or more, 20 for each of train, test, iid, sweep, mix, found 90 in crowd.json",
        ),
        (
            ("--people", "crowd.json", "--vary", "age", "--sex", "women"),
            "expected --people without options that choose or change people, found --sex",
        ),
        (("--people", "crowd.json", "--vary", "skin", "--hair", "bob"), "found --hair: leave one"),
        (("--people", "crowd.json", "--keep-head-size"), "found --keep-head-size: leave one"),
        (
            ("--people", "aged.json", "--vary", "age"),
            "found people[0] and people[90] of aged.json the same but for age: remove one",
        ),
        (("--people", "toned.json"), "found a tone in people[80].hair of toned.json"),
        (
            ("--vary", "age", "--correlate", "azimuth,age=0.3"),
            "factors azimuth, elevation, light_azimuth for --correlate",
        ),
        (("--people", "none.json"), "cannot be read (No such file or directory)"),
        (("--people", "few.json"), "expected 80 people or more"),
        (("--people", "other.json"), "give --model with the model.npz of their data set"),
        (("--age", 30, 20), "for --age, found 30 20"),
        (("--age", 10, 20), "10.0 is not in the range 18<=x<=80"),
        (("--sex", "lady"), "--sex"),
        (("--hair", "bob,mohawk"), "found 'mohawk': give another haircut"),
        (("--correlate", "azimuth,nose=0.8"), "expected two of the factors azimuth, elevation, light_azimuth"),
        (("--meshes", ".", "--people", "crowd.json", "--age", 20, 30), "found --people and --age"),
    ],
)
def test_what_cannot_be_chosen_is_refused_before_a_folder_is_made(
    tmp_path: Path,
    model: MorphableModel,
    crowd: Crowd,
    options: tuple[str | float, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    document = json.loads(crowd.text)
    Path("crowd.json").write_text(crowd.text)
    Path("few.json").write_text(json.dumps(document | {"people": document["people"][:3]}))
    toned = {**document["people"][0], "hair": document["people"][0]["hair"] | {"tone": 0.5}}
    Path("toned.json").write_text(json.dumps(document | {"people": [*document["people"][1:81], toned]}))
    aged = json.loads(people_json(model, [changed(model, crowd.people[0], Changes(age=71))]))["people"]
    Path("aged.json").write_text(json.dumps(document | {"people": document["people"] + aged}))
    Path("other.json").write_text(json.dumps(document | {"model": {"name": "x", "sha256": "0"}}))
    assert sentence in refused("render", "--batches", 4, "--out", "faces", *map(str, options))
    assert not Path("faces").exists()


def test_the_manifest_records_the_crowd(crowd_faces: Path, crowd: Crowd) -> None:
    assert read_manifest(crowd_faces).configuration["people"] == {"crowd": PEOPLE, "sha256": crowd.sha256}
