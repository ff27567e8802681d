"""An open shard: its header, and where each of its datasets lies in the file.

`dcign.data.shard.sandbox` finds both with HDF5, in a separate process. The names are checked here. All data are then
read as plain bytes, by any number of threads, without HDF5.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from dcign.data import schema
from dcign.data.damage import Damage, damage_errors, decode_reason, shown
from dcign.data.schema import ShardHeader
from dcign.data.shard import sandbox
from dcign.data.shard.columns import LANDMARKS_PATH, ShardLayout, StoredLayout, is_per_pixel
from dcign.errors import DataError

Decoded = TypeVar("Decoded")
HASHED_AT_ONCE = 1 << 20  # bytes
SIGNATURE = b"\x89HDF\r\n\x1a\n"


class Contents:
    """An open shard. Call `close` at the end.

    Raises DataError, in one sentence, if the file is not a complete shard of a version that this code reads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _check_signature(path)
        with damage_errors(path):
            self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            self.state = _state(os.fstat(self._file))
            layout = sandbox.read_layout(path)
            self.stored = layout.datasets
            self.unknown = layout.unknown
            if not path.exists() or not _state(path.stat()) == _state(os.fstat(self._file)) == self.state:
                raise DataError(f"{path} was written while it was opened: run the same command again.")
            with damage_errors(path):
                self.header = _header(layout)
                self.kinds = {code: name for name, code in self.header.codes.items()}
                for code in set(self.whole(schema.VARYING).tolist()) - {*self.kinds}:
                    raise Damage(f"has a batch of {schema.VARYING} {code}; expected 0 to {max(self.kinds)}")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def sha256(self) -> str:
        """Return the SHA-256 of the file, hexadecimal."""
        digest = hashlib.sha256()
        with damage_errors(self.path):
            for first in range(0, os.fstat(self._file).st_size, HASHED_AT_ONCE):
                digest.update(os.pread(self._file, HASHED_AT_ONCE, first))
        return digest.hexdigest()

    def row(self, name: str, row: int) -> NDArray[Any]:  # the dataset's own dtype
        """Return one batch of a dataset (B, ...)."""
        stored = self.stored[name]
        if not 0 <= row < stored.shape[0]:
            raise DataError(f"{self.path} has no row {row}; expected 0 to {stored.shape[0] - 1}: ask for those.")
        with damage_errors(self.path):
            values = np.empty(stored.shape[1:], stored.dtype)
            if is_per_pixel(name):
                inflate(self._chunk(*stored.extents[row]), values)
            else:
                self._read(stored.extents[0][0] + row * values.nbytes, values)
        return values

    def whole(self, name: str) -> NDArray[Any]:  # the dataset's own dtype
        """Return a whole dataset (B, ...)."""
        with damage_errors(self.path):
            values = np.empty(self.stored[name].shape, self.stored[name].dtype)
        self.read_into(name, values)
        return values

    def read_into(self, name: str, target: NDArray[Any]) -> None:
        """Read a whole dataset (B, ...) into an array of its shape and dtype.

        zlib runs without the global interpreter lock, so threads help where there are cores.
        """
        extents = self.stored[name].extents
        with damage_errors(self.path):
            if not is_per_pixel(name):
                self._read(extents[0][0], target)
                return
            with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
                inflated = threads.map(lambda row: inflate(self._chunk(*extents[row]), target[row]), range(len(target)))
                for _ in inflated:
                    pass

    def _chunk(self, first: int, count: int) -> memoryview:
        content = np.empty(count, np.uint8)
        self._read(first, content)
        return content.data

    def _read(self, first: int, target: NDArray[Any]) -> None:
        """Read the bytes from `first` on into a contiguous array."""
        rest = target.reshape(-1).view(np.uint8).data
        while len(rest):  # systems read at most 2 GiB at a time
            count = os.preadv(self._file, [rest], first)
            if not count:
                raise Damage("is cut short")
            first, rest = first + count, rest[count:]


def _state(about: os.stat_result) -> tuple[int, ...]:
    """Return what identifies a file and changes when it is written."""
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns


def inflate(stream: bytes | memoryview, target: NDArray[Any]) -> None:
    """Inflate a chunk into `target`, which is contiguous; refuse more, as a damaged stream may grow without end."""
    inflating = zlib.decompressobj()
    pixels = inflating.decompress(stream, target.nbytes)
    if len(pixels) != target.nbytes or inflating.decompress(inflating.unconsumed_tail, 1) or not inflating.eof:
        raise Damage(f"is damaged: a chunk inflates to another size than its shape {target.shape}")
    _fill(target, pixels)


