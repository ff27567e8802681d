"""The commands of README and docs/ that name an object store, against a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from dcign.storage.paths import to_path
from tests.support.object_store import IGNORED_WARNINGS, object_store
from tests.support.page_commands import (
    QUICK,
    RENDERING,
    STORE,
    TRAINING,
    leave_evaluation_out,
    run_beside_what_it_names,
    small_commands,
)
from tests.support.provisions import Shelf

pytestmark = [
    pytest.mark.usefixtures("quick_evaluations", "small_data_sets"),
    *(pytest.mark.filterwarnings(ignored) for ignored in IGNORED_WARNINGS),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tmp_path_factory.getbasetemp()  # before TMPDIR is changed
    with object_store("bucket") as bucket:
        yield bucket


@pytest.fixture
def kept(store: str, shelf: Shelf) -> Iterator[Path]:
    """The small data set, where the pages have theirs in the bucket."""
    folder = to_path(f"{store}/faces")
    for file in shelf.get("faces").rglob("*"):
        if file.is_file():
            (folder / file.relative_to(shelf.get("faces"))).write_bytes(file.read_bytes())
    yield folder
    boto3.resource("s3").Bucket(store.removeprefix(STORE)).objects.all().delete()


@pytest.mark.parametrize("line", small_commands(*QUICK, *TRAINING, store=True))
def test_a_command_of_the_pages_reads_from_a_store(
    line: str, kept: Path, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_evaluation_out(monkeypatch)
    run_beside_what_it_names(line, shelf, tmp_path, monkeypatch)


@pytest.mark.parametrize("line", small_commands(*RENDERING, store=True))
def test_a_command_of_the_pages_renders_to_a_store(
    line: str, store: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_beside_what_it_names(line, shelf, tmp_path, monkeypatch)
    assert to_path(f"{store}/faces/dataset.json").is_file()
