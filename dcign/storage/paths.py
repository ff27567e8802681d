"""Paths of this machine, or of an object store by a URL that fsspec knows, for example s3://bucket/faces.

A URL becomes a path with pathlib's methods (universal_pathlib), so that most of dcign does not need to know about
stores. HDF5 can only read a file of this machine: `local_copy` downloads one. The copies are our own and not fsspec's
`filecache`, which never removes a copy to stay within a size: a large data set would fill the disk
(`test_copies_used_longest_ago_make_room`). It also downloads under the final name, which another process may open
before the copy is complete.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any, TypeVar, cast

from dcign.errors import DataError

SHARE = 0.5  # of the free disk space that copies may take
ABANDONED = 3600  # seconds without a new byte after which a download counts as stopped

Used = TypeVar("Used")
# Packages whose errors come from a store or the network.
STORES = ("aiobotocore", "aiohttp", "botocore", "fsspec", "s3fs", "gcsfs", "google", "adlfs", "azure", "upath")


def to_path(name: str | Path) -> Path:
    """Return a path by its name. The path of a URL is not a `pathlib.Path`, but has the same methods.

    Raises DataError if it is a URL of an unknown store, or the store's package is not installed.
    """
    if not isinstance(name, str) or "://" not in name:
        return Path(name) if isinstance(name, str) else name
    try:
        from upath import UPath

        path = UPath(name, use_listings_cache=False)  # other processes write there, too
        _ = path.fs  # this imports the store's package
    except ImportError as error:
        raise DataError(
            f"expected the package of the store of {name}, found none ({error}): run `pip install 'dcign[cloud]'` for "
            "s3://, or install the package of the other store, for example gcsfs or adlfs."
        ) from None
    except ValueError as error:
        raise DataError(
            f"expected a URL of a known store, such as s3://BUCKET/FOLDER, found {name} ({error}): check it."
        ) from None
    return cast("Path", path)


def expand_home(name: str) -> str:
    """Replace a leading ~ or ~USER by the home folder; a shell does so only at the beginning of a word."""
    return os.path.expanduser(name)  # noqa: PTH111  # pathlib's raises for unknown users


def is_remote(path: Path) -> bool:
    """Return whether a path is in an object store."""
    return not isinstance(path, PurePath)


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn an error of a store or the network into a DataError of one sentence; others pass unchanged."""
    try:
        yield
    except Exception as error:
        theirs = isinstance(error, OSError) or type(error).__module__.split(".")[0] in STORES
        if not is_remote(path) or not theirs:
            raise
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{path} cannot be reached ({said}): check its name, your credentials and the network, and run the same "
            "command again."
        ) from None


def local_copy(path: Path, *, fresh: bool = True) -> Path:
    """Return the file itself, or an up-to-date copy of it on this machine, downloaded if needed.

    fresh: ask the store whether the file has changed; if False, a copy that this process has already used is accepted
    without asking.

    Raises DataError if it cannot be downloaded.
    """
    if not is_remote(path):
        return path
    known = _asked.get(str(path))
    if not fresh and known is not None and known.exists():
        return known
    with store_errors(path):
        try:
            copy = _fetched(path)
        except FileNotFoundError:
            if not path.exists():
                raise DataError(f"{path} is not there: check the name, or make it with `dcign render`.") from None
            copy = _fetched(path)
    _asked[str(path)] = copy
    return copy


def with_local_copy(path: Path, use: Callable[[Path], Used], *, fresh: bool = True) -> Used:
    """Return `use(local_copy(path))`; try again if another process has removed the copy meanwhile."""
    copy = local_copy(path, fresh=fresh)
    try:
        return use(copy)
    except Exception:
        if not is_remote(path) or copy.exists():
            raise
    return use(local_copy(path))


def is_there(path: Path) -> bool:
    """Return whether a file or folder of this machine is there; False for a name that is too long or out of reach."""
    return os.path.exists(path)  # noqa: PTH110  # pathlib's raises for these


def unreachable(path: Path) -> str:
    """Return why the system cannot even say whether a path of this machine is there, or "" if it can."""
    try:
        if not is_remote(path):
            path.lstat()
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EACCES, errno.ELOOP):
            return os.strerror(error.errno).lower()
    return ""


def make_folder(folder: Path) -> None:
    """Make a folder and its parents; an object store has no folders."""
    if not is_remote(folder):
        folder.mkdir(parents=True, exist_ok=True)


_asked: dict[str, Path] = {}  # by URL: the copy that was up to date when this process asked


def _fetched(path: Path) -> Path:
    """Return an up-to-date copy.

    Raises FileNotFoundError if the store has no such file, or another process has removed the copy meanwhile.
    """
    import hashlib  # as secrets, tempfile and shutil below: not for every command's help
    import secrets

    remote = cast("Any", path)
    state = remote.fs.ukey(remote.path)
    digest = hashlib.sha256(f"{path} {state}".encode()).hexdigest()[:32]
    copy = _copies() / f"{digest}{path.suffix}"
    if not copy.exists():
        _make_room(int(remote.fs.info(remote.path)["size"]))
        part = copy.with_name(f".{secrets.token_hex(8)}.part")
        try:
            remote.fs.get_file(remote.path, str(part))
            part.replace(copy)
        finally:
            part.unlink(missing_ok=True)
    os.utime(copy, ns=(time.time_ns(), copy.stat().st_mtime_ns))  # used now; not modified, as others may read it
    return copy


def _copies() -> Path:
    """Return the folder of this user's copies.

    Raises DataError if other users may read or write there: its name can be guessed, and they may have made it.
    """
    import tempfile

    folder = Path(tempfile.gettempdir()) / f"dcign-copies-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    about = folder.lstat()  # does not follow a link
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise DataError(
            f"expected a folder that only you can use for copies of a store's files, found another in {folder}: remove "
            "it, or set TMPDIR to another folder."
        )
    return folder


def _make_room(size: int) -> None:
    """Remove the least recently used copies, until all of them and `size` bytes more take at most SHARE of the disk.

    Files that other processes are downloading stay.
    """
    import shutil

    copies, downloading = [], 0
    for copy in _copies().iterdir():
        with suppress(FileNotFoundError):  # another process has removed it
            about = copy.stat()
            if copy.suffix == ".part" and time.time() - about.st_mtime < ABANDONED:
                downloading += about.st_size
            else:
                copies.append((about.st_atime, about.st_size, copy))
    taken, free = downloading + sum(each[1] for each in copies), shutil.disk_usage(_copies()).free
    for _, freed, copy in sorted(copies):
        if taken + size <= SHARE * (free + taken):
            return
        copy.unlink(missing_ok=True)
        taken, free = taken - freed, free + freed
    if size > free:
        raise DataError(
            f"expected {size / 1e6:,.0f} MB for a copy, found {free / 1e6:,.0f} MB free in {_copies()}: free some "
            "space, or set TMPDIR."
        )
