"""Write a shard: streamed, aside, then renamed; the same batches give the same bytes.

One chunk is one batch. A chunk is compressed here with zlib at level 1, the stream that HDF5's own gzip
filter reads, and stored whole: compression then runs outside HDF5's lock and without Python's.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dcign.data.schema import (
    FACTOR_VALUES,
    FORMAT,
    FORMAT_VERSION,
    IDENTITY_ATTRIBUTES,
    SPLITS,
    TRUTH,
    VARYING,
    Batch,
    ShardHeader,
    varies_codes,
)
from dcign.data.shard.columns import Column, arrays, columns, is_per_pixel
from dcign.errors import DataError
from dcign.storage.atomic import AtomicFile, atomic_file, write_errors
from dcign.storage.atomic import file_sha256 as file_sha256  # who writes shards hashes them

GZIP_LEVEL = 1  # level 4 halves the speed of a render for 5 % of its size
# Pinned, so that another HDF5 library writes the same bytes; 1.8 is what every reader of today opens.
LIBRARY_VERSIONS = ("v108", "v110")


def write_shard(
    path: Path,
    header: ShardHeader,
    batches: Iterable[Batch],
    count: int,
    *,
    overwrite: bool = False,
    mark: str = "",
) -> str:
    """Write `count` batches as one shard and return the file's SHA-256.

    The file appears under its name only when whole; until then it is `.NAME.part` in the same folder, and on
    any exception that is removed. mark: in that name, where the same shard may be written twice at once. One batch is
    in memory at a time.

    Raises DataError if the file is there already (unless `overwrite`), a batch does not fit, there are more
    or fewer than `count`, or the disk refuses.
    """
    if path.exists() and not overwrite:
        raise DataError(f"{path} is there already; expected a free name: remove it, or write elsewhere.")
    if header.split not in SPLITS or count < 1:
        raise DataError(
            f"{path} is to have {count} batches of split {header.split!r}; expected 1 or more of one of "
            f"{', '.join(SPLITS)}."
        )
    with atomic_file(path, mark) as part:
        with write_errors(path):
            file = h5py.File(part, "w", libver=LIBRARY_VERSIONS)
        try:
            _fill(file, part, header, batches, count)
        finally:
            file.close()  # cannot fail: an error of the disk is stored in `part`
        with write_errors(path):
            return part.sha256()


def _fill(file: h5py.File, part: AtomicFile, header: ShardHeader, batches: Iterable[Batch], count: int) -> None:
    """Every batch into the open file. What the caller's iterator raises passes through unchanged."""
    path = part.path
    layout: dict[str, Column] = {}
    datasets: dict[str, h5py.Dataset] = {}
    written = 0
    for batch in batches:
        if written == count:
            raise DataError(f"{path} was given more than its {count} batches: ask for as many as there are.")
        found = columns(batch, len(header.factors), len(header.attributes))
        with write_errors(path):
            if not layout:
                layout = found
                datasets = _lay_out(file, header, layout, count)
            if found != layout:
                raise DataError(f"batch {batch.number} of {path} has {_difference(found, layout)}.")
            _append(datasets, written, arrays(batch))
            part.check()
        written += 1
    if written != count:
        raise DataError(f"{path} was given {written} batches; expected {count}.")


def _lay_out(file: h5py.File, header: ShardHeader, layout: dict[str, Column], count: int) -> dict[str, h5py.Dataset]:
    """Create the attributes and all the datasets."""
    for name, value in _attributes(header).items():
        file.attrs[name] = value
    codes = varies_codes(factor.name for factor in header.factors)
    datasets = {path: _create(file, path, column, count, codes) for path, column in layout.items()}
    factors = datasets[FACTOR_VALUES].attrs
    factors["names"] = np.array([factor.name.encode() for factor in header.factors])
    factors["units"] = np.array([factor.units.encode() for factor in header.factors])
    factors["mirror_sign"] = np.array([factor.mirror_sign for factor in header.factors], np.int8)
    if IDENTITY_ATTRIBUTES in datasets:
        datasets[IDENTITY_ATTRIBUTES].attrs["names"] = np.array([name.encode() for name in header.attributes])
    for layer, names in header.truth_names.items():
        if f"{TRUTH}/{layer}" in datasets:
            datasets[f"{TRUTH}/{layer}"].attrs["names"] = np.array([name.encode() for name in names])
    return datasets


def _create(file: h5py.File, path: str, column: Column, count: int, codes: dict[str, int]) -> h5py.Dataset:
    shape = (count, *column.shape)
    dtype = h5py.enum_dtype(codes, basetype=np.uint8) if path == VARYING else column.dtype
    if is_per_pixel(path):
        return file.create_dataset(
            path,
            shape,
            dtype,
            chunks=(1, *column.shape),
            compression="gzip",
            compression_opts=GZIP_LEVEL,
            track_times=False,
        )
    return file.create_dataset(path, shape, dtype, track_times=False)


def _append(datasets: dict[str, h5py.Dataset], row: int, values: dict[str, NDArray[Any]]) -> None:
    for path, value in values.items():
        if is_per_pixel(path):
            stream = zlib.compress(np.ascontiguousarray(value).data, GZIP_LEVEL)
            datasets[path].id.write_direct_chunk((row,) + (0,) * value.ndim, stream)
        else:
            datasets[path][row] = value


def _attributes(header: ShardHeader) -> dict[str, Any]:
    """The file's attributes. Text is of fixed length, which more readers take than of variable length."""
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
