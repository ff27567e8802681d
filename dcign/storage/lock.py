"""One process at a time writes into a folder: a lock on a file in it, which vanishes with its process.

The lock is the system's (flock), not the file: a process that is killed leaves the file and no lock. The file says who
holds the folder. Child processes do not inherit it, and write on their parent's account.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from dcign.errors import DataError
from dcign.storage.paths import is_remote

LOCK_FILE = ".dcign.lock"

_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


class UnlockedWarning(UserWarning):
    """A folder is on a file system without locks, so that nothing keeps a second process out."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder while something is written into it; it is made if need be, and removed if it stays empty.

    A folder that cannot be written to is not held either: what is written first says why. Warns with
    UnlockedWarning where there are no locks.

    Raises DataError if another process, here or elsewhere, holds it: who, and since when.
    """
    if is_remote(folder):
        _warn_unlocked(folder, "a store has none")
        yield
        return
    made: list[Path] = []
    file = None
    try:
        with suppress(OSError):
            made += [path for path in (folder, *folder.parents) if not path.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            file = _locked(folder)
        yield
    finally:
        if file is not None:
            with suppress(OSError):
                (folder / LOCK_FILE).unlink()  # before it is unlocked: after that it may be another's
            os.close(file)
        for path in made:
            with suppress(OSError):
                path.rmdir()


def _locked(folder: Path) -> int:
    """The lock's file, open and locked if it can be.

    Raises OSError if it cannot be opened.
    """
    path = folder / LOCK_FILE
    while True:
        file = _opened(path)
        try:
            if not _lock(file, folder) or _is_still(file, path):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # its holder has removed it meanwhile


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY)  # another user's; it can be locked all the same


def _lock(file: int, folder: Path) -> bool:
    """Lock an open file and write down who did; False where there are no locks."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError) as error:
        if getattr(error, "errno", None) in _HELD:
            raise DataError(
                f"{folder} is being written to by {_holder(file)}: wait until that has ended, stop it, or choose "
                "another --out."
            ) from None
        _warn_unlocked(folder, str(error))
        return False
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    about = {"process": os.getpid(), "host": socket.gethostname(), "since": now}
    with suppress(OSError):  # read-only, or a full disk: the lock holds without a name on it
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(about).encode(), 0)
    return True


def _warn_unlocked(folder: Path, why: str) -> None:
    warnings.warn(
        f"{folder} is on a file system without locks ({why}): see to it yourself that no second process writes "
        "into it.",
        UnlockedWarning,
        stacklevel=3,
    )


def _holder(file: int) -> str:
    try:
        about = json.loads(os.pread(file, 1000, 0))
        return f"process {about['process']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):  # it has only just begun
        return "another process"


def _is_still(file: int, path: Path) -> bool:
    """Whether an open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
