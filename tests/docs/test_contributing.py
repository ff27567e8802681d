"""docs/contributing.md: its sections on adding a recipe and a metric, followed word for word in a copy of the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "contributing.md"
COPIED = ("dcign", "tests/support")

CREATE = re.compile(r"Create `(?P<file>[^`]+)`:")
INSERT = re.compile(r"In `(?P<file>[^`]+)`, (?P<where>above|below) `(?P<anchor>[^`]+)`, insert:")
REPLACE = re.compile(r"In `(?P<file>[^`]+)`, replace `(?P<old>[^`]+)` by `(?P<new>[^`]+)`\.")
RUN = re.compile(r"Run\b[^\n]*:")


def section(title: str) -> str:
    """Return the text between a heading and the next one."""
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    return found


def steps(text: str) -> list[tuple[str, str]]:
    """Return what a section says to do, in order: the sentence, and the code block below it ("" if it has none)."""
    found, lines = [], iter(text.splitlines())
    sentence = ""
    for line in lines:
        if line.lstrip().startswith("```"):
            indent, code = line[: line.index("`")], ""
            while (line := next(lines)) != f"{indent}```":
                code += f"{line.removeprefix(indent)}\n"
            found.append((sentence, code))
        elif line:
            sentence = line.strip()
            if REPLACE.fullmatch(sentence):
                found.append((sentence, ""))
    return found


def follow(folder: Path, sentence: str, code: str) -> None:
    """Do what one sentence says, in a copy of the repository."""
    if said := CREATE.fullmatch(sentence):
        file = folder / said["file"]
        assert not file.exists()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
    elif said := INSERT.fullmatch(sentence):
        insert(folder / said["file"], said["where"], said["anchor"], code)
    elif said := REPLACE.fullmatch(sentence):
        file = folder / said["file"]
        assert file.read_text().count(said["old"]) == 1, f"{said['old']} is not in {said['file']} once"
        file.write_text(file.read_text().replace(said["old"], said["new"]))
    else:
        assert RUN.fullmatch(sentence), f"nothing known to do: {sentence}"
        for line in code.splitlines():
            run(folder, *line.split())


def insert(file: Path, where: str, anchor: str, code: str) -> None:
    """Insert code above or below the one line that begins with `anchor`."""
    lines = file.read_text().splitlines(keepends=True)
    (place,) = [number for number, line in enumerate(lines) if line.lstrip().startswith(anchor)]
    lines.insert(place + (where == "below"), code)
    file.write_text("".join(lines))


def run(folder: Path, *words: str) -> str:
    """Run a command there and return what it printed."""
    assert words[0] == "python"
    done = subprocess.run([sys.executable, *words[1:]], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code that may be changed; the linked folders are copied into the package."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_a_recipe_is_added_as_the_page_says_and_trains_two_steps(copy: Path) -> None:
    todo = steps(section("Add a recipe"))
    assert len(todo) == 4
    for sentence, code in todo:
        follow(copy, sentence, code)
    script = "from dcign.recipes.registry import recipe_named; print(recipe_named('swap-mean').reference)"
    assert run(copy, "python", "-c", script) == "mean\n"


def test_a_metric_is_added_as_the_page_says_and_gives_a_value_from_arrays(copy: Path) -> None:
    todo = steps(section("Add a metric"))
    assert len(todo) == 9
    for sentence, code in todo:
        follow(copy, sentence, code)
    script = """
        import numpy as np
        from dcign.evaluate.disentanglement import measure_disentanglement
        from dcign.trained.terms import METRIC_TERMS
        rng = np.random.default_rng(0)
        factors = rng.uniform(-1, 1, (300, 2))
        mu = np.hstack([2 * factors, np.zeros((300, 1))])
        found = measure_disentanglement(mu, factors, np.array([[-1, 1], [-1, 1]]), (0, 1), None, rng, class_trees=False)
        known = [term.key for term in METRIC_TERMS]
        print(found.metrics["latents"]["mcc"]["value"] > 0.999, "metrics.latents.mcc.value" in known)
    """
    assert run(copy, "python", "-c", textwrap.dedent(script)) == "True True\n"
