"""JSON files that are read with care, and the files of an evaluation."""

import json
from pathlib import Path
from typing import Any

from dcign.errors import DataError, TrainingError
from dcign.storage.atomic import write_atomic

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
    """Raise where results could not be written into a run's folder, before the work for them is done."""
    write_result(folder / ".writable", b"")
    (folder / ".writable").unlink()
