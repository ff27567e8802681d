"""smallNORB (LeCun et al. 2004, cs.nyu.edu/~ylclab/data/norb-v1.0-small): binary matrices, perhaps gzipped.

Of each part there are NAME-dat.mat, images uint8 (N, 2, 96, 96) of two cameras, NAME-cat.mat, categories int32 (N),
and NAME-info.mat, int32 (N, 4): instance, elevation 0 to 8, azimuth 0 to 34 in steps of 2, lighting 0 to 5. Papers use
the first camera. Training and testing parts are joined: they show different toys.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from dcign.arrays import Float64, Int64, UInt8
from dcign.data.schema import Factor
from dcign.data.sources.source import Column, Source, blocks, wrong
from dcign.errors import DataError

BYTES, INTEGERS = 0x1E3D4C55, 0x1E3D4C54  # magic numbers of matrices of uint8 and int32
DTYPES: dict[int, np.dtype[Any]] = {BYTES: np.dtype(np.uint8), INTEGERS: np.dtype("<i4")}  # of one of two kinds
CATEGORIES = ("animal", "human", "airplane", "truck", "car")
PARTS = ("dat", "cat", "info")
LOWEST, STEP = 30.0, 5.0  # degrees of elevation
AZIMUTH = 10.0  # degrees per unit of the file
INSTANCES = 10  # of a category


class SmallNorb(Source):
    """All parts of a folder, one after another."""

    layout = "smallNORB"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts = [_part(file) for file in part_files(path)]
        self._counts = [_shape_of_images(part["dat"])[0] for part in self._parts]
        shape = _shape_of_images(self._parts[0]["dat"])
        self._cameras, self.shape = shape[1], (shape[2], shape[3], 1)
        labels = np.concatenate([_labels(part, count) for part, count in zip(self._parts, self._counts, strict=True)])
        category, instance, elevation, azimuth, light = labels.T
        toys = [f"{name} {number}" for name in CATEGORIES for number in range(INSTANCES)]
        columns = [
            Column(Factor("toy", "", +1, classes=tuple(toys)), category * INSTANCES + instance),
            Column(Factor("category", "", +1, classes=CATEGORIES), category),
            Column(Factor("elevation", "degree", +1), LOWEST + STEP * elevation),
            Column(Factor("azimuth", "degree", +1, circular=True), AZIMUTH * azimuth),
            Column(Factor("lighting", "", +1, classes=tuple(f"light_{n}" for n in range(6))), light),
        ]
        self.columns = {column.name: column for column in columns}
        self.factors, self.identity = ("elevation", "azimuth", "lighting"), ("toy",)
        self.left_out = ("the second camera's images",) if self._cameras > 1 else ()

    @property
    def count(self) -> int:
        return sum(self._counts)

    def images(self, rows: Int64) -> Iterator[UInt8]:
        first = 0
        for part, count in zip(self._parts, self._counts, strict=True):
            here = rows[(rows >= first) & (rows < first + count)] - first
            yield from self._of_part(part["dat"], here)
            first += count

    def _of_part(self, file: Path, rows: Int64) -> Iterator[UInt8]:
        size = math.prod(self.shape)
        with _matrix(file) as (stream, _, _):
            at = 0  # images of either camera that were passed
            for piece in blocks(rows, size):
                wanted = np.empty((len(piece), size), np.uint8)
                for place, row in enumerate(piece.tolist()):
                    stream.seek(size * (self._cameras * row - at), 1)
                    wanted[place] = np.frombuffer(_exactly(stream, size, file), np.uint8)
                    at = self._cameras * row + 1
                yield wanted.reshape(-1, *self.shape)

    def files(self) -> Sequence[Path]:
        return [part[kind] for part in self._parts for kind in PARTS]


def part_files(path: Path) -> list[Path]:
    """Return the files of images of a folder, in the order of their names reversed: training before testing."""
    unpacked = [*path.glob("*-dat.mat")]
    packed = [file for file in path.glob("*-dat.mat.gz") if file.with_suffix("") not in unpacked]
    return sorted(unpacked + packed, reverse=True)


def _part(images: Path) -> dict[str, Path]:
    files = {kind: images.with_name(images.name.replace("-dat.mat", f"-{kind}.mat")) for kind in PARTS}
    for kind, file in files.items():
        if not file.exists():
            raise wrong(images.parent, f"{file.name} beside {images.name}", "none", f"download the {kind} file, too.")
    return files


def _labels(part: dict[str, Path], count: int) -> Float64:
    """Return category, instance, elevation, azimuth and lighting (N, 5)."""
    columns = []
    for kind, shape, most in (("cat", (count,), (4,)), ("info", (count, 4), (9, 8, 34, 5))):
        with _matrix(part[kind]) as (stream, dtype, found):
            if dtype != DTYPES[INTEGERS] or found != shape:
                raise wrong(part[kind], f"int32 {shape}", f"{dtype} {found}", "download it again.")
            data = _exactly(stream, math.prod(shape) * dtype.itemsize, part[kind])
        values = np.frombuffer(data, dtype).reshape(count, -1).astype(np.float64)
        outside = np.argwhere((values < 0) | (values > most))
        if len(outside):
            row, column = outside[0]
            raise wrong(
                f"{part[kind]}, row {row}", f"0 to {most[column]}", int(values[row, column]), "download it again."
            )
        columns.append(values)
    return np.column_stack(columns)


def _shape_of_images(file: Path) -> tuple[int, ...]:
    with _matrix(file) as (_, dtype, shape):
        if dtype != np.uint8 or len(shape) != 4 or not shape[0]:
            raise wrong(file, "images uint8 (N, cameras, H, W)", f"{dtype} {shape}", "download it again.")
        return shape


@contextmanager
def _matrix(file: Path) -> Iterator[tuple[IO[bytes], np.dtype[Any], tuple[int, ...]]]:
    """Open a matrix: a stream behind its header, its dtype and its shape. Sizes are little-endian int32, 3 or more."""
    try:
        with _opened(file) as stream:
            magic, axes = struct.unpack("<ii", _exactly(stream, 8, file))
            if magic not in DTYPES or not 1 <= axes <= 4:
                raise wrong(file, "a matrix of smallNORB", f"magic number {magic:#x}", "download it again.")
            sizes = struct.unpack(f"<{max(3, axes)}i", _exactly(stream, 4 * max(3, axes), file))[:axes]
            if min(sizes) < 0:
                raise wrong(file, "sizes of 0 or more", sizes, "download it again.")
            yield stream, DTYPES[magic], sizes
    except DataError:
        raise
    except (OSError, EOFError, zlib.error, MemoryError):
        raise wrong(
            file, "a whole matrix of smallNORB", "one that is damaged or cut short", "download it again."
        ) from None


def _opened(file: Path) -> IO[bytes]:
    # GzipFile is a stream of bytes, but its type is not
    return cast("IO[bytes]", gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _exactly(stream: IO[bytes], count: int, file: Path) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise wrong(file, f"{count:,} more bytes", f"{len(data):,}: it is cut short", "download it again.")
    return data
