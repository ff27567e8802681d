"""JSON files that are read with care, and the files of an evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dcign.errors import DataError, TrainingError
from dcign.storage.atomic import write_atomic

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


def write_result(path: Path, content: bytes) -> None:
    """Write a file of an evaluation into the run's folder.

    Raises TrainingError, which says how to continue, if it cannot be written.
    """
    try:
        write_atomic(path, content)
    except DataError as error:
        raise TrainingError(
            f"{error} The trained network is kept: run dcign evaluate {path.parent} once that is done."
        ) from None


def refuse_unwritable(folder: Path) -> None:
    """Raise TrainingError if results cannot be written into a run's folder: call it before computing them."""
    write_result(folder / ".writable", b"")
    (folder / ".writable").unlink()
