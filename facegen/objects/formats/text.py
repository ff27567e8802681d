"""Numbers from the text of mesh files, in bulk: a file of a million triangles has ten million."""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float64, Int64
from dcign.errors import ModelError
from dcign.printable import printable

Number = TypeVar("Number", np.float64, np.int64)


def utf8(content: bytes) -> bytes:
    """Return a text file's content without its byte order mark, and UTF-16 as UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace").encode("utf-8", "replace")
    return content.removeprefix(codecs.BOM_UTF8)


def without_comment(text: str) -> str:
    """Return a line without its comment. A # that stands close to a word may be a name's, as in "Material #25"."""
    return re.split(r"(?:^|(?<=\s))#(?:\s|$)|^\s*#", text, maxsplit=1)[0].strip()


def numbers(text: bytes, kind: type[Number]) -> NDArray[Number]:
    """Return the numbers of a text in which white space separates them.

    Raises ModelError, whose text is a clause, for a word that is no number.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy before 2.3 stops at a word that is no number
            found = np.fromstring(text, kind, sep=" ") if text.strip() else np.empty(0, kind)
    except (ValueError, DeprecationWarning):
        return _slowly(text.split(), kind)
    cut = kind is np.int64 and len(found) > 0 and max(-int(found.min()), int(found.max())) >= np.iinfo(np.int64).max
    return _slowly(text.split(), kind) if cut else found  # numpy cuts whole numbers of more than 64 bits


def _slowly(words: list[bytes], kind: type[Number]) -> NDArray[Number]:
    """Return the numbers of words, also of those that numpy reads only one at a time, such as nan."""
    found = np.empty(len(words), kind)
    for place, word in enumerate(words):
        try:
            if b"_" in word:  # Python's own spelling, 1_000
                raise ValueError
            found[place] = float(word) if kind is np.float64 else int(word)
        except OverflowError:
            raise ModelError(f"it has the number {printable(word.decode())[:40]}, which is too large") from None
        except ValueError:
            noun = "number" if kind is np.float64 else "whole number"
            raise ModelError(
                f"it has {printable(word.decode('utf-8', 'replace'))[:40]!r} in place of a {noun}"
            ) from None
    return found


def table(rows: Sequence[bytes]) -> tuple[Float64, Int64]:
    """Return the numbers of rows (N, widest), nan where a row ends earlier, and the length of each row (N,)."""
    widths = np.array([len(row.split()) for row in rows], np.int64)
    values = np.full((len(rows), int(widths.max(initial=0))), np.nan)
    for width in np.unique(widths).tolist():
        which = np.flatnonzero(widths == width)
        of_width = rows if len(which) == len(rows) else [rows[number] for number in which.tolist()]
        values[which, :width] = numbers(b" ".join(of_width), np.float64).reshape(len(which), width)
    return values, widths


def colours_as_shares(values: Float64, *, whole: bool) -> Float64:
    """Return colours (N, 3) as 0..1. Whole numbers count to 255, others to 1, though some programs write 127.5."""
    return values / 255 if whole or np.max(values, initial=0, where=np.isfinite(values)) > 1 else values
