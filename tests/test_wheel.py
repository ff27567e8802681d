"""The wheel: one package, `dcign`, with everything in it, which works beside a user's own modules of common names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("cli.py", "data", "dcign", "facegen", "render", "LICENSE", "README.md", "pyproject.toml", "setup.cfg")
USER_MODULES = ("data/__init__.py", "data.py", "cli.py", "render.py")
SCRIPT = """
import sys
from pathlib import Path
from click.testing import CliRunner
import dcign
from dcign import DCIGN, cli
assert Path(dcign.__file__).parent == Path(sys.argv[1]) / "dcign", dcign.__file__
assert not sys.modules.keys() & {"data", "cli", "render", "facegen"}
for name in cli.dcign.commands:
    result = CliRunner().invoke(cli.dcign, [name, "--help"])
    assert result.exit_code == 0, (name, result.output)
    assert "Example" in result.output, name
print(DCIGN.__name__, *cli.dcign.commands)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what a wheel of this tree installs."""
    top = tmp_path_factory.mktemp("wheel")
    (top / "source").mkdir()  # a copy, because setuptools writes build/ and dcign.egg-info/ beside what it packs
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, top / "source" / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, top / "source")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "-w", str(top), str(top / "source")], capture_output=True, text=True, cwd=top)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = top.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(top / "installed")
    return top / "installed"


def files(package: Path) -> set[str]:
    """Files of a package and of the folders linked into it."""
    found = (Path(folder, name) for folder, _, names in os.walk(package, followlinks=True) for name in names)
    return {path.relative_to(package).as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_one_top_level_package(installed: Path) -> None:
    names = sorted(path.name for path in installed.iterdir())
    assert names[0] == "dcign"
    assert [name.rpartition(".")[2] for name in names[1:]] == ["dist-info"]
    [metadata] = installed.glob("*.dist-info")
    assert "dcign = dcign.start:main" in (metadata / "entry_points.txt").read_text()


def test_the_wheel_holds_every_file_of_the_package_and_of_the_linked_folders(installed: Path) -> None:
    held = files(installed / "dcign")
    assert held == files(ROOT / "dcign")
    assert {"cli.py", "py.typed", "data/__init__.py", "facegen/__init__.py", "render/__init__.py"} <= held
    for folder, suffix in (
        ("render/gl/shaders/", ".frag"),
        ("render/produce/templates/", ".md"),
        ("report/templates/", ".html"),
        ("publish/templates/", ".md"),
    ):
        assert any(name.startswith(folder) and name.endswith(suffix) for name in held)


def test_it_works_from_the_wheel_alone_beside_a_user_s_own_modules(installed: Path, tmp_path: Path) -> None:
    for name in USER_MODULES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("raise AssertionError('dcign imported a module of the user')\n")
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    for words in (["-c", SCRIPT, str(installed)], ["-m", "dcign.cli", "--help"]):
        done = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        assert {"render", "train", "inspect"} <= set(done.stdout.split())
