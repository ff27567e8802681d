"""Files that are there whole or not at all: written aside in the same folder, then renamed; and read with care."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from dcign.errors import TrainingError

LARGEST_JSON = 2**24  # bytes: far more than any record needs, and still quick to read


def read_json(path: Path) -> Any:  # JSON, not validated
    """Read a small JSON file. Raises OSError if there is none, ValueError if it is damaged, large or contains NaN."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not a file")
    if path.stat().st_size > LARGEST_JSON:
        raise ValueError(f"expected at most {LARGEST_JSON} bytes, found {path.stat().st_size}")
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse_constant(word: str) -> None:
    raise ValueError(f"it contains {word}, which is not a number")


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
    """Write a result of an evaluation into a run's folder. Raises TrainingError if it cannot be written."""
    try:
        write_aside(path, content)
    except OSError as error:
        raise TrainingError(
            f"cannot write {path} ({error.strerror or error}): the trained network is kept; correct that, for example "
            f"free space, and run dcign evaluate {path.parent}"
        ) from None


def write_output(path: Path, content: bytes) -> None:
    """Write a file named by --out, outside a run's folder. Raises TrainingError if it cannot be written."""
    try:
        write_aside(path, content)
    except OSError as error:
        raise TrainingError(
            f"cannot write {path} ({error.strerror or error}): correct that or choose another --out"
        ) from None


def refuse_unwritable(folder: Path) -> None:
    """Raise TrainingError if results cannot be written into a run's folder: call it before computing them."""
    write_result(folder / ".writable", b"")
    (folder / ".writable").unlink()
