"""The signals that stop a command: INT of Ctrl-C, TERM of a scheduler or container, HUP of a closed terminal.

All three do the same. Either they raise `StopRequested` at once, or they wait for a moment at which stopping loses
nothing. A second Ctrl-C stops at once. Further TERM and HUP change nothing: systemd, shells and SLURM send several.

Python drops an exception that is raised in a callback from C, a finaliser or a weak reference. So StopRequested is
raised again every second until something handles it.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TYPE_CHECKING = False  # as typing has it: nothing that is imported before the handlers may take long
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
OF_SIGNAL = 128  # a shell's exit code for a signal, less the signal's number
AGAIN_SECONDS = 1.0  # after which StopRequested is raised again if it was dropped


class StopRequested(KeyboardInterrupt):
    """A stop signal arrived, of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class StopHandler:
    """The handler of all stop signals: raises StopRequested, or only notes the signal while stopping is deferred."""

    def __init__(self) -> None:
        self.requested = 0  # the number of the first stop signal, 0 for none
        self.deferring = False
        self._alarm_before: Any = None  # the handler of SIGALRM, of any of Python's kinds

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        again = bool(self.requested)
        if again and number != signal.SIGINT:
            return
        self.requested = self.requested or number
        if again or not self.deferring:
            self.stop(number)

    def stop(self, number: int) -> None:
        """Raise StopRequested for the signal of this number, and again until it is handled."""
        if hasattr(signal, "setitimer") and self._alarm_before is None and _in_main_thread():
            self._alarm_before = signal.signal(signal.SIGALRM, self._stop_again)
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
        raise StopRequested(number)

    def end(self) -> None:
        """Raise StopRequested no more: only note further signals."""
        self.deferring = True
        if self._alarm_before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._alarm_before)

    def raise_noted(self) -> None:
        """Raise StopRequested if a signal was noted, and at once for each signal from now on."""
        self.deferring = False
        if self.requested:
            self.stop(self.requested)

    def _stop_again(self, number: int, frame: FrameType | None) -> None:
        if not self.deferring and not _handles_stop():
            raise StopRequested(self.requested)


def _handles_stop() -> bool:
    """Return whether StopRequested is being handled: by `except`, `finally`, or the end of a `with`."""
    error = sys.exception()
    while error is not None and not isinstance(error, StopRequested):
        error = error.__context__
    return error is not None


_installed: list[StopHandler] = []  # one at most


def note_stop_signals() -> None:
    """Note stop signals until the process ends, without raising anything before `StopHandler.raise_noted`."""
    handler = StopHandler()
    handler.deferring = True
    _install(handler)


@contextmanager
def stop_signals() -> Iterator[StopHandler]:
    """Let all stop signals raise StopRequested in the main thread. Signals that the caller ignores stay ignored."""
    if _installed:
        yield _installed[0]
        return
    handler = StopHandler()
    if not _in_main_thread():
        yield handler
        return
    before = _install(handler)
    try:
        yield handler
    finally:
        handler.end()
        _installed.clear()
        for number, previous in before.items():
            signal.signal(number, previous)


def _in_main_thread() -> bool:
    """Return whether this is the main thread: Python lets no other set handlers."""
    return threading.current_thread() is threading.main_thread()


def _install(handler: StopHandler) -> dict[int, Any]:  # number -> the handler before, of any of Python's kinds
    handled = [
        number for number in STOP_SIGNALS if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN
    ]  # nohup ignores HUP
    before = {number: signal.signal(number, handler) for number in handled}
    _installed.append(handler)
    return before


@contextmanager
def deferred_stop() -> Iterator[Callable[[], int]]:
    """Defer stop signals. Yields a function that returns the number of the one that arrived, or 0.

    Raises StopRequested at the end if a signal arrived and the body did not stop for it.
    """
    with stop_signals() as handler:
        handler.deferring = True
        try:
            yield lambda: handler.requested
        finally:
            handler.deferring = False
        handler.raise_noted()


def stop_if_requested() -> None:
    """Raise StopRequested again if a library caught it: call this wherever stopping loses nothing."""
    for handler in _installed:
        if handler.requested and not handler.deferring:
            handler.stop(handler.requested)


@contextmanager
def stop_signals_blocked() -> Iterator[None]:
    """Block stop signals, so that processes started meanwhile inherit the block. Signals arrive at the end."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_stop_signals() -> None:
    """Ignore all stop signals in this process, which ends when its parent ends or asks it to."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def exit_code(stopped: BaseException) -> int:
    """Return the exit code of a shell for what stopped a command: 130 for Ctrl-C, 143 for TERM, 129 for HUP."""
    return OF_SIGNAL + int(getattr(stopped, "number", signal.SIGINT))
