"""A folder that appears under its name only when whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.part_file import refusals
from data.schema import DataError


def refuse_taken(path: Path) -> None:
    """Raise DataError if there is something of this name, or a part of it."""
    if os.path.lexists(path):
        raise DataError(f"{path} is there already; expected a free name: remove it, or choose another --out.")
    part = _part(path)
    if os.path.lexists(part):
        raise DataError(
            f"{part} is there: another export is writing it, or one was killed; if none is running, remove it."
        )


@contextmanager
def folder_written_aside(path: Path) -> Iterator[Path]:
    """A folder to fill, `.NAME.part` until it is renamed at the end; removed if anything is raised.

    Raises DataError, in one sentence, if the name is taken or the disk refuses.
    """
    refuse_taken(path)
    part = _part(path)
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        try:
            yield part
            part.rename(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
