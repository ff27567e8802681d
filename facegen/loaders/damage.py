"""Say what is wrong with a model file that cannot be read: what it is instead, or how it was damaged."""

from __future__ import annotations

import re
from pathlib import Path

from dcign.errors import ModelError
from dcign.facegen.loaders.array_file import ADVICE
from dcign.foreign import foreign_kind

SHOWN = 40  # characters of a text file that an error shows
CUT_SHORT = re.compile(
    "truncated|ran out of input|not a zip file|end of file|EOF|insufficient data|too small|buffer is"
)
LEAST_LINES = 4  # line ends, from which on their bytes tell whether they were altered
LEAST_BY_CHANCE = 8  # pairs CR LF that random data would have: their absence is no accident
LOOKED_AT = 2**26  # bytes


def refuse_foreign(path: Path, expected: str) -> None:
    """Raise ModelError if a file is a web page, a Git LFS pointer or empty. expected: a noun phrase."""
    kind = foreign_kind(path)
    if kind is not None:
        raise ModelError(f"expected {expected}, found {path}, which is {kind}: {ADVICE}")


def beginning(start: bytes) -> str:
    """Return a clause with the first words of a file (n,) if it is text, else nothing."""
    text = start.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip()
    line = (text.splitlines() or [""])[0]
    return (
        f', a text file that begins "{line[:SHOWN]}",' if line and line.isprintable() and "\ufffd" not in line else ""
    )


def damaged(path: Path, error: Exception) -> ModelError:
    """Return the error for a model file whose reader failed with `error`, whose own text is not shown."""
    if has_altered_line_ends(path):
        how = "its line ends were altered, as by a transfer in text mode"
    elif isinstance(error, EOFError) or CUT_SHORT.search(str(error)):
        how = "it is cut short"
    elif "allow_pickle" in str(error):
        how = "it contains Python objects instead of numbers"
    else:
        how = "it is damaged"
    return ModelError(f"expected a face model, found {path}, which cannot be read because {how}: {ADVICE}")


def has_altered_line_ends(path: Path) -> bool:
    """Return whether a binary file was transferred as text, from its bytes LF (line feed) and CR.

    Text mode writes CR LF for every LF, or LF for every CR LF. In binary data, few LF follow a CR, but some do.
    """
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        content = stream.read(LOOKED_AT)
    ends, pairs = content.count(b"\n"), content.count(b"\r\n")
    if pairs == ends:
        return ends >= LEAST_LINES
    by_chance = content.count(b"\r") * ends / max(len(content), 1)
    return pairs == 0 and by_chance > LEAST_BY_CHANCE
