"""Figures, names and output that the pages state, compared with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dcign.recipes.registry import RECIPES
from dcign.render.plan.configuration import Splits
from dcign.run.sizes import LARGEST, SMALLEST
from tests.support.page_commands import run_beside_what_it_names
from tests.support.pages import ROOT, commands
from tests.support.provisions import Shelf

DOCS = ROOT / "docs"
NUMBER = r"-?\d+\.\d"


def test_the_tutorial_states_how_many_batches_of_other_people_it_renders() -> None:
    held_out = sum(count for split, count in Splits.in_paper_proportions(600).batches().items() if split != "train")
    assert re.search(r"600 batches for training, and (\d+)\sof other", (DOCS / "start.md").read_text())[1] == str(
        held_out
    )


@pytest.mark.parametrize("page", ["training.md", "import.md"])
def test_pages_state_the_sizes_that_networks_take(page: str) -> None:
    assert re.findall(r"etworks take (?:square images of )?(\d+ to \d+) px", (DOCS / page).read_text()) == [
        f"{SMALLEST} to {LARGEST}"
    ]


def test_the_table_of_recipes_has_their_steps() -> None:
    text = (DOCS / "training.md").read_text()
    columns, steps = (
        [cell.strip() for cell in re.findall(rf"^{start}.*$", text, re.M)[0].split("|")[2:-1]]
        for start in (r"\| \| `swap` \(default\)", r"\| default steps \|")
    )
    for names, count in zip(columns, steps, strict=True):
        assert {f"{RECIPES[name].steps:,}" for name in re.findall(r"`([\w-]+)`", names)} == {count}


def test_readme_compares_runs_that_its_other_commands_make() -> None:
    text = (ROOT / "README.md").read_text()
    (compare,) = (line for line in commands(ROOT / "README.md") if line.startswith("dcign compare"))
    for run in re.findall(r"runs/\S+", compare):
        assert re.search(rf"(into|makes|--out) {re.escape(run)}[/,` ]", text), run


def test_edit_prints_what_the_page_shows(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its figures depend on the OpenGL that drew the picture, so the words alone are compared."""
    command, shown = re.search(
        r"^ {4}(dcign edit .*)\n {4}(person\.png: .*)$", (DOCS / "training.md").read_text(), re.M
    ).groups()
    printed = run_beside_what_it_names(command, shelf, tmp_path, monkeypatch).output.splitlines()[0]
    assert re.sub(NUMBER, "N", printed) == re.sub(NUMBER, "N", shown)
