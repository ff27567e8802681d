"""`dcign face`: one person as a mesh or pictures, people, modes; and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcign.data.schema import BATCH_SIZE
from dcign.data.shard.reader import Shard
from dcign.facegen.files.people_file import read_people, read_person
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.population import sample_person
from dcign.render.plan.configuration import Splits
from dcign.render.produce import portrait, subjects
from dcign.render.produce.person_file import FEWEST
from tests.support.commands import dcign, refused


def test_a_face_is_written_as_a_mesh_or_a_picture_and_overwrites_nothing(tmp_path: Path) -> None:
    assert dcign("face", "--seed", "7", "--out", tmp_path / "face.ply").exit_code == 0
    assert dcign("face", "--seed", "7", "--out", tmp_path / "face.png", "--size", "96").exit_code == 0
    with Image.open(tmp_path / "face.png") as picture:
        assert picture.size == (3 * 96, 96)
    assert "is there already" in refused("face", "--seed", "7", "--out", tmp_path / "face.png")
    assert ".glb" in refused("face", "--out", tmp_path / "face.stl9")
    assert "could not be written" in refused("face", "--out", tmp_path / "face.ply" / "face.glb")
    assert "Error" in refused("face", "--out", tmp_path / "face.ply" / "face.png", "--size", "32")


def test_a_gallery_shows_the_people_that_face_draws_one_by_one(tmp_path: Path) -> None:
    assert (
        "people 3 to 7" in dcign("face", "--gallery", 5, "--seed", 3, "--out", tmp_path / "p.png", "--size", 32).output
    )
    assert dcign("face", "--gallery", 1, "--seed", 4, "--out", tmp_path / "one.png", "--size", 32).exit_code == 0
    with Image.open(tmp_path / "p.png") as sheet, Image.open(tmp_path / "one.png") as one:
        assert sheet.size == (96, 64)  # three columns, two rows
        np.testing.assert_array_equal(np.asarray(sheet)[:32, 32:64], np.asarray(one))


def test_bare_heads_of_a_gallery_have_no_layer_of_hair(model: MorphableModel, tmp_path: Path) -> None:
    bare = ("--hair", "none", "--seed", 4, "--size", 32)
    assert dcign("face", "--gallery", 2, *bare, "--out", tmp_path / "p.png").exit_code == 0
    people = [sample_person(model, np.random.default_rng(seed), hair=False) for seed in (4, 5)]
    wanted = portrait.gallery(model.without_hair(), people, size=32)
    with Image.open(tmp_path / "p.png") as sheet:
        np.testing.assert_array_equal(np.asarray(sheet), np.asarray(wanted))


def test_a_turnaround_has_five_sides_and_three_lights(tmp_path: Path) -> None:
    assert dcign("face", "--turnaround", "--seed", "7", "--out", tmp_path / "t.png", "--size", "32").exit_code == 0
    with Image.open(tmp_path / "t.png") as sheet:
        pixels = np.asarray(sheet).astype(float)
    assert pixels.shape == (3 * 32, 5 * 32, 3)
    left, right = pixels[:, 64:80].reshape(3, 32, -1).mean((1, 2)), pixels[:, 80:96].reshape(3, 32, -1).mean((1, 2))
    assert left[0] > 1.2 * right[0]  # lit from the left, in front, from the right
    assert right[2] > 1.2 * left[2]


def test_a_sheet_of_modes_is_a_picture(tmp_path: Path) -> None:
    assert dcign("face", "--modes", "--out", tmp_path / "modes.png", "--size", "32").exit_code == 0
    with Image.open(tmp_path / "modes.png") as sheet:
        assert sheet.width > sheet.height > 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--gallery", "0", "--out", "p.png"], "0 is not in the range 1<=x<=400"),
        (["--gallery", "-3", "--out", "p.png"], "-3 is not in the range 1<=x<=400"),
        (["--size", "0", "--out", "p.png"], "0 is not in the range 16<=x<=4096"),
        (["--gallery", "9", "--out", "p.glb"], "expected a file NAME.png, NAME.json, found"),
        (["--gallery", "9", "--modes", "--out", "p.png"], "give one"),
        (["--size", "64", "--out", "p.glb"], "expected --size with a picture NAME.png, found"),
        (["--size", "64", "--out", "p.json"], "p.json: leave --size out"),
        (["--gallery", "9", "--size", "64", "--out", "p.json"], "p.json: leave --size out"),
        (
            ["--hair", "none", "--set", "shape.1=1", "--set", "hair.length=2", "--out", "p.png"],
            "expected --hair none without --set hair.length, found both",
        ),
        (["--modes", "--out", "p.png", "--size", "8"], "8 is not in the range 16<=x"),
        (["--hair", "long", "--out", "p.png"], "expected one of bald, cropped,"),
        (["--age", "81", "--out", "p.png"], "expected age from 18 to 80 years, found 81"),
        (["--sex", "lady", "--out", "p.png"], "expected women, men or a number of standard deviations"),
        (["--set", "shape.12", "--out", "p.png"], "expected --set NAME=NUMBER"),
        (["--set", "nose.1=2", "--out", "p.png"], "found 'nose.1': set one of these"),
        (["--set", "skin.frekles=2", "--out", "p.png"], "found 'skin.frekles': set skin.freckles"),
        (["--set", "freckles=2", "--out", "p.png"], "found 'freckles': set skin.freckles"),
        (["--set", "skin.999=2", "--out", "p.png"], "found 'skin.999': set one of these"),
        (["--set", "skin." + "x" * 99 + "=2", "--out", "p.png"], "xxx...': set one of these"),
        (["--set", "shape.1=1", "--set", "shape.1 = 2", "--out", "p.png"], "found 'shape.1' twice: leave one out"),
        (["--out", "p." + "x" * 300 + ".png"], "(file name too long): name another."),
        (["--modes", "--age", "30", "--out", "p.png"], "expected --modes without --age"),
        (["--turnaround", "--out", "p.json"], "expected a file NAME.png, found"),
        (["--person", "p.json", "--out", "p.png"], "cannot be read (No such file or directory)"),
        (["--person", "p.json", "--seed", "2", "--out", "p.png"], "expected --person without --seed"),
        (["--describe", "p/iid:1", "--out", "p.png"], "expected --describe without --out"),
        (["--describe", "p/iid"], "expected FOLDER/SPLIT:IMAGE"),
        ([], "expected --out or --describe, found neither"),
        (["--seed", str(2**63 - 1), "--gallery", "4", "--out", "p.png"], "expected a seed from 0"),
    ],
)
def test_face_refuses_what_it_cannot_draw(options: list[str], sentence: str, tmp_path: Path) -> None:
    options = [str(tmp_path / word) if word.startswith("p.") else word for word in options]
    assert sentence in refused("face", *options)
    assert not list(tmp_path.iterdir())


CHOSEN = ("--age", 63, "--sex", -1, "--seed", 4, "--set", "shape.12=+2", "--set", "skin.freckles=1.5")


def test_a_chosen_person_is_drawn_again_bit_for_bit_for_every_cut(
    model: MorphableModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "face_model", lambda path, bar: model)  # not read 33 times
    drawn = set()
    for number, cut in enumerate(model.hair.cut_names):
        chosen = (*CHOSEN, "--hair", cut.replace(", ", "-"))
        first, again, text = (tmp_path / f"{number}{end}" for end in ("a.png", "b.png", ".json"))
        for out in ((first, "--size", 48), (text,)):
            assert dcign("face", *chosen, "--out", *out).exit_code == 0
        assert dcign("face", "--person", text, "--size", 48, "--out", again).exit_code == 0
        assert first.read_bytes() == again.read_bytes()
        assert dcign("face", "--person", text, "--out", tmp_path / f"{number}.ply").exit_code == 0
        assert dcign("face", *chosen, "--out", tmp_path / f"{number}a.ply").exit_code == 0
        assert (tmp_path / f"{number}.ply").read_bytes() == (tmp_path / f"{number}a.ply").read_bytes()
        assert dcign("face", "--person", text, "--out", tmp_path / f"{number}b.json").exit_code == 0
        assert (tmp_path / f"{number}b.json").read_bytes() == text.read_bytes()
        pixels = portrait.three_sides(model, read_person(text, model), size=48)
        with Image.open(first) as picture:
            np.testing.assert_array_equal(np.asarray(pixels), np.asarray(picture))
        drawn.add(first.read_bytes())
    assert len(drawn) == len(model.hair.cut_names)


def test_a_gallery_as_json_is_its_people(model: MorphableModel, tmp_path: Path) -> None:
    out = tmp_path / "crowd.json"
    assert dcign("face", "--gallery", 3, "--seed", 5, "--hair", "bob", "--out", out).exit_code == 0
    people = read_people(out, model)
    wanted = sample_person(model, np.random.default_rng(7))
    np.testing.assert_array_equal(people[2].shape, wanted.shape)
    assert all(model.hair.cut_names[int(person.attributes[2])] == "bob" for person in people)


def test_the_next_command_is_one_that_takes_so_many_people(tmp_path: Path) -> None:
    told = [dcign("face", "--gallery", count, "--out", tmp_path / f"{count}.json").output for count in (79, 80)]
    assert f"dcign face --gallery {FEWEST} --out NAME.json" in told[0]
    assert f"Next: dcign render --batches 600 --people {tmp_path / '80.json'}" in told[1]
    assert BATCH_SIZE * len(Splits.in_paper_proportions(4).batches()) == FEWEST


def test_the_person_of_an_image_is_described_as_its_labels_say(
    small_faces: Path, model: MorphableModel, tmp_path: Path
) -> None:
    described = dcign("face", "--describe", f"{small_faces / 'iid'}:27")
    assert described.exit_code == 0, described.output
    (tmp_path / "her.json").write_text(described.stdout)
    person = read_person(tmp_path / "her.json", model)
    with Shard(small_faces / "iid" / "shard-00000.h5") as shard:
        batch = shard.batch(1)
    np.testing.assert_array_equal(person.shape, batch.identity_shape[7])
    np.testing.assert_array_equal(person.albedo, batch.identity_albedo[7])
    np.testing.assert_array_equal(person.attributes, batch.identity_attributes[7])
    out = tmp_path / "older.png"
    assert dcign("face", "--person", tmp_path / "her.json", "--age", 80, "--size", 32, "--out", out).exit_code == 0


@pytest.mark.parametrize(
    ("image", "sentence"),
    [("iid:40", "give a number from 0 to 39"), ("validation:0", "give one of its splits, train, test, iid, sweep")],
)
def test_an_image_that_is_not_there_is_refused(small_faces: Path, image: str, sentence: str) -> None:
    assert sentence in refused("face", "--describe", f"{small_faces}/{image}")


def test_an_image_without_its_model_cannot_be_described(small_faces: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_faces, tmp_path / "faces"))
    (folder / "model.npz").write_bytes(b"another")
    assert "found another model" in refused("face", "--describe", f"{folder}/iid:0")
    (folder / "model.npz").unlink()
    assert "found no file" in refused("face", "--describe", f"{folder}/iid:0")


def test_a_sheet_of_coefficients_is_a_picture(tmp_path: Path) -> None:
    assert dcign("face", "--coefficients", "--out", tmp_path / "c.png", "--size", "32").exit_code == 0
    with Image.open(tmp_path / "c.png") as sheet:
        assert sheet.width > sheet.height > 0
