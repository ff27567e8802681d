"""What the examples of the pages name, and folders in which they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dcign.facegen.model.morphable import MorphableModel
from dcign.render.plan.configuration import Splits
from tests.support.drawing import in_this_process
from tests.support.page_commands import few_batches
from tests.support.provisions import Shelf

NAMED = ("faces", "runs/swap", "runs/first", "runs/vae", "z.npz", "person.png")


@pytest.fixture(scope="session")
def shelf(model: MorphableModel, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """What the examples name, each made when it is first needed."""
    return Shelf(tmp_path_factory.mktemp("shelf"), model)


@pytest.fixture(scope="session")
def workplace(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the Python examples name."""
    folder = tmp_path_factory.mktemp("examples")
    shelf.lay_out(NAMED, folder, copied=True)
    return folder


@pytest.fixture
def small_data_sets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `dcign render` make a batch of each kind, in the process of the test."""
    monkeypatch.setattr(Splits, "in_paper_proportions", few_batches)
    with in_this_process():
        yield
