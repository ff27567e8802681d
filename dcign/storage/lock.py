"""Let one process at a time write into a folder, by a lock on a file in it.

The operating system holds the lock (flock, by filelock), not the file: a killed process leaves the file but no lock.
The file names the holder for the error message. Child processes do not inherit the lock; they write for their parent.
"""

from __future__ import annotations

import json
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from dcign.errors import DataError, DcignWarning
from dcign.storage.paths import is_remote

LOCK_FILE = ".dcign.lock"
WAIT = 0.1  # seconds: a holder that is just ending removes its file, and a second attempt finds a new one


class UnlockedWarning(DcignWarning):
    """A folder cannot be locked, so that nothing keeps a second process out."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder while something is written into it; make it if needed, and remove it if it stays empty.

    A folder that cannot be written to is not locked: the first write into it then says why. Warns with UnlockedWarning
    if the folder's file system or store has no locks.

    Raises DataError if another process holds the folder: which one, and since when.
    """
    if is_remote(folder):
        _warn_unlocked(folder, "an object store has no locks")
        yield
        return
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    lock: FileLock | None = None
    try:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            lock = _locked(folder)
        yield
    finally:
        if lock is not None:
            with suppress(OSError):
                (folder / LOCK_FILE).unlink()  # before the release: afterwards it may be another process's
            lock.release()
        for path in made:
            with suppress(OSError):
                path.rmdir()


def _locked(folder: Path) -> FileLock | None:
    """Return the lock, held and with the holder written into its file; None, with a warning, if it cannot be locked.

    Raises OSError if the lock's file cannot be made.
    """
    path = folder / LOCK_FILE
    lock = FileLock(
        path,
        WAIT,
        0o666,  # so that another user of a shared folder can open the file and see the lock
        thread_local=False,
        poll_interval=WAIT / 10,
        fallback_to_soft=False,  # a soft lock would outlive a killed process
    )
    try:
        lock.acquire()
    except Timeout:
        raise DataError(
            f"{folder} is being written to by {_holder(path)}: wait until that has ended, stop it, or name another "
            "folder."
        ) from None
    except OSError as error:
        if not path.exists():
            raise
        _warn_unlocked(folder, str(error))
        if not isinstance(error, PermissionError):  # which another user's file raises
            path.unlink()
        return None
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    with suppress(OSError):  # on a full disk the lock holds without a name in it
        path.write_text(json.dumps({"process": os.getpid(), "host": socket.gethostname(), "since": since}))
    return lock


def _warn_unlocked(folder: Path, why: str) -> None:
    warnings.warn(
        f"{folder} cannot be locked ({why}): make sure that no second process writes into it.",
        UnlockedWarning,
        stacklevel=3,
    )


def _holder(path: Path) -> str:
    try:
        about = json.loads(path.read_bytes()[:1000])
        return f"process {about['process']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):  # the holder has only just begun
        return "another process"
