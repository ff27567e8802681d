"""Wheel and source archive: one package, `dcign`, with everything in it, beside a user's modules of common names."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
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


USE = """
from pathlib import Path
from dcign.facegen.build import procedural_model
from dcign.recipes.registry import RECIPES
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce.production import render_dataset
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
small = RenderConfiguration(Splits(train=4, test=4, iid=1, sweep_levels=(1, 1, 1)), size=32, seed=0)
render_dataset(Path("faces"), small, procedural_model, worker_count=1, progress=lambda *done: None)
train(TrainConfiguration(data="faces", out="run", recipe=RECIPES["swap"], steps=2, seed=0, device="cpu", threads=1))
"""
BUILD_SDIST = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"


def run(*words: str | Path, folder: Path, **environment: str) -> str:
    """Run a program in a folder and return what it printed."""
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=folder, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_wheel(source: Path, out: Path) -> Path:
    """Make the wheel of a source folder or archive."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    run(*command, "-w", out, source, folder=out)
    [wheel] = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is packed, because setuptools writes build/ and dcign.egg-info/ beside it."""
    folder = tmp_path_factory.mktemp("packed") / "source"
    folder.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    return make_wheel(source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A folder that holds what the wheel installs."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheel.parent / "installed")
    return wheel.parent / "installed"


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


def test_the_wheel_of_the_source_archive_holds_the_same_files(source: Path, wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-c", BUILD_SDIST, tmp_path, folder=source)
    [archive] = tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as direct, zipfile.ZipFile(make_wheel(archive, tmp_path)) as through_archive:
        names = [
            {(entry.filename, entry.CRC) for entry in each.infolist() if entry.filename.startswith("dcign/")}
            for each in (direct, through_archive)
        ]
    assert names[0] == names[1]


def test_a_fresh_environment_with_the_wheel_renders_trains_and_edits(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, folder=tmp_path)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n")  # torch and so on, but no dcign
    install = [sys.executable, "-m", "pip", "--python", environment / "bin" / "python", "install"]
    run(*install, "--no-deps", "--no-index", wheel, folder=tmp_path)
    alone = {"PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
    where = "import dcign; print(dcign.__file__)"
    assert str(packages) in run(environment / "bin" / "python", "-c", where, folder=tmp_path, **alone)
    run(environment / "bin" / "python", "-c", USE, folder=tmp_path, **alone)
    program = environment / "bin" / "dcign"
    run(program, "face", "--seed", "3", "--size", "64", "--out", "photo.png", folder=tmp_path, **alone)
    turn = ("edit", "face", "photo.png", "--azimuth", "20", "--out", "new.png")
    assert "new.png: 1 picture." in run(program, *turn, folder=tmp_path, **alone)


def test_the_docker_image_is_made_of_what_the_wheel_is_made_of() -> None:
    lines = re.findall(r"^COPY (.*) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    copied = {name for line in lines for name in line.split()}
    assert copied == {*SOURCES, "constraints.txt"}
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sent == copied


def test_the_docker_image_has_extras_that_the_package_has() -> None:
    configuration = configparser.ConfigParser()
    configuration.read(ROOT / "setup.cfg")
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)$", (ROOT / "Dockerfile").read_text(), re.M)
    assert set(extras.split(",")) <= {*configuration["options.extras_require"]}
