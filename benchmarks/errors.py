"""The errors of benchmarks: every mistake that a user can mend ends in one sentence with exit code 1."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dcign.errors import DcignError


class BenchmarkError(DcignError):
    """A benchmark cannot start or continue."""


def refuse_below(least: float, **numbers: float) -> None:
    """Raise BenchmarkError for the first of these options that is below `least` or not a number."""
    for name, value in numbers.items():
        if not value >= least:  # false for a NaN
            raise BenchmarkError(f"expected --{name} {least:g} or more, found {value:g}: choose a larger number.")


@contextmanager
def one_sentence() -> Iterator[None]:
    """Print errors as one sentence and exit with code 1. SIGTERM stops like Ctrl-C, so that all is cleaned up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (DcignError, OSError) as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped.")
    finally:
        signal.signal(signal.SIGTERM, before)
