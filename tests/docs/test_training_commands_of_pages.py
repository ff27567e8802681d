"""The commands of README and docs/ that train and evaluate, with two steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.page_commands import (
    TRAINING,
    leave_evaluation_out,
    run_beside_what_it_names,
    small,
    small_commands,
)
from tests.support.provisions import Shelf

pytestmark = pytest.mark.usefixtures("quick_evaluations", "small_data_sets")

# Every training ends with the same evaluation. Here that of one run is made, and what `evaluate` names.
EVALUATED = small("dcign train people")


@pytest.mark.parametrize("line", small_commands(*TRAINING))
def test_a_command_of_the_pages_trains_or_evaluates(
    line: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trains = line.startswith("dcign train")
    if trains and line != EVALUATED:
        leave_evaluation_out(monkeypatch)
    run_beside_what_it_names(line, shelf, tmp_path, monkeypatch)
    report = "photos.json" if "--photos" in line else "report.html"
    assert list(tmp_path.rglob("checkpoint.safetensors" if trains else report))
    assert list(tmp_path.rglob("evaluation.json")) or line != EVALUATED


def test_the_training_that_is_evaluated_is_one_of_the_pages() -> None:
    assert EVALUATED in small_commands(*TRAINING)
