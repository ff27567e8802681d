"""Write a folder atomically: it appears under its name when it is complete.

A writer first removes what an earlier, killed writer left.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dcign.errors import DataError
from dcign.storage.atomic import write_errors
from dcign.storage.lock import LOCK_FILE as LOCK
from dcign.storage.lock import folder_lock


def refuse_taken(path: Path) -> None:
    """Raise DataError if the name is taken, or if the temporary folder exists and is not a writer's."""
    if os.path.lexists(path):
        raise DataError(f"{path} is there already; expected a free name: remove it, or choose another --out.")
    part = _part(path)
    if os.path.lexists(part) and not (part / LOCK).exists():
        raise DataError(
            f"{part} is there, and no `dcign` wrote it; expected a free name: remove it, or choose another --out."
        )


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yield the temporary folder `.NAME.part` to fill; rename it at the end, or remove it on any exception.

    Exceptions of the caller pass through unchanged.

    Raises DataError if the name is taken, another process is writing the folder, or the disk refuses.
    """
    refuse_taken(path)
    part = _part(path)
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir(exist_ok=True)
    with folder_lock(part):
        with write_errors(path):
            _clear(part)
        try:
            yield part
            with write_errors(path):
                (part / LOCK).unlink(missing_ok=True)
                part.rename(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _clear(part: Path) -> None:
    """Remove what a killed writer left."""
    for left in part.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        elif left.name != LOCK:
            left.unlink()


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
