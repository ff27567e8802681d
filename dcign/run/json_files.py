"""Files that are there whole or not at all: written aside in the same folder, then renamed; and read with care."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from dcign.errors import TrainingError

LARGEST_JSON = 2**24  # bytes: far more than any record, far less than would hurt to read


def read_json(path: Path) -> Any:  # JSON, of which nothing is known
    """Read a small JSON file; raises OSError if there is none, ValueError if it is damaged, large or holds NaN."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is no file")
    if path.stat().st_size > LARGEST_JSON:
        raise ValueError(f"it is {path.stat().st_size} bytes large")
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _refuse_constant(word: str) -> None:
    raise ValueError(f"it holds {word}, which is no number")


def write_aside(path: Path, content: bytes) -> None:
    """Write a file whole; whatever stops it, the old one stays and nothing is left beside it."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # some file systems say only here that the disk is full
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def is_part(path: Path) -> bool:
    """Return whether a file is what a process that was killed while writing left of another."""
    return path.name.startswith(".") and path.suffix == ".part"


def write_result(path: Path, content: bytes) -> None:
    """Write what an evaluation found, of a run that is kept: say how to go on if it cannot be written."""
    try:
        write_aside(path, content)
    except OSError as error:
        raise TrainingError(
            f"cannot write {path} ({error.strerror or error}): the trained network is kept; mend that, free space say, "
            f"and run dcign evaluate {path.parent}"
        ) from None


def write_output(path: Path, content: bytes) -> None:
    """Write a file asked for by --out, which is no part of a run; raises TrainingError if it cannot be written."""
    try:
        write_aside(path, content)
    except OSError as error:
        raise TrainingError(
            f"cannot write {path} ({error.strerror or error}): mend that or choose another --out"
        ) from None


def refuse_unwritable(folder: Path) -> None:
    """Raise where results could not be written into a run's folder, before the work for them is done."""
    write_result(folder / ".writable", b"")
    (folder / ".writable").unlink()