def _fill(target: NDArray[Any], content: bytes) -> None:
    target[...] = np.frombuffer(content, target.dtype).reshape(target.shape)


def _check_signature(path: Path) -> None:
    if not path.is_file():
        if path.is_dir():
            raise DataError(f"{path} is a folder; expected a shard (.h5): check the name.")
        raise DataError(f"{path} is not there; expected a data set folder or a shard (.h5): check the name.")
    try:
        with path.open("rb") as file:
            signature = file.read(len(SIGNATURE))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None
    if signature != SIGNATURE:
        raise DataError(f"{path} is not an HDF5 file; expected a shard: check the name, or make it again.")


def _header(layout: ShardLayout) -> ShardHeader:
    ranges = _decoded("ranges", layout.ranges, dict[str, tuple[float, float]])
    header = ShardHeader(
        split=layout.split,
        seed=layout.seed,
        configuration=_decoded("configuration", layout.configuration, dict[str, Any]),
        configuration_sha256=layout.configuration_sha256,
        model_sha256=layout.model_sha256,
        renderer=_decoded("renderer", layout.renderer, dict[str, Any]),
        ranges=ranges,
        camera=_decoded("camera", layout.camera, dict[str, Any]),
        factors=schema.with_circles(layout.factors, ranges),
        attributes=layout.identity_attributes,
        truth_names={layer: names for layer, names in layout.truth_names.items() if names},
        parts=layout.parts,
        varies_with=layout.varies_with,
        version=layout.version,
    )
    if schema.configuration_sha256(header.configuration) != header.configuration_sha256:
        raise Damage("has a configuration whose hash is not the one it gives")
    _check_names(header, layout.datasets)
    _check_traits(header, layout)
    return header


def _decoded(name: str, text: str, kind: type[Decoded]) -> Decoded:
    """Return an attribute that is a JSON text; raise Damage if it is not of its type or holds NaN or infinities."""
    try:
        return msgspec.json.decode(text, type=kind)
    except ValueError as error:
        raise Damage(f"has a damaged attribute {name} ({decode_reason(error)})") from None


def _check_names(header: ShardHeader, stored: dict[str, StoredLayout]) -> None:
    """Refuse names that are not as many as the columns, or not identifiers."""
    width = stored[schema.FACTOR_VALUES].shape[2]
    if header.split not in schema.SPLITS or len(header.factors) != width:
        raise Damage(f"is of split {shown(header.split)!r} with {len(header.factors)} factor names for {width} columns")
    reserved = (schema.IDENTITY, schema.ALL) if header.version == schema.IMPORTED else ()
    for factor in header.factors:
        if factor.name in reserved or (factor.circular and factor.classes):
            raise Damage(f"has a factor {shown(factor.name)!r} of a reserved name, or both circular and of classes")
    width = stored[schema.IDENTITY_ATTRIBUTES].shape[2] if schema.IDENTITY_ATTRIBUTES in stored else 0
    if len(header.attributes) != width:
        raise Damage(f"has {len(header.attributes)} names for {width} columns of {schema.IDENTITY_ATTRIBUTES}")
    landmarks = header.truth_names.get(schema.LANDMARKS, ())
    width = stored[LANDMARKS_PATH].shape[2] if LANDMARKS_PATH in stored and landmarks else 0
    if len(landmarks) != width:
        raise Damage(f"has {len(landmarks)} names for {width} rows of {LANDMARKS_PATH}")
    twice = {factor.name for factor in header.factors if factor.of_identity}  # a label and an attribute
    columns = (*(factor.name for factor in header.factors), *(name for name in header.attributes if name not in twice))
    for names in (columns, header.attributes, *header.truth_names.values()):
        for name in names:
            if not name.isidentifier() or names.count(name) > 1:
                raise Damage(f"names a column {shown(name)!r}; expected letters, digits and _, each once")


def _check_traits(header: ShardHeader, layout: ShardLayout) -> None:
    """Refuse traits of people that are not one per column."""
    stored = layout.datasets
    for path, names in header.varies_with.items():
        if len(names) != stored[path].shape[2]:
            raise Damage(f"says of {len(names)} of {stored[path].shape[2]} columns of {path} what they vary with")
    if schema.IDENTITY_SOURCE in stored:
        width, names = stored[schema.IDENTITY_SOURCE].shape[2], layout.source_names
        if names != header.traits or len(names) != width:
            raise Damage(
                f"names {shown(', '.join(names))} for {width} columns of {schema.IDENTITY_SOURCE}; expected "
                f"{', '.join(header.traits) or 'none'}"
            )
