"""Write files atomically: a reader sees the old file or the complete new one, never half a file.

Everything is written under a temporary name, flushed to the disk and then renamed. The temporary name is
`.NAME.HOST-PID-TOKEN.part` in the same folder, which no other writer has: of several writers of one file the last one
counts. For an object store the temporary file lies on this machine and is uploaded.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import io
import os
import secrets
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, cast

from dcign.errors import DataError
from dcign.storage.paths import is_remote, make_folder, store_errors, with_local_copy

HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]  # machines may share a temporary folder


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file that fits into memory; on failure the old file stays and no temporary file is left.

    Raises DataError if the disk or the store refuses.
    """
    with temporary_path(path) as part, write_errors(path):
        part.write_bytes(content)


@contextmanager
def temporary_path(path: Path) -> Iterator[Path]:
    """Yield the path of an empty temporary file to fill; rename it to `path` afterwards.

    The file gets the permissions of an ordinary new file. The temporary file is removed on any exception, and
    exceptions of the caller pass through unchanged. What killed writers of the file left on this machine is removed,
    too.

    Raises DataError if the folder cannot be made, or if the disk or the store refuses.
    """
    part = _temporary_name(path)
    try:
        with write_errors(path):
            make_folder(path.parent)
            _remove_left_over(path)
            part.touch()
            mode = part.stat().st_mode
        yield part
        with write_errors(path):
            part.chmod(mode)  # some libraries write a new file of their own, which only its owner may read
            _flush(part)
            _rename(part, path)
            if not is_remote(path):
                with suppress(OSError):  # some file systems cannot open a folder
                    _flush(path.parent)  # makes the rename itself survive a loss of power
    finally:
        with suppress(OSError):
            part.unlink()
        _writing.discard(part.name)


def is_temporary(path: Path) -> bool:
    """Return whether a file is the temporary file of a writer, perhaps one that was killed."""
    return path.name.startswith(".") and path.suffix == ".part"


class AtomicFile(io.FileIO):
    """An open temporary file for h5py, zipfile and tarfile: it never raises when the disk refuses a write.

    HDF5 cannot handle a write that fails: it fails again on close, prints messages and was seen to corrupt memory. So
    the first error is stored, and `check` raises it.
    """

    def __init__(self, path: Path, part: Path) -> None:
        super().__init__(part, "w+b")
        self.path = path
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error of the disk, if there was one, as DataError."""
        if self._error is not None:
            with write_errors(self.path):
                raise self._error

    def write(self, content: Any) -> int:  # Any: bytes or a memory view, from h5py
        """Write all of the content, or store the error."""
        view = memoryview(content).cast("B")
        try:
            written = 0 if self._error is None else len(view)
            while written < len(view):
                written += super().write(view[written:])
        except OSError as error:
            self._error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the size, or store the error."""
        try:
            return super().truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    def close(self) -> None:
        """Close the file; `temporary_path` reports what the disk refuses at the end."""
        with suppress(OSError):
            super().close()

    def sha256(self) -> str:
        """Return the SHA-256 of the content, hexadecimal."""
        self.seek(0)
        return hashlib.file_digest(self, "sha256").hexdigest()


@contextmanager
def atomic_file(path: Path) -> Iterator[AtomicFile]:
    """Yield an `AtomicFile` to fill; rename it to `path` afterwards, as `temporary_path` does.

    Raises DataError if the folder cannot be made, or if the disk or the store refuses.
    """
    with temporary_path(path) as part:
        with write_errors(path):
            file = AtomicFile(path, part)
        with file:
            yield file
            file.check()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal.

    Raises DataError if it cannot be read.
    """
    try:
        with with_local_copy(path, lambda copy: copy.open("rb")) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None


def refuse_taken_file(path: Path, option: str = "--out") -> None:
    """Raise DataError if a new file cannot have this name: it is there already, or it or its temporary name is none."""
    with write_errors(path):
        there = path.exists()
        if not is_remote(path):
            part = _temporary_name(path).name
            _writing.discard(part)
            (next(folder for folder in path.absolute().parents if folder.exists()) / part).exists()
    if there:
        raise DataError(f"{path} is there already; expected a new file: remove it or choose another {option}.")


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn what the system or HDF5 raises on a failed write into a DataError of one sentence."""
    try:
        yield
    except DataError:
        raise
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path} could not be written: {_reason(error)}") from None


_REASONS = {
    errno.ENOSPC: "the disk is full; free some space, or write to another disk, and run again.",
    errno.EDQUOT: "the disk quota is used up; free some space, or write to another disk, and run again.",
    errno.EFBIG: "the file would be larger than the system allows; raise that limit, and run again.",
    errno.EROFS: "the file system is read-only; write to another folder.",
    errno.EACCES: "its folder may not be written to; change the permissions, or write to another folder.",
    errno.EPERM: "its folder may not be written to; change the permissions, or write to another folder.",
    errno.ENOTDIR: "part of the path is a file, not a folder; write to another folder.",
    errno.EEXIST: "part of the path is a file, not a folder; write to another folder.",
    errno.ENOENT: "its folder cannot be made; write to another folder.",
    errno.EISDIR: "there is a folder of this name; remove it, or choose another name.",
    errno.ENAMETOOLONG: "the name is too long for the file system; choose a shorter one.",
}


def _reason(error: Exception) -> str:
    unknown = f"the system says {' '.join(str(error).split())!r}; correct that, or write to another folder."
    return _REASONS.get(getattr(error, "errno", None) or 0, unknown)


_writing: set[str] = set()  # the names of this process's temporary files


def _temporary_name(path: Path) -> Path:
    """Return a path that no other writer has, of this machine or another one."""
    writer = f"{HOST}-{os.getpid()}-{secrets.token_hex(4)}"
    if is_remote(path):
        part = Path(tempfile.gettempdir()) / f"dcign-{path.name}.{writer}.part"
    else:
        part = path.with_name(f".{path.name}.{writer}.part")
    _writing.add(part.name)
    return part


def _remove_left_over(path: Path) -> None:
    """Remove the temporary files that killed writers on this machine left of a file, or of any file for a store."""
    if is_remote(path):
        _remove_uploads_of_killed_processes()
    else:
        _remove_dead(path.parent.glob(f".{glob.escape(path.name)}.{HOST}-*.part"))


@cache
def _remove_uploads_of_killed_processes() -> None:
    """Do so once per process."""
    _remove_dead(Path(tempfile.gettempdir()).glob(f"dcign-*.{HOST}-*.part"))


def _remove_dead(parts: Iterable[Path]) -> None:
    """Remove those of temporary files whose process has ended, as far as this user may."""
    for part in parts:
        process = part.stem.rpartition(".")[2].split("-")[1]
        if process.isdecimal() and part.name not in _writing and not _is_alive(int(process)):
            with suppress(OSError):  # it belongs to another user, or another writer has removed it
                part.unlink()


def _is_alive(process: int) -> bool:
    """Return whether another process is alive, or may be."""
    if process == os.getpid():  # an earlier one: in a restarted container the numbers are the same again
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's, or no number of a process
        return True
    return True


def _rename(part: Path, path: Path) -> None:
    """Give a complete file its name in one step, in a store too."""
    if not is_remote(path):
        part.replace(path)
        return
    remote = cast("Any", path)
    with store_errors(path):
        remote.fs.put_file(str(part), remote.path)


def _flush(path: Path) -> None:
    """Wait until a file or a folder is on the disk; some file systems only then report that the disk is full."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
