"""What is behind the heads: colours, and the user's pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcign.errors import RenderError
from dcign.render.plan.backdrops import (
    FILE,
    Background,
    choose_backdrops,
    parse_background,
    read_backdrops,
    read_pictures,
)
from dcign.render.plan.configuration import RenderConfiguration


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of three pictures, one in a folder of its own, and of what is none."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    wide = np.zeros((20, 40, 3), np.uint8)
    wide[:, 5:35] = 200  # the middle square, and what Lanczos sees of its surroundings
    Image.fromarray(wide).save(folder / "wide.png")
    Image.fromarray(np.full((30, 30), 90, np.uint8)).save(folder / "more" / "gray.jpg")
    Image.fromarray(np.full((8, 8), 0x4000, np.uint16)).save(folder / "deep.png")
    (folder / "notes.txt").write_text("none")
    return folder


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("black", None),
        ("#000", None),
        ("gray", Background(colour=(128, 128, 128))),
        ("#336699", Background(colour=(51, 102, 153))),
        ("random", Background(random=True)),
    ],
)
def test_a_word_is_a_colour_or_random(word: str, wanted: Background | None) -> None:
    assert parse_background(word, 16) == (wanted, None)


def test_a_folder_s_pictures_are_cropped_to_their_middle_and_named(pictures: Path) -> None:
    background, backdrops = parse_background(str(pictures), 16)
    assert backdrops is not None
    assert background == Background(pictures=3, sha256=backdrops.sha256)
    assert backdrops.names == ("deep.png", "more/gray.jpg", "wide.png")
    assert [set(picture.ravel().tolist()) for picture in backdrops.pixels] == [{64}, {90}, {200}]


def test_pictures_behind_a_link_to_a_folder_are_read_once(pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    folder.mkdir()
    (folder / "link").symlink_to(pictures)
    (folder / "circle").symlink_to(folder)
    assert read_pictures(folder, 16).names == ("link/deep.png", "link/more/gray.jpg", "link/wide.png")


def test_a_folder_that_cannot_be_read_is_refused(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied", str(folder / "more"))

    monkeypatch.setattr("dcign.render.plan.backdrops.entries_below", refuse)
    with pytest.raises(RenderError, match=r"found .*more \(Permission denied\): check its permissions\.$"):
        read_pictures(pictures, 16)


def test_a_folder_is_kept_in_a_file_that_is_checked(pictures: Path, tmp_path: Path) -> None:
    background, backdrops = parse_background(str(pictures), 16)
    assert background is not None
    assert backdrops is not None
    assert read_pictures(pictures, 16).file_bytes() == backdrops.file_bytes()
    with pytest.raises(RenderError, match=r"behind the heads in .*backgrounds\.npz, found no such file"):
        read_backdrops(tmp_path, background)
    (tmp_path / FILE).write_bytes(backdrops.file_bytes())
    kept = read_backdrops(tmp_path, background)
    np.testing.assert_array_equal(kept.pixels, backdrops.pixels)
    with pytest.raises(RenderError, match="expected the pictures that the data set was started with, found others"):
        read_backdrops(tmp_path, Background(pictures=3, sha256="another"))
    (tmp_path / FILE).write_bytes(backdrops.file_bytes()[:500])
    with pytest.raises(RenderError, match="found a damaged file"):
        read_backdrops(tmp_path, background)


def test_a_damaged_picture_and_a_folder_without_any_are_refused(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RenderError, match=r"found 0 in .*empty"):
        parse_background(str(tmp_path / "empty"), 16)
    with pytest.raises(RenderError, match="or a folder of pictures, found mauvish"):
        parse_background("mauvish", 16)
    whole = (pictures / "wide.png").read_bytes()
    (pictures / "wide.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RenderError, match=r"expected a picture for --background in .*wide\.png, found"):
        parse_background(str(pictures), 16)


def test_what_is_drawn_is_what_is_behind(pictures: Path) -> None:
    background, backdrops = parse_background(str(pictures), 16)
    assert background is not None
    drawn = choose_backdrops(background, backdrops, {"background_picture": np.array([2.0, 0.0], np.float32)}, 16, 2)
    assert drawn[:, 3, 5].tolist() == [[200] * 3, [64] * 3]
    wrong = {"background_picture": np.array([np.nan, 1e30], np.float32)}  # a damaged shard's: verification names it
    assert choose_backdrops(background, backdrops, wrong, 16, 2)[:, 3, 5].tolist() == [[64] * 3, [200] * 3]
    gray = choose_backdrops(Background(random=True), None, {"background_gray": np.array([7.0, 9.0], np.float32)}, 4, 2)
    assert gray[:, 0, 0].tolist() == [[7] * 3, [9] * 3]
    flat = choose_backdrops(Background(colour=(1, 2, 3)), None, {}, 4, 2)
    assert flat.shape == (2, 4, 4, 3)
    assert flat[1, 3, 3].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "fields",
    [{"colour": 5}, {"colour": [1, 2]}, {"colour": [1, 2, "x"]}, {"colour": [1, 2, 256]}, {"pictures": "many"}, {}],
)
def test_a_configuration_s_background_that_is_none_is_refused(fields: dict[str, object]) -> None:
    about = RenderConfiguration.from_options(batches=1)[0].as_dict()
    with pytest.raises(RenderError, match="background"):
        RenderConfiguration.from_dict(about | {"background": fields})
