"""The commands of README and docs/ that render, with a batch of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.page_commands import RENDERING, run_beside_what_it_names, small_commands
from tests.support.provisions import Shelf


@pytest.mark.parametrize("line", small_commands(*RENDERING))
def test_a_command_of_the_pages_renders(
    line: str, shelf: Shelf, small_data_sets: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_beside_what_it_names(line, shelf, tmp_path, monkeypatch)
    assert (tmp_path / "faces" / "dataset.json").is_file()
