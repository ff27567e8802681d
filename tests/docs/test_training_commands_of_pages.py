"""The commands of README and docs/ that train and evaluate, with two steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.page_commands import TRAINING, run_beside_what_it_names, small_commands
from tests.support.provisions import Shelf

pytestmark = pytest.mark.usefixtures("quick_evaluations", "small_data_sets")


@pytest.mark.parametrize("line", small_commands(*TRAINING))
def test_a_command_of_the_pages_trains_or_evaluates(
    line: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_beside_what_it_names(line, shelf, tmp_path, monkeypatch)
