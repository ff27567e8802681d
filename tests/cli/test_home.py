"""A leading ~ is the home folder in every argument and option that is a path."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from dcign.cli import dcign as commands
from dcign.terminal.options import PATH, PATH_OR_URL
from tests.support.commands import dcign, refused


def paths() -> list[tuple[str, str]]:
    """Every command and name of a parameter that is a path."""
    return [
        (name, str(parameter.name))
        for name, command in commands.commands.items()
        for parameter in command.params
        if parameter.type in (PATH, PATH_OR_URL) or isinstance(parameter.type, click.Path)
    ]


@pytest.mark.parametrize(("command", "name"), paths())
def test_every_path_is_expanded(command: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (parameter,) = (each for each in commands.commands[command].params if each.name == name)
    assert parameter.type.convert("~/x", parameter, None) == tmp_path / "x"
    assert parameter.type.convert("~nobody-of-this-name/x", parameter, None) == Path("~nobody-of-this-name/x")
    assert parameter.type.convert("x/~", parameter, None) == Path("x/~")


def test_the_home_folder_after_an_equals_sign(
    small_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "faces").symlink_to(small_faces)
    assert json.loads(dcign("inspect", "~/faces", "--json").stdout)["path"] == str(tmp_path / "faces")
    assert dcign("inspect", "~/faces", "--sheet=~/sheet.png").exit_code == 0
    assert (tmp_path / "sheet.png").exists()
    (tmp_path / "pictures").mkdir()
    said = refused("render", "--batches", "4", "--out=~/new", "--background=~/pictures", "--dry-run")
    assert str(tmp_path / "pictures") in said
