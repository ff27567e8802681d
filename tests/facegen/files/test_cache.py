"""The key of the cache changes with any code that could change a model, and writers do not collide."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dcign.facegen.files.cache import PACKAGE, code_key

CLOSURE = """
import importlib, pkgutil, sys
import dcign.facegen.build
import dcign.facegen.loaders as loaders
for module in pkgutil.iter_modules(loaders.__path__):
    importlib.import_module(f"{loaders.__name__}.{module.name}")
for name, module in sys.modules.items():
    file = getattr(module, "__file__", None)
    if file and "site-packages" not in file and name.startswith(loaders.__name__.rpartition(".")[0]):
        print(file)
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(PACKAGE, tmp_path / "facegen", ignore=shutil.ignore_patterns("__pycache__"))


def key(package: Path) -> str:
    code_key.cache_clear()
    return code_key(package)


def test_a_change_of_any_module_that_building_or_loading_imports_changes_the_key(copy: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CLOSURE], capture_output=True, text=True, check=True)
    imported = [Path(line).resolve().relative_to(PACKAGE) for line in done.stdout.splitlines()]
    assert len(imported) > 60
    before = key(copy)
    for name in imported:
        source = copy / name
        whole = source.read_bytes()
        source.write_bytes(whole + b"\n")
        assert key(copy) != before, name
        source.write_bytes(whole)
    assert key(copy) == before


def test_a_module_that_moves_into_a_sub_package_stays_in_the_key(copy: Path) -> None:
    (copy / "deeper" / "still").mkdir(parents=True)
    moved = (copy / "colour.py").rename(copy / "deeper" / "still" / "colour.py")
    before = key(copy)
    moved.write_bytes(moved.read_bytes() + b"\n")
    assert key(copy) != before


def test_the_key_follows_from_the_code_alone(copy: Path) -> None:
    (copy / "notes.txt").write_text("no code")
    assert key(copy) == key(PACKAGE)
