"""Turn what a damaged file raises into one sentence."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from dcign.errors import DataError

AGAIN = "make it again with `dcign render`."
LONGEST = 120  # characters of a message from elsewhere
# How h5py names an attribute or object that it does not find, and msgspec the place of a fault in JSON.
LACKING = re.compile(r"(?:can't \w+ (attribute): |object )'([^']+)'")
BYTE = re.compile(r"byte (\d+)")
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
        raise DataError(f"{path} {damage_of(error)}; {AGAIN}") from None


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its type if it has none."""
    said = str(error).strip("'\" \n") or type(error).__name__
    return shown(said.splitlines()[0], LONGEST)


def damage_of(error: BaseException) -> str:
    """Return what is wrong with a file, given what h5py raised. Its own text is not shown."""
    said = str(error)
    if "truncated file" in said:
        return "is cut short"
    lacking = LACKING.search(said)
    return f"is damaged: it has no {lacking[1] or 'data set'} {shown(lacking[2])}" if lacking else "is damaged"


def decode_reason(error: Exception) -> str:
    """Return why msgspec could not decode a JSON text.

    "Expected `int`, got `str` - at `$.seed`" -> "expected int, found str in seed"
    """
    if isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError):
        place = BYTE.search(str(error))
        return f"expected JSON, found other text from byte {place[1]} on" if place else "expected complete JSON"
    said, _, field = str(error).replace("`", "").replace(", got ", ", found ").partition(" - at ")
    field = field.replace("$.", "")
    return shown(said[:1].lower() + said[1:] + (f" in {field}" if field else ""), 300)


def shown(value: object, longest: int = 60) -> str:
    """Return what a file contains in a form that is safe to print: one short line without terminal codes."""
    text = str(value)
    short = text if len(text) <= longest else text[: longest - 3] + "..."
    return "".join(letter if letter.isprintable() else "?" for letter in short)
