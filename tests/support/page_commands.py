"""The commands of README and docs/, made small, and run each in a folder of its own with what it names."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import pytest
from click.testing import Result

from dcign.render.plan.configuration import Splits
from tests.support.commands import dcign
from tests.support.pages import ROOT, commands
from tests.support.provisions import SIZE, Shelf

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EVERY = sorted({line for page in PAGES for line in commands(page)})
# Commands that are parsed but not run, by what they contain, and why.
NOT_RUN = {"--cluster": "a cluster; tests/render/produce/test_cluster.py has one"}
# The files of tests that run them, by names of commands; those that name an object store are in another.
QUICK = ("compare", "doctor", "edit", "encode", "export", "face", "import", "inspect", "metrics", "push")
SERVING, RENDERING, TRAINING = ("explore",), ("render",), ("train", "evaluate")
STORE = "s3://"
# What makes a command small, by its name: options that are replaced, and options that are added.
SMALLER = {
    "render": ((r" --batches \d+", ""), (r" --size \d+", ""), (r" --out (?!s3:)\S+", "")),
    "train": (
        (r"train faces", "train"),
        (r" --threads \d+", ""),
        (r" --steps \d+", ""),
        (r" --refine \d+", " --refine 2"),
        (r"(?<!--resume) --out \S+", ""),
        (r"size=\d+", f"size={SIZE}"),
    ),
    "face": ((r"--gallery \d+", "--gallery 2"), (r":\d+$", ":3")),
}
ADDED = {
    "render": f" --batches 4 --size {SIZE} --workers 1",
    "train": " --steps 2",
}


def small(line: str) -> str:
    """Return the small command that stands for a command of the pages; large ones can have the same."""
    name = line.split()[1]
    for pattern, smaller in SMALLER.get(name, ()):
        line = re.sub(pattern, smaller, line)
    return line + ADDED.get(name, "")


def small_commands(*names: str, store: bool = False) -> list[str]:
    """Return the small commands with these names, each once; store: those that name an object store, or the others."""
    run = [line for line in EVERY if not any(word in line for word in NOT_RUN) and (STORE in line) == store]
    return sorted({small(line) for line in run if line.split()[1] in names})


def run_beside_what_it_names(
    line: str, shelf: Shelf, folder: Path, patch: pytest.MonkeyPatch, ends_with: int = 0
) -> Result:
    """Run a command in a folder with what it reads, as a shell would. Check its exit code and what it wrote."""
    _, *words = shlex.split(line)
    shelf.lay_out(read_by(words), folder, copied=words[0] in ("train", "evaluate"))
    patch.chdir(folder)
    result = dcign(*(found for word in words for found in expanded(word)))
    assert result.exit_code == ends_with, result.output
    if "--out" in words and "--dry-run" not in words and STORE not in line:
        assert Path(words[words.index("--out") + 1]).exists()
    return result


def read_by(words: list[str]) -> list[str]:
    """Return the words that name what a command reads; without data, `train` reads faces."""
    if "--resume" not in words and "--out" in words:
        place = words.index("--out") + 1
        words = words[:place] + words[place + 1 :]
    if words[0] == "train" and words[1].startswith("--") and "--resume" not in words:
        words = [*words, "faces"]
    return words


def expanded(word: str) -> list[str]:
    """Return the files that a pattern stands for, as a shell gives them to a command."""
    return (sorted(map(str, Path().glob(word))) or [word]) if "*" in word else [word]


def few_batches(train: int, further_factors: int = 0, parts: int = 0, traits: int = 0) -> Splits:
    """Stand in for `Splits.in_paper_proportions`: a batch of each kind."""
    kinds = 4 + further_factors + parts
    levels = (2,) * (3 + further_factors)
    return Splits(kinds, test=kinds, iid=2, sweep_levels=levels, mix=1 if traits > 1 else None)


def leave_evaluation_out(patch: pytest.MonkeyPatch) -> None:
    """Let `dcign train` end when the network is trained."""
    patch.setattr(importlib.import_module("dcign.commands.train"), "_evaluate_run", lambda *_: None)
