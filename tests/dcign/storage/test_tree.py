"""What a folder holds at any depth."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcign.storage.tree import entries_below


def names_below(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in entries_below(folder)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two files at two depths."""
    (tmp_path / "folder" / "under").mkdir(parents=True)
    (tmp_path / "folder" / "b").touch()
    (tmp_path / "folder" / "under" / "a").touch()
    return tmp_path / "folder"


def test_links_to_folders_are_followed_at_any_depth(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "else" / "deep").mkdir(parents=True)
    (tmp_path / "else" / "deep" / "c").touch()
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / "d").touch()
    (folder / "under" / "link").symlink_to(tmp_path / "else")
    (tmp_path / "else" / "again").symlink_to(tmp_path / "third")
    assert names_below(folder) == ["b", "under/a", "under/link/again/d", "under/link/deep/c"]


def test_links_in_a_circle_end_and_a_folder_keeps_its_own_name(folder: Path) -> None:
    (folder / "a-link").symlink_to(folder / "under")
    (folder / "under" / "up").symlink_to(folder)
    (folder / "itself").symlink_to(folder / "itself")
    assert names_below(folder) == ["b", "itself", "under/a"]


def test_what_is_no_file_is_told(folder: Path) -> None:
    (folder / "nothing").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    assert names_below(folder) == ["b", "nothing", "pipe", "under/a"]


def test_a_folder_that_cannot_be_read_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = os.scandir

    def refuse(place: str) -> object:
        if Path(place).name == "under":
            raise PermissionError(13, "Permission denied", place)
        return listing(place)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(PermissionError, match="under"):
        entries_below(folder)
