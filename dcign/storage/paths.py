"""Folders and files by name: of this machine, or of an object store by a URL that fsspec knows, s3://bucket/faces say.

A URL's path has pathlib's methods (universal_pathlib), so that most of dcign need not know of it. What must lie on this
machine to be read or written, HDF5 above all, does so aside: `local` fetches a copy, `deliver` sends one.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any, TypeVar, cast

from dcign.errors import DataError

SHARE = 0.5  # of the disk that is free that copies may take
ABANDONED = 3600  # seconds without a byte after which nobody fetches a copy any more

Used = TypeVar("Used")
# Errors of these packages are the store's, or the network's.
STORES = ("aiobotocore", "aiohttp", "botocore", "fsspec", "s3fs", "gcsfs", "google", "adlfs", "azure", "upath")


def to_path(name: str | Path) -> Path:
    """A path by its name. A URL's is no `pathlib.Path`, but answers to its methods.

    Raises DataError if it is a URL, and what is needed for it is not installed or not known.
    """
    if not isinstance(name, str) or "://" not in name:
        return Path(name) if isinstance(name, str) else name
    try:
        from upath import UPath

        path = UPath(name, use_listings_cache=False)  # others write there, too
        _ = path.fs  # here the store's package is imported
    except ImportError as error:
        raise DataError(
            f"{name} needs a package that is not here ({error}): `pip install 'dcign[cloud]'` for s3://; other stores "
            "have packages of their own, gcsfs or adlfs say."
        ) from None
    except ValueError as error:
        raise DataError(f"{name} is of no known store ({error}); expected s3://BUCKET/FOLDER say: check it.") from None
    return cast("Path", path)


def is_remote(path: Path) -> bool:
    """Whether a path is of an object store."""
    return not isinstance(path, PurePath)


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what a store or the network raises into a DataError of one sentence, and nothing else."""
    try:
        yield
    except Exception as error:
        theirs = isinstance(error, OSError) or type(error).__module__.split(".")[0] in STORES
        if not is_remote(path) or not theirs:
            raise
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{path} does not answer as it should ({said}): check its name, your credentials and the network, and run "
            "the same command again."
        ) from None


def local_copy(path: Path, *, fresh: bool = True) -> Path:
    """The file itself, or a copy of it on this machine: fetched if there is none, or it has changed since.

    fresh: ask the store whether it has; else a copy that this process has asked about will do.

    Raises DataError if it cannot be fetched.
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
            copy = _fetched_again(path)
    _asked[str(path)] = copy
    return copy


def with_local_copy(path: Path, use: Callable[[Path], Used], *, fresh: bool = True) -> Used:
    """What `use` makes of `local(path)`; once more if it fails for another process having removed the copy."""
    copy = local_copy(path, fresh=fresh)
    try:
        return use(copy)
    except Exception:
        if not is_remote(path) or copy.exists():
            raise
    return use(local_copy(path))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; a store needs none."""
    if not is_remote(folder):
        folder.mkdir(parents=True, exist_ok=True)


_asked: dict[str, Path] = {}  # by URL: the copy that was the newest when this process asked


def _fetched(path: Path) -> Path:
    """Raises FileNotFoundError if the store has no such file, or another process has removed the copy meanwhile."""
    remote = cast("Any", path)
    state = remote.fs.ukey(remote.path)
    digest = hashlib.sha256(f"{path} {state}".encode()).hexdigest()[:32]
    copy = _copies() / f"{digest}{path.suffix}"
    if not copy.exists():
        _make_room(int(remote.fs.info(remote.path)["size"]))
        aside = copy.with_name(f".{secrets.token_hex(8)}.part")
        try:
            remote.fs.get_file(remote.path, str(aside))
            aside.replace(copy)
        finally:
            aside.unlink(missing_ok=True)
    os.utime(copy, ns=(time.time_ns(), copy.stat().st_mtime_ns))  # used just now; others may be reading, so not written
    return copy


def _fetched_again(path: Path) -> Path:
    try:
        return _fetched(path)
    except FileNotFoundError:
        raise DataError(f"{path} is not there: check the name, or make it with `dcign render`.") from None


def _copies() -> Path:
    """The folder of this user's copies.

    Raises DataError if others may read or write there: its name is known, and they may have made it.
    """
    folder = Path(tempfile.gettempdir()) / f"dcign-copies-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    about = folder.lstat()  # a link is not followed
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise DataError(
            f"{folder} is not a folder of yours alone; copies of a store's files are kept there: remove it, or set "
            "TMPDIR to another folder."
        )
    return folder


def _make_room(size: int) -> None:
    """Remove the copies that were used longest ago, until `size` bytes more take no more than a share of the disk.

    What other processes are fetching stays.
    """
    copies, fetching = [], 0
    for copy in _copies().iterdir():
        with suppress(FileNotFoundError):  # another process makes room, too
            about = copy.stat()
            if copy.suffix == ".part" and time.time() - about.st_mtime < ABANDONED:
                fetching += about.st_size
            else:
                copies.append((about.st_atime, about.st_size, copy))
    taken, free = fetching + sum(each[1] for each in copies), shutil.disk_usage(_copies()).free
    for _, freed, copy in sorted(copies):
        if taken + size <= SHARE * (free + taken):
            return
        copy.unlink(missing_ok=True)
        taken, free = taken - freed, free + freed
    if size > free:
        raise DataError(
            f"a copy of {size / 1e6:,.0f} MB does not fit into {_copies()}: free some space, or set TMPDIR."
        )
