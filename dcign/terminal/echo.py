"""Print lines that may contain text from outside, such as file names."""

from __future__ import annotations

import click

from dcign.printable import printable


def echo(text: str, *, err: bool = False) -> None:
    """Print lines; control codes, and names that are not UTF-8, are printed as escapes."""
    click.echo(printable_lines(text), err=err)


def printable_lines(text: str) -> str:
    """Return lines in which everything that is not printable is written as an escape."""
    return "\n".join(map(printable, text.split("\n")))
