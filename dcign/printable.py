"""Text from outside, such as a file's name, in a form that is safe to print."""

from __future__ import annotations

import os


def printable(text: str) -> str:
    """Return a text in which everything that is not printable is written as an escape.

    A file name that is not UTF-8 becomes "lat\\xe9.obj", a terminal's control code "\\x1b[31m".
    """
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # a byte that is not UTF-8, as Python keeps it in file names
        return repr(os.fsencode(letter))[2:-1]
    return letter.encode("unicode_escape").decode()
