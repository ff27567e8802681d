"""Progress without a terminal: plain lines at fixed intervals, also while nothing is reported."""

from __future__ import annotations

import time

import pytest

from dcign.terminal import progress
from dcign.terminal.progress import batch_progress, stage_progress


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.05)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if line.strip()]


def test_lines_are_printed_while_work_goes_on_without_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    with batch_progress("rendering faces") as report:
        report(3, 10)
        time.sleep(0.3)
        report(10, 10)
    printed = lines(capsys)
    assert len(printed) >= 3
    assert all("rendering faces" in line for line in printed)
    assert "60 images" in printed[0]
    assert "200 images" in printed[-1]


def test_nothing_is_printed_before_the_first_report(capsys: pytest.CaptureFixture[str]) -> None:
    with stage_progress("evaluating"):
        time.sleep(0.2)
    assert not lines(capsys)


def test_no_line_follows_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with stage_progress("evaluating") as report:
        report("codes", 0.5)
    lines(capsys)
    time.sleep(0.2)
    assert not lines(capsys)


def test_images_are_counted_by_the_size_of_the_batches(capsys: pytest.CaptureFixture[str]) -> None:
    with batch_progress("exporting toys", size=1) as report:
        report(7, 10)
        time.sleep(0.2)
    assert "7 images" in lines(capsys)[0]
