"""The command `dcign explore`: options that the argument gives no meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import refused

NOWHERE = ("--no-browser", "--host", "203.0.113.1")  # no address of this machine: nothing is served


@pytest.mark.parametrize("words", [("--data", "nowhere"), ("--device", "cuda")], ids=lambda words: words[0])
def test_options_of_runs_are_refused_with_a_data_set(people_faces: Path, words: tuple[str, str]) -> None:
    said = refused("explore", people_faces, *NOWHERE, *words)
    assert f"expected {words[0]} with a run, found the data set {people_faces}: leave it out." in said
