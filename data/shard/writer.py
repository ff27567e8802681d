"""Write a shard, batch by batch and atomically; the same batches give the same bytes.

One chunk is one batch. Each chunk is compressed here with zlib and stored as it is: HDF5's gzip filter reads the same
stream, but compression then runs outside HDF5's lock and outside the global interpreter lock.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from dcign.data import schema
from dcign.data.schema import Batch, ShardHeader
from dcign.data.shard.columns import Column, arrays, columns, is_per_pixel
from dcign.errors import DataError
from dcign.storage.atomic import AtomicFile, atomic_file, write_errors

GZIP_LEVEL = 1  # level 4 halves the speed of a render for 5 % of its size
# Pinned, so that another HDF5 version writes the same bytes; every reader of today opens 1.8.
LIBRARY_VERSIONS = ("v108", "v110")


def write_shard(
    path: Path, header: ShardHeader, batches: Iterable[Batch], count: int, *, overwrite: bool = False
) -> str:
    """Write `count` batches as one shard and return the file's SHA-256.

    The file appears under its name only when it is complete; on any exception nothing is left. One batch is in memory
    at a time. Two processes may write the same shard at once.

    Raises DataError if the file exists (unless `overwrite`), a batch does not fit, there are not `count` batches, or
    the disk refuses.
    """
    if path.exists() and not overwrite:
        raise DataError(f"{path} is there already; expected a free name: remove it, or write elsewhere.")
    if header.split not in schema.SPLITS or count < 1:
        raise DataError(
            f"{path} was given {count} batches of split {header.split!r}; expected 1 or more of one of "
            f"{', '.join(schema.SPLITS)}."
        )
    with atomic_file(path) as part:
        with write_errors(path):
            file = h5py.File(part, "w", libver=LIBRARY_VERSIONS)
        with file:  # closing cannot fail: an error of the disk is stored in `part`
            _fill(file, part, header, batches, count)
        with write_errors(path):
            return part.sha256()


def _fill(file: h5py.File, part: AtomicFile, header: ShardHeader, batches: Iterable[Batch], count: int) -> None:
    """Write every batch into the open file. Exceptions of the caller's iterator pass unchanged."""
    path = part.path
    layout: dict[str, Column] = {}
    datasets: dict[str, h5py.Dataset] = {}
    written = 0
    for batch in batches:
        if written == count:
            raise DataError(f"{path} was given more than {count} batches; expected {count}: pass the right count.")
        found = columns(batch, header)
        with write_errors(path):
            if not layout:
                layout = found
                datasets = _lay_out(file, header, layout, count)
            if found != layout:
                raise DataError(f"batch {batch.number} of {path} has {_difference(found, layout)}: correct it.")
            _append(datasets, written, arrays(batch, header.codes))
            part.check()
        written += 1
    if written != count:
        raise DataError(f"{path} was given {written} batches; expected {count}: pass the right count.")


def _lay_out(file: h5py.File, header: ShardHeader, layout: dict[str, Column], count: int) -> dict[str, h5py.Dataset]:
    """Create the attributes and all datasets."""
    for name, value in _attributes(header).items():
        file.attrs[name] = value
    datasets = {}
    for path, column in layout.items():
        dtype = h5py.enum_dtype(header.codes, basetype=np.uint8) if path == schema.VARYING else column.dtype
        chunk = (1, *column.shape) if is_per_pixel(path) else None
        datasets[path] = create_dataset(file, path, (count, *column.shape), dtype, chunk)
    factors = datasets[schema.FACTOR_VALUES].attrs
    factors["names"] = texts(factor.name for factor in header.factors)
    factors["units"] = texts(factor.units for factor in header.factors)
    factors["mirror_sign"] = np.array([factor.mirror_sign for factor in header.factors], np.int8)
    flags = {name: [getattr(factor, name) for factor in header.factors] for name in schema.FACTOR_FLAGS}
    for name in (each for each in flags if any(flags[each])):  # shards without them keep their bytes
        factors[name] = np.array(flags[name], np.uint8)
    if classes := {factor.name: factor.classes for factor in header.factors if factor.classes}:
        factors[schema.CLASSES] = _text(_json(classes))
    if schema.IDENTITY_ATTRIBUTES in datasets:
        datasets[schema.IDENTITY_ATTRIBUTES].attrs["names"] = texts(header.attributes)
    for path, names in header.varies_with.items():
        if path in datasets:
            datasets[path].attrs[schema.VARIES_WITH] = texts(names)
    if schema.IDENTITY_SOURCE in datasets:
        datasets[schema.IDENTITY_SOURCE].attrs["names"] = texts(header.traits)
    for layer, names in header.truth_names.items():
        if f"{schema.TRUTH}/{layer}" in datasets:
            datasets[f"{schema.TRUTH}/{layer}"].attrs["names"] = texts(names)
    return datasets


def create_dataset(
    file: h5py.File, path: str, shape: tuple[int, ...], dtype: DTypeLike, chunk: tuple[int, ...] | None = None
) -> h5py.Dataset:
    """Create a dataset without time stamps; with a shape of its chunks it is compressed."""
    compression = {} if chunk is None else {"chunks": chunk, "compression": "gzip", "compression_opts": GZIP_LEVEL}
    return file.create_dataset(path, shape, dtype, track_times=False, **compression)


def texts(words: Iterable[str]) -> NDArray[np.bytes_]:
    """Return an attribute that is a list of texts."""
    return np.array([word.encode() for word in words])


def _append(datasets: dict[str, h5py.Dataset], row: int, values: dict[str, NDArray[Any]]) -> None:
    for path, value in values.items():
        if is_per_pixel(path):
            stream = zlib.compress(np.ascontiguousarray(value).data, GZIP_LEVEL)
            datasets[path].id.write_direct_chunk((row,) + (0,) * value.ndim, stream)
        else:
            datasets[path][row] = value


def _attributes(header: ShardHeader) -> dict[str, Any]:
    """Return the file's attributes. Texts have a fixed length, which more readers support than a variable one."""
    return {
        "format": _text(schema.FORMAT),
        "version": np.int64(header.version),
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
    """Return how a batch differs from the first one of its shard."""
    for path in sorted(found.keys() | layout.keys()):
        one, other = found.get(path), layout.get(path)
        if one != other:
            return f"{path} {one and one.shape}; expected {other and other.shape}, as in the first batch"
    return "the same layout"
