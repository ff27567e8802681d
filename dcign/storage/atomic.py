"""A file that appears under its name only when whole, and says in one sentence why it could not be."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dcign.errors import DataError
from dcign.storage.paths import is_remote, make_folder, move_into_place, part_path, with_local_copy


class AtomicFile:
    """The file while it is written, as `.NAME.part` or `.NAME.MARK.part` in the same folder; a store's on this machine.

    A write that the disk refuses is remembered, and raised by `check`, not where it happens: HDF5 cannot live
    with a write that fails (it fails again on close, prints, was seen to corrupt memory), so it sees none. It
    has what h5py asks of a file object.
    """

    def __init__(self, path: Path, mark: str = "") -> None:
        self.path = path
        self.part = part_path(path, mark)
        self._error: OSError | None = None
        self._kept = False
        self._file = self.part.open("w+b", buffering=0)

    def check(self) -> None:
        """Raise what the disk refused so far, if anything."""
        if self._error is not None:
            raise self._error

    def write(self, content: Any) -> int:  # Any: bytes or a memory view, from h5py
        """Write all of it, or remember why not."""
        view = memoryview(content).cast("B")
        try:
            written = 0 if self._error is None else len(view)
            while written < len(view):
                written += self._file.write(view[written:])
        except OSError as error:
            self._error = error
        return len(view)

    def readinto(self, target: Any) -> int:  # Any: a memory view, from h5py
        """Read into a buffer."""
        return self._file.readinto(target) or 0

    def read(self, size: int = -1) -> bytes:
        """Read bytes."""
        return self._file.read(size) or b""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, as in any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position, as in any file."""
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        """Set the size, or remember why not."""
        try:
            return self._file.truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    def flush(self) -> None:
        """Nothing to do: every write goes to the system at once."""

    def close(self) -> None:
        """Close, and remove the file unless it was kept."""
        with suppress(OSError):
            self._file.close()
        if not self._kept:
            with suppress(OSError):
                self.part.unlink()

    def keep(self) -> str:
        """Give the file its name, once it is on the disk for certain. Returns its SHA-256."""
        self.check()
        os.fsync(self._file.fileno())
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, "sha256").hexdigest()
        self._file.close()
        move_into_place(self.part, self.path)
        self._kept = True
        if not is_remote(self.path):
            _flush_folder(self.path.parent)
        return digest


@contextmanager
def atomic_file(path: Path, mark: str = "") -> Iterator[AtomicFile]:
    """A file to write, removed again if anything is raised or `keep` was not called.

    mark: keeps writers apart where there may be two of one file.

    Raises DataError if the folder cannot be made or written to.
    """
    with write_errors(path):
        make_folder(path.parent)
        part = AtomicFile(path, mark)
    try:
        yield part
    finally:
        part.close()


def write_atomic(path: Path, content: bytes, mark: str = "") -> None:
    """Write a small file aside, then rename it.

    Raises DataError if the disk refuses.
    """
    with atomic_file(path, mark) as part, write_errors(path):
        part.write(content)
        part.keep()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises DataError if it cannot be read.
    """
    try:
        with with_local_copy(path, lambda copy: copy.open("rb")) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn what the system or HDF5 says about a failed write into one sentence."""
    try:
        yield
    except DataError:
        raise
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path} could not be written: {_reason(error)}") from None


_REASONS = {
    errno.ENOSPC: "the disk is full; free some space, or write to another disk, and run again.",
    errno.EDQUOT: "the disk quota is used up; free some space, or write to another disk, and run again.",
    errno.EFBIG: "it would pass the size that the system allows; raise that limit, and run again.",
    errno.EROFS: "the file system is read-only; write to another folder.",
    errno.EACCES: "its folder may not be written to; change the permissions or write to another folder.",
    errno.EPERM: "its folder may not be written to; change the permissions or write to another folder.",
    errno.ENOTDIR: "part of the path is a file where a folder belongs; write to another folder.",
    errno.EEXIST: "part of the path is a file where a folder belongs; write to another folder.",
    errno.EISDIR: "there is a folder of this name; remove it, or choose another name.",
    errno.ENAMETOOLONG: "the name is too long for the file system; choose a shorter one.",
}


def _reason(error: Exception) -> str:
    said = f"the system says {' '.join(str(error).split())!r}; mend that, or write to another folder."
    return _REASONS.get(getattr(error, "errno", None) or 0, said)


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a loss of power, where folders can be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
