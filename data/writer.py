"""Write a shard: streamed, aside, then renamed; the same batches give the same bytes.

One chunk is one batch. A chunk is compressed here with zlib at level 1, the stream that HDF5's own gzip filter
reads, and stored whole: compression then runs outside HDF5's lock and without Python's.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from data.batch import Column, arrays, columns, is_per_pixel
from data.schema import (
    FACTOR_VALUES,
    FORMAT,
    FORMAT_VERSION,
    SPLITS,
    VARIES,
    VARYING,
    Batch,
    DataError,
    ShardHeader,
)

GZIP_LEVEL = 1  # level 4 halves the speed of a render for 5 % of its size
# Pinned, so that another HDF5 library writes the same bytes; 1.8 is what every reader of today opens.
LIBRARY_VERSIONS = ("v108", "v110")


def write_shard(
    path: Path, header: ShardHeader, batches: Iterable[Batch], count: int, *, overwrite: bool = False
) -> str:
    """Write `count` batches as one shard and return the file's SHA-256.

    The file appears under its name only when whole; until then it is `.NAME.part` in the same folder, and on any
    exception that is removed. One batch is in memory at a time.

    Raises DataError if the file is there already (unless `overwrite`), a batch does not fit, there are more or
    fewer than `count`, or the disk refuses.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise DataError(f"{path} is there already; expected a free name: remove it, or write elsewhere.")
    if header.split not in SPLITS or count < 1:
        raise DataError(f"a shard of {count} batches of split {header.split!r}; expected >= 1 and one of {SPLITS}.")
    part = path.with_name(f".{path.name}.part")
    with _refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_part(part, path, header, batches, count)
        with _refusals(path):
            digest = _flush_to_disk(part)
            os.replace(part, path)
            _flush_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    return digest


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_part(part: Path, path: Path, header: ShardHeader, batches: Iterable[Batch], count: int) -> None:
    with _refusals(path):
        file = h5py.File(part, "w", libver=LIBRARY_VERSIONS, locking=False)
    try:
        _fill(file, path, header, batches, count)
        with _refusals(path):
            file.close()
    except BaseException:
        _abandon(file, part)
        raise


def _fill(file: h5py.File, path: Path, header: ShardHeader, batches: Iterable[Batch], count: int) -> None:
    """Every batch into the open file. What the caller's iterator raises passes through unchanged."""
    layout: dict[str, Column] = {}
    written = 0
    for batch in batches:
        if written == count:
            raise DataError(f"{path} was given more than its {count} batches: ask for as many as there are.")
        found = columns(batch, len(header.factors))
        with _refusals(path):
            if not layout:
                layout = found
                _lay_out(file, header, layout, count)
            if found != layout:
                raise DataError(f"batch {batch.number} of {path} has {_difference(found, layout)}.")
            _append(file, written, arrays(batch))
        written += 1
    if written != count:
        raise DataError(f"{path} was given {written} batches; expected {count}.")


def _lay_out(file: h5py.File, header: ShardHeader, layout: dict[str, Column], count: int) -> None:
    """Create the attributes and all the datasets."""
    for name, value in _attributes(header).items():
        file.attrs[name] = value
    for path, column in layout.items():
        _create(file, path, column, count)
    factors = file[FACTOR_VALUES].attrs
    factors["names"] = np.array([factor.name.encode() for factor in header.factors])
    factors["units"] = np.array([factor.units.encode() for factor in header.factors])
    factors["mirror_sign"] = np.array([factor.mirror_sign for factor in header.factors], np.int8)


def _create(file: h5py.File, path: str, column: Column, count: int) -> None:
    shape = (count, *column.shape)
    dtype = h5py.enum_dtype(VARIES, basetype=np.uint8) if path == VARYING else column.dtype
    if is_per_pixel(path):
        file.create_dataset(
            path,
            shape,
            dtype,
            chunks=(1, *column.shape),
            compression="gzip",
            compression_opts=GZIP_LEVEL,
            track_times=False,
        )
    else:
        file.create_dataset(path, shape, dtype, track_times=False)


def _append(file: h5py.File, row: int, values: dict[str, NDArray[Any]]) -> None:
    for path, value in values.items():
        if is_per_pixel(path):
            stream = zlib.compress(np.ascontiguousarray(value).data, GZIP_LEVEL)
            file[path].id.write_direct_chunk((row,) + (0,) * value.ndim, stream)
        else:
            file[path][row] = value


def _attributes(header: ShardHeader) -> dict[str, Any]:
    """The file's attributes. Text is of fixed length: variable-length strings lie on a heap, whose order varies."""
    return {
        "format": _text(FORMAT),
        "version": np.int64(FORMAT_VERSION),
        "split": _text(header.split),
        "seed": np.int64(header.seed),
        "configuration": _text(_json(header.configuration)),
        "configuration_sha256": _text(header.configuration_sha256),
        "model_sha256": _text(header.model_sha256),
        "renderer": _text(_json(header.renderer)),
        "ranges": _text(_json(header.ranges)),
        "camera": _text(_json(header.camera)),
    }


def _text(value: str) -> np.bytes_:
    return np.bytes_(value.encode() or b"\0")


def _json(value: Any) -> str:  # Any: whatever json takes
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


def _difference(found: dict[str, Column], layout: dict[str, Column]) -> str:
    """Say in what a batch is unlike the first of its shard."""
    for path in sorted(found.keys() | layout.keys()):
        one, other = found.get(path), layout.get(path)
        if one != other:
            return f"{path} {one and one.shape}; expected {other and other.shape}, as in the first batch"
    return "the same layout"


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn what the system or HDF5 says about a failed write into one sentence.

    HDF5 reports through OSError or RuntimeError, with the errno at times only in the text, at times on close.
    """
    try:
        yield
    except DataError:
        raise
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path} could not be written: {_reason(error)}") from None


_REASONS = {
    errno.ENOSPC: "the disk is full; free some space, or write to another disk, and run again.",
    errno.EDQUOT: "the disk quota is used up; free some space, or write to another disk, and run again.",
    errno.EFBIG: "the file would pass the size that the system allows; raise that limit, and run again.",
    errno.EROFS: "the file system is read-only; write to another folder.",
    errno.EACCES: "the folder may not be written to; change its permissions or write to another folder.",
    errno.EPERM: "the folder may not be written to; change its permissions or write to another folder.",
    errno.ENOTDIR: "part of the path is a file; expected a folder: write to another folder.",
    errno.EEXIST: "part of the path is a file; expected a folder: write to another folder.",
    errno.ENAMETOOLONG: "the name is too long for the file system; choose a shorter one.",
}


def _reason(error: Exception) -> str:
    for code, sentence in _REASONS.items():
        if getattr(error, "errno", None) == code or f"errno = {code}," in str(error):
            return sentence
    return f"the system says {' '.join(str(error).split())!r}; write to another folder, or free this one."


def _abandon(file: h5py.File, part: Path) -> None:
    """Close a file that will not be kept.

    On a full disk HDF5 cannot close it either, and would try again at the interpreter's end; emptied first, the
    file gives back the space that its last metadata needs.
    """
    with suppress(OSError):
        os.truncate(part, 0)
    with suppress(OSError, RuntimeError):
        file.close()


def _flush_to_disk(part: Path) -> str:
    with part.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a loss of power, where folders can be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
