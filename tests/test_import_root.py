"""Only `dcign` is installed and imported: a user's own `data`, `render` or `cli` is left alone, and never needed."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINKS = ("cli.py", "data", "facegen", "render")
SOURCES = [path for top in ("benchmarks", "cli.py", "data", "dcign", "facegen", "render", "tests")
           for path in ([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py"))]  # fmt: skip
FOLDERS = sorted({path.parent.relative_to(ROOT) for path in SOURCES} - {Path()})
FOLDERS = [folder for folder in FOLDERS if folder.parts[0] != "tests"]


def imports(path: Path) -> set[str]:
    """Top-level names that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            found.add((node.module or "").partition(".")[0])
    return found


def test_the_user_s_folders_are_linked_into_the_package() -> None:
    for name in LINKS:
        assert (ROOT / "dcign" / name).is_symlink()
        assert (ROOT / "dcign" / name).resolve() == ROOT / name


def test_no_file_imports_our_folders_by_their_top_level_names() -> None:
    banned = {name.removesuffix(".py") for name in LINKS}
    assert not [str(path) for path in SOURCES if imports(path) & banned]


def test_test_modules_share_code_through_tests_support_alone() -> None:
    shared = re.compile(r"^ *(?:from|import) tests\.(?!support\b)", re.MULTILINE)
    assert not [str(path) for path in (ROOT / "tests").rglob("*.py") if shared.search(path.read_text())]


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_folder_holds_at_most_14_files(folder: Path) -> None:
    assert len([path for path in (ROOT / folder).glob("*.py") if not path.is_symlink()]) <= 14


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_package_says_what_comes_in_what_goes_out_and_what_it_never_imports(folder: Path) -> None:
    words = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text())) or ""
    assert re.search(r"(?is)\bin: .*\bout: .*\b(never|neither|imports no)\b", words), words


@pytest.mark.parametrize("package", [True, False])
def test_a_user_s_own_modules_of_common_names_are_left_alone(tmp_path: Path, package: bool) -> None:
    for name in ("cli", "data", "render", "facegen"):
        file = tmp_path / name / "__init__.py" if package else tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"MINE = {name!r}\n")
    script = "import cli, data, render, facegen; from dcign import DCIGN; print(cli.MINE, data.MINE, DCIGN.__name__)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [[sys.executable, "-c", script], [sys.executable, "-m", "dcign.cli", "--help"]]
    printed = [
        subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment).stdout
        for words in command
    ]
    assert printed[0].split() == ["cli", "data", "DCIGN"]
    assert "Example" in printed[1]


def test_a_checkout_without_symbolic_links_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "dcign").mkdir()
    shutil.copy(ROOT / "dcign" / "__init__.py", tmp_path / "dcign")
    for name in LINKS:  # what git writes in place of a link
        (tmp_path / "dcign" / name).write_text(f"../{name}")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", "import dcign"], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 1
    assert "this checkout has no symbolic links. Run `git config core.symlinks true`" in done.stderr
