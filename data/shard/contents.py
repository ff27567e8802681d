"""A shard opened for reading: its header, and the bytes of the file that each of its datasets is.

`dcign.data.shard.sandbox` finds these out by HDF5, in a process of its own. What it found is checked here, and read
from then on as plain bytes at known places, by as many threads as like, without HDF5.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Int64
from dcign.data.damage import AGAIN, damage_errors, shown
from dcign.data.schema import (
    FACTOR_VALUES,
    IDENTITY_ATTRIBUTES,
    LANDMARKS,
    SPLITS,
    VARYING,
    Factor,
    ShardHeader,
    configuration_sha256,
    varies_codes,
)
from dcign.data.shard import sandbox
from dcign.data.shard.columns import LANDMARKS_PATH, is_per_pixel
from dcign.errors import DataError

Json = Mapping[str, Any]
SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, eq=False)
class Stored:
    """One dataset (B, ...) and where it lies: places (B, 2) of its deflated batches, or (1, 2) of all of it as it is.

    A place is its first byte in the file and how many there are.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    places: Int64


class Contents:
    """An open shard. Close it.

    Raises DataError, in one sentence, if the file is not a whole shard of a version that this code reads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _check_signature(path)
        with damage_errors(path):
            self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            opened = _state(os.fstat(self._file))
            found = sandbox.read_layout(path)
            if not path.exists() or not _state(path.stat()) == _state(os.fstat(self._file)) == opened:
                raise DataError(f"{path} was written while it was opened: run the same command again.")
            with damage_errors(path):
                self.stored = {name: _stored(name, about) for name, about in found["datasets"].items()}
                self.header = _header(path, found, self.stored)
            known = varies_codes(factor.name for factor in self.header.factors).values()
            for code in set(self.whole(VARYING).tolist()) - set(known):
                raise DataError(f"{path} has a batch that varies code {code}; expected 0 to {max(known)}; {AGAIN}")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def row(self, name: str, row: int) -> NDArray[Any]:  # the dataset's own dtype
        """One batch of a dataset (B, ...)."""
        stored = self.stored[name]
        if not 0 <= row < stored.shape[0]:
            raise DataError(f"{self.path} has no row {row}; expected 0 to {stored.shape[0] - 1}: ask for those.")
        with damage_errors(self.path):
            values = np.empty(stored.shape[1:], stored.dtype)
            if is_per_pixel(name):
                inflate(self._bytes(*stored.places[row]), values)
            else:
                _fill(values, self._bytes(stored.places[0, 0] + row * values.nbytes, values.nbytes))
        return values

    def whole(self, name: str) -> NDArray[Any]:  # the dataset's own dtype
        """A whole dataset (B, ...)."""
        with damage_errors(self.path):
            values = np.empty(self.stored[name].shape, self.stored[name].dtype)
        self.read_into(name, values)
        return values

    def read_into(self, name: str, target: NDArray[Any]) -> None:
        """Read a whole dataset (B, ...) into an array of its shape and dtype.

        zlib runs without Python's lock, so threads help where there are cores.
        """
        places = self.stored[name].places
        with damage_errors(self.path):
            if not is_per_pixel(name):
                _fill(target, self._bytes(*places[0]))
                return
            with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
                inflated = threads.map(lambda row: inflate(self._bytes(*places[row]), target[row]), range(len(target)))
                for _ in inflated:
                    pass

    def _bytes(self, first: int, count: int) -> bytes:
        content = os.pread(self._file, count, first)
        while len(content) < count:  # systems read 2 GiB at a time and no more
            more = os.pread(self._file, count - len(content), first + len(content))
            if not more:
                raise DataError(f"{self.path} is cut short; {AGAIN}")
            content += more
        return content


def _state(about: os.stat_result) -> tuple[int, ...]:
    """What tells a file from another, and from itself after a change."""
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns


def inflate(stream: bytes, target: NDArray[Any]) -> None:
    """Inflate what a chunk stores into `target`, contiguous, and no further: a damaged stream may grow without end."""
    inflating = zlib.decompressobj()
    pixels = inflating.decompress(stream, target.nbytes)
    if len(pixels) != target.nbytes or inflating.decompress(inflating.unconsumed_tail, 1) or not inflating.eof:
        raise ValueError(f"a chunk inflates to another size than its shape {target.shape}")
    _fill(target, pixels)


def _fill(target: NDArray[Any], content: bytes) -> None:
    target[...] = np.frombuffer(content, target.dtype).reshape(target.shape)


def _check_signature(path: Path) -> None:
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "is not there"
        raise DataError(f"{path} {found}; expected a shard (.h5): check the name.")
    try:
        with path.open("rb") as file:
            signature = file.read(len(SIGNATURE))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None
    if signature != SIGNATURE:
        raise DataError(f"{path} is not an HDF5 file; expected a shard: check the name, or make it again.")


def _stored(name: str, about: Json) -> Stored:
    stored = Stored(tuple(about["shape"]), np.dtype(about["dtype"]), np.array(about["places"], np.int64))
    count = stored.shape[0] if is_per_pixel(name) else 1
    if stored.places.shape != (count, 2):
        raise ValueError(f"{name} has no place for each of its batches")
    return stored


def _header(path: Path, found: Json, stored: Mapping[str, Stored]) -> ShardHeader:
    attributes, factors = found["attributes"], found["factors"]
    texts = {name: attributes[name] for name in ("split", "configuration_sha256", "model_sha256")}
    objects = {name: json.loads(attributes[name]) for name in ("configuration", "renderer", "camera", "ranges")}
    for name, value in objects.items():
        if not isinstance(value, dict):
            raise TypeError(f"attribute {name} is no JSON object")
    ranges = {name: (float(low), float(high)) for name, (low, high) in objects.pop("ranges").items()}
    columns = zip(factors["names"], factors["units"], factors["mirror_signs"], strict=True)
    header = ShardHeader(
        **texts,
        **objects,
        seed=attributes["seed"],
        ranges=ranges,
        factors=tuple(Factor(*column) for column in columns),
        attributes=tuple(found["identity_attributes"]),
        truth_names={layer: tuple(names) for layer, names in found["truth_names"].items() if names},
    )
    if configuration_sha256(header.configuration) != header.configuration_sha256:
        raise DataError(f"{path} has a configuration of another hash than it gives; {AGAIN}")
    _check_names(path, header, stored)
    return header


def _check_names(path: Path, header: ShardHeader, stored: Mapping[str, Stored]) -> None:
    """Refuse names that do not fit the columns, or are no names."""
    width = stored[FACTOR_VALUES].shape[2]
    if header.split not in SPLITS or len(header.factors) != width:
        raise DataError(
            f"{path} is of split {shown(header.split)!r} with {len(header.factors)} factor names for {width} columns; "
            f"{AGAIN}"
        )
    width = stored[IDENTITY_ATTRIBUTES].shape[2] if IDENTITY_ATTRIBUTES in stored else 0
    if len(header.attributes) != width:
        raise DataError(
            f"{path} has {len(header.attributes)} names for {width} columns of {IDENTITY_ATTRIBUTES}; {AGAIN}"
        )
    landmarks = header.truth_names.get(LANDMARKS, ())
    width = stored[LANDMARKS_PATH].shape[2] if LANDMARKS_PATH in stored and landmarks else 0
    if len(landmarks) != width:
        raise DataError(f"{path} has {len(landmarks)} names for {width} rows of {LANDMARKS_PATH}; {AGAIN}")
    columns = (*(factor.name for factor in header.factors), *header.attributes)
    for names in (columns, *header.truth_names.values()):
        for name in names:
            if not name.isidentifier() or names.count(name) > 1:
                raise DataError(
                    f"{path} names a column {shown(name)!r}; expected letters, digits and _, each once; {AGAIN}"
                )
