"""TERM and HUP stop a command as Ctrl-C does: at once, or at the next moment at which nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from dcign.stop_signals import StopRequested, deferred_stop, exit_code, stop_if_requested, stop_signals
from dcign.terminal.progress import batch_progress
from tests.support.commands import ROOT


def send(*numbers: int) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_stop_signal_raises_and_has_the_exit_code_of_a_shell(number: int, code: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as stopped, stop_signals():
        send(number)
    assert exit_code(stopped.value) == code
    assert signal.getsignal(number) is before


def deferred(body: Callable[[Callable[[], int]], None]) -> None:
    with deferred_stop() as requested:
        body(requested)


def test_a_deferred_signal_is_told_and_raises_at_the_end_unless_the_body_stopped_for_it() -> None:
    told = []

    def goes_on(requested: Callable[[], int]) -> None:
        told.append(requested())
        send(signal.SIGHUP)
        told.append(requested())

    def stops(requested: Callable[[], int]) -> None:
        send(signal.SIGTERM)
        raise ValueError("own words")

    with pytest.raises(StopRequested) as stopped:
        deferred(goes_on)
    assert told == [0, signal.SIGHUP]
    assert stopped.value.number == signal.SIGHUP
    with pytest.raises(ValueError, match="own words"):
        deferred(stops)


def test_further_signals_change_nothing_but_a_second_ctrl_c_stops_at_once() -> None:
    told = []

    def body(requested: Callable[[], int]) -> None:
        send(signal.SIGTERM, signal.SIGHUP, signal.SIGTERM)  # as systemd and shells do
        told.append(requested())
        send(signal.SIGINT)
        told.append(requested())

    with pytest.raises(StopRequested) as stopped:
        deferred(body)
    assert told == [signal.SIGTERM]
    assert stopped.value.number == signal.SIGINT


def test_a_stop_that_a_library_caught_is_raised_again_at_the_next_report() -> None:
    stop_if_requested()
    with stop_signals():
        with suppress(KeyboardInterrupt):  # as a bare except does
            send(signal.SIGTERM)
        with batch_progress("waiting") as progress, pytest.raises(StopRequested):
            progress(1, 2)


def test_a_stop_that_was_dropped_is_raised_again_without_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcign.stop_signals.AGAIN_SECONDS", 0.05)
    alarm = signal.getsignal(signal.SIGALRM)
    with stop_signals():
        with suppress(KeyboardInterrupt):  # as Python does in a finaliser
            send(signal.SIGHUP)
        with pytest.raises(StopRequested) as stopped:
            time.sleep(60)
    assert stopped.value.number == signal.SIGHUP
    assert signal.getsignal(signal.SIGALRM) is alarm
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_stop_that_is_being_handled_is_not_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcign.stop_signals.AGAIN_SECONDS", 0.05)
    cleaned = []

    @contextmanager
    def resource() -> Iterator[None]:
        try:
            yield
        finally:
            time.sleep(0.2)
            cleaned.append("a resource")

    def work() -> None:
        with resource():
            try:
                send(signal.SIGTERM)
            except KeyboardInterrupt:
                time.sleep(0.2)
                cleaned.append("a file")
                sys.exit(1)

    with stop_signals(), pytest.raises(SystemExit):
        work()
    assert cleaned == ["a file", "a resource"]


def test_noted_signals_are_raised_when_the_command_line_is_ready() -> None:
    script = """
import os, signal
from dcign.stop_signals import StopRequested, note_stop_signals, stop_signals
note_stop_signals()
os.kill(os.getpid(), signal.SIGTERM)
print("imports")
try:
    with stop_signals() as handler:
        handler.raise_noted()
except StopRequested as stopped:
    print(stopped)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "imports\nSIGTERM\n"


def test_nothing_slow_is_imported_before_signals_find_their_handlers() -> None:
    script = "import sys, dcign.start; print(*{'click', 'numpy', 'pathlib', 'typing', 'warnings'} & {*sys.modules})"
    command = [sys.executable, "-S", "-c", script]  # -S: what the environment itself imports is not ours
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "\n"


def test_a_signal_during_the_way_out_is_ignored() -> None:
    with stop_signals():
        with pytest.raises(StopRequested):
            send(signal.SIGTERM)
        send(signal.SIGHUP)


def test_under_nohup_a_closed_terminal_stops_nothing() -> None:
    script = """
import os, signal
from dcign.stop_signals import stop_signals
with stop_signals():
    os.kill(os.getpid(), signal.SIGHUP)
    print("goes on")
"""
    done = subprocess.run(
        ["nohup", sys.executable, "-c", script], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    assert done.stdout == "goes on\n"
