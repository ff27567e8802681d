"""Turn what a damaged file raises into one sentence."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from dcign.errors import DataError

AGAIN = "make it again with `dcign render`."
LONGEST = 120  # characters of a library's message
# What HDF5, zlib, json and numpy raise on a damaged file.
RAISED = (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, zlib.error, MemoryError)


class Damage(Exception):
    """What is wrong with a file, as the words that follow its name; `damage_errors` makes a sentence of it."""


@contextmanager
def damage_errors(path: Path) -> Iterator[None]:
    """Turn `RAISED` and `Damage` into a DataError of one sentence."""
    try:
        yield
    except DataError:
        raise
    except Damage as error:
        raise DataError(f"{path} {error}; {AGAIN}") from None
    except RAISED as error:
        what = "is cut short" if "truncated file" in str(error) else f"is damaged ({first_line(error)})"
        raise DataError(f"{path} {what}; {AGAIN}") from None


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its type if it has none."""
    said = str(error).strip("'\" \n") or type(error).__name__
    return shown(said.splitlines()[0], LONGEST)


def decode_reason(error: Exception) -> str:
    """Return why msgspec could not decode a JSON text.

    "Expected `int`, got `str` - at `$.seed`" -> "expected int, found str in seed"
    """
    if isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError):
        return f"expected JSON: {first_line(error)}"
    said, _, field = str(error).replace("`", "").replace(", got ", ", found ").partition(" - at ")
    field = field.replace("$.", "")
    return shown(said[:1].lower() + said[1:] + (f" in {field}" if field else ""), 300)


def shown(value: object, longest: int = 60) -> str:
    """Return what a file contains in a form that is safe to print: one short line without terminal codes."""
    text = str(value)
    short = text if len(text) <= longest else text[: longest - 3] + "..."
    return "".join(letter if letter.isprintable() else "?" for letter in short)
