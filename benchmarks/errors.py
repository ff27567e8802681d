"""How every benchmark ends where the user can mend what is wrong: in one sentence, with exit code 1."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dcign.errors import DataError, TrainingError


class BenchmarkError(ValueError):
    """A benchmark cannot start or go on; the text says what was found, wanted and to do."""


def refuse_below(least: float, **numbers: float) -> None:
    """Raise BenchmarkError for the first of these options that is less than it can be."""
    for name, value in numbers.items():
        if not value >= least:  # a NaN is not
            raise BenchmarkError(f"--{name} is {value:g}: wanted {least:g} or more")


@contextmanager
def one_sentence() -> Iterator[None]:
    """Show what can be mended as its sentence; SIGTERM unwinds as Ctrl-C does, so that nothing is left behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (BenchmarkError, TrainingError, DataError, OSError) as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped.")
    finally:
        signal.signal(signal.SIGTERM, before)
