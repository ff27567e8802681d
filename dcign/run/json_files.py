"""JSON files that are read with care, and the files of an evaluation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

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


def refuse_format(found: Any, name: str, version: int) -> None:  # JSON
    """Raise ValueError unless a file says that it has this format and version."""
    if not isinstance(found, dict) or found.get("format") != name:
        raise ValueError(f"expected the format {name}, found another")
    if found.get("version") != version:
        raise ValueError(f"expected version {version} of {name}, found {found.get('version')!r}")


def from_json(found: Any, kind: Any, read: Callable[[type, Any], Any] | None = None) -> Any:  # JSON -> kind, a type
    """Convert JSON values to a declared type. Raises ValueError if that is impossible.

    read: converts values for types that msgspec does not know, such as arrays.
    """
    try:
        return msgspec.convert(found, kind, dec_hook=read)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


@contextmanager
def read_errors(path: Path, advice: str, *more: type[Exception]) -> Iterator[None]:
    """Raise OSErrors and ValueErrors, and more types, as TrainingErrors that name the file and say what to do."""
    refused: tuple[type[Exception], ...] = (OSError, ValueError, *more)
    try:
        yield
    except refused as error:
        reason = " ".join(str(error).split())[:300]
        raise TrainingError(f"cannot read {path} ({reason}): {advice}.") from None


@contextmanager
def open_result(path: Path) -> Iterator[Any]:  # JSON, not validated
    """Read a JSON file of an evaluation. Raises TrainingError if there is none, or for ValueErrors in the block."""
    if not path.is_file():
        raise TrainingError(
            f"expected {path.name} in {path.parent}, found none: run dcign evaluate {path.parent} first."
        )
    with read_errors(path, "evaluate the run again"):
        yield read_json(path)


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
