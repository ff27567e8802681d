"""The commands of README and docs/: each is understood, and each runs, at small size. Three files share them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import click
import pytest

from tests.support.commands import parsed
from tests.support.page_commands import (
    EVERY,
    NOT_RUN,
    QUICK,
    RENDERING,
    SERVING,
    TRAINING,
    expanded,
    run_beside_what_it_names,
    small,
    small_commands,
)
from tests.support.pages import commands
from tests.support.provisions import SHIPPED, Shelf

pytestmark = pytest.mark.usefixtures("quick_evaluations", "small_data_sets")


@pytest.fixture
def beside_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory whose runs are the network of the package: `edit` has options for their factors."""
    (tmp_path / "runs").mkdir()
    for name in ("swap", "first", "people", "wild"):
        (tmp_path / "runs" / name).symlink_to(SHIPPED)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("line", EVERY)
def test_a_command_of_the_pages_is_understood(line: str, beside_runs: None) -> None:
    _, name, *words = shlex.split(line)
    try:
        parsed(name, *words)
    except click.UsageError as error:
        pytest.fail(f"{line}: {error.message}")


@pytest.mark.parametrize("line", small_commands(*QUICK))
def test_a_quick_command_of_the_pages_runs(
    line: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_beside_what_it_names(line, shelf, tmp_path, monkeypatch)


@pytest.mark.parametrize("line", small_commands(*SERVING))
def test_the_explorer_of_the_pages_opens_and_stops(
    line: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    seen: list[str] = []
    visitor = threading.Thread(target=visit_and_stop, args=(port, seen), daemon=True)
    visitor.start()
    result = run_beside_what_it_names(f"{line} --port {port}", shelf, tmp_path, monkeypatch, ends_with=130)
    visitor.join()
    assert f"Open http://127.0.0.1:{port}/" in result.output
    assert "<title>" in seen[0]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def visit_and_stop(port: int, seen: list[str]) -> None:
    """Read the page as soon as it is served, then press Ctrl-C."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
                seen.append(page.read().decode())
            os.kill(os.getpid(), signal.SIGINT)
            return
        except urllib.error.URLError:
            time.sleep(0.1)


def test_every_command_of_the_pages_is_of_a_group_that_runs() -> None:
    names = {line.split()[1] for line in EVERY}
    assert names == {*QUICK, *SERVING, *RENDERING, *TRAINING}
    excluded = [line for line in EVERY if any(word in line for word in NOT_RUN)]
    assert len(excluded) <= 2
    assert all(any(word in line for line in EVERY) for word in NOT_RUN)


def test_large_commands_with_the_same_options_become_one_small_one() -> None:
    large = ("--batches 12000", "--batches 600 --size 64", "--batches 12000 --out faces150")
    assert {small(f"dcign render {options}") for options in large} == {small("dcign render --batches 7")}
    assert small("dcign train faces --steps 4000") == small("dcign train") != small("dcign train faces --recipe vae")


def test_a_pattern_is_expanded_as_a_shell_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b-2", "b-1", "c"):
        (tmp_path / name).touch()
    assert expanded("b-*") == ["b-1", "b-2"]
    assert expanded("d-*") == ["d-*"]


def test_a_line_that_is_a_command_ends_where_its_comment_begins(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("    dcign face --describe faces/iid:3 > p.json   # a person\n    dcign train  # all\n\ndcign no\n")
    assert commands(page) == ["dcign face --describe faces/iid:3", "dcign train"]
    assert not re.search("no", " ".join(commands(page)))
