"""Name files that are something else than their name says: what a failed download leaves behind."""

from __future__ import annotations

import re
from pathlib import Path

HEAD = 512  # bytes that are looked at
POINTER = b"version https://git-lfs.github.com/spec/"

# What a server answers instead of a file, as in "404: Not Found" or {"message": "Not Found"}.
ANSWER = re.compile(
    rb"""(error\W*)?[45]\d\d\W+[a-z][a-z ]+\W*$|\{\s*"(message|error)"\s*:|"""
    rb"""(not found|forbidden|unauthorized|access denied|bad gateway|too many requests|service unavailable)\W*$"""
)
# Files of other formats by their first bytes. Which of them a reader takes is for its caller to know.
MAGIC = {
    b"\x1f\x8b": "a gzip archive", b"PK\x03\x04": "a zip archive", b"PK\x05\x06": "a zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!": "a RAR archive", b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\0": "an xz archive", b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture",
    b"II*\0": "a TIFF picture", b"MM\0*": "a TIFF picture", b"%PDF": "a PDF document",
    b"\x89HDF": "an HDF5 file", b"\x93NUMPY": "a NumPy array", b"BLENDER": "a Blender file",
    b"Kaydara FBX Binary": "an FBX file", b"glTF": "a GLB file", b"ply\n": "a PLY file", b"ply\r": "a PLY file",
}  # fmt: skip


def archive_fault(path: Path, error: Exception) -> str:
    """Return what is wrong with a file, whose name or format says npz, and that numpy could not read: a noun phrase.

    error: what numpy or zipfile raised; its own text is not shown.
    """
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, OSError) and error.strerror:
        return f"one that cannot be read ({error.strerror})"
    if isinstance(error, KeyError):
        return "one without all its arrays"
    try:
        kind = foreign_kind(path) or magic_kind(path)
    except OSError:
        kind = None
    return "a damaged file" if kind in (None, "a zip archive") else str(kind)


def magic_kind(path: Path) -> str | None:
    """Return what a file's first bytes say that it is, a format or a server's answer, as a noun phrase, or None.

    Raises OSError if it cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if head[257:262] == b"ustar":
        return "a tar archive"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a WebP picture"
    start = head.removeprefix(b"\xef\xbb\xbf").strip().lower()
    if ANSWER.match(start) or (start.startswith(b"<?xml") and b"<error>" in start):
        return "a server's error message, which a failed download leaves"
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)


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
