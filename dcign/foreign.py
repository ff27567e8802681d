"""Name files that are something else than their name says: what a failed download leaves behind."""

from __future__ import annotations

from pathlib import Path

HEAD = 512  # bytes that are looked at
POINTER = b"version https://git-lfs.github.com/spec/"


def foreign_kind(path: Path) -> str | None:
    """Return what a file is, as a noun phrase, if it is none of a model, mesh or picture; else None.

    Raises OSError if it cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not head:
        return "an empty file"
    if start.startswith(POINTER):
        return "a Git LFS pointer without the file itself (`git lfs pull` gets it)"
    if start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<?xml") and b"<html" in start):
        return "a web page, which a failed download leaves"
    return "a file of zeros, which a broken download leaves" if not head.strip(b"\0") else None
