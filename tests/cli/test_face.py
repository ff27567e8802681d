"""`dcign face`: one person as a mesh or pictures, people, modes; and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
        (["--gallery", "9", "--out", "p.glb"], "expected a file NAME.png, found"),
        (["--gallery", "9", "--modes", "--out", "p.png"], "give one"),
        (["--modes", "--out", "p.png", "--size", "8"], "8 is not in the range 16<=x"),
        (["--hair", "long", "--out", "p.png"], "'long' is not one of 'natural', 'none'"),
        (["--seed", str(2**63 - 1), "--gallery", "4", "--out", "p.png"], "expected a seed from 0"),
    ],
)
def test_face_refuses_what_it_cannot_draw(options: list[str], sentence: str, tmp_path: Path) -> None:
    options = [str(tmp_path / word) if word.startswith("p.") else word for word in options]
    assert sentence in refused("face", *options)
    assert not list(tmp_path.iterdir())
