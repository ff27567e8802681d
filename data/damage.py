"""What a damaged file raises, as one sentence."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dcign.errors import DataError

AGAIN = "make it again with `dcign render`."
LONGEST = 120  # characters of what a library says


@contextmanager
def damage_errors(path: Path) -> Iterator[None]:
    """Turn what HDF5, zlib, json or numpy raise on a damaged file into a DataError of one sentence."""
    try:
        yield
    except DataError:
        raise
    except OSError as error:
        if "truncated file" in str(error):
            raise DataError(f"{path} is cut short; {AGAIN}") from None
        raise DataError(f"{path} is damaged ({_first_line(error)}); {AGAIN}") from None
    except (RuntimeError, LookupError, ValueError, TypeError, AttributeError, zlib.error, MemoryError) as error:
        raise DataError(f"{path} is damaged ({_first_line(error)}); {AGAIN}") from None


def _first_line(error: BaseException) -> str:
    said = str(error).strip("'\" \n") or type(error).__name__
    return shown(said.splitlines()[0], LONGEST)


def shown(value: object, longest: int = 60) -> str:
    """What a file says, fit to be shown: in one line, not for ever, and with no codes that a terminal would obey."""
    text = str(value)
    short = text if len(text) <= longest else text[: longest - 3] + "..."
    return "".join(letter if letter.isprintable() else "?" for letter in short)
