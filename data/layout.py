"""Open a shard's file and check its layout: presence, dtypes, shapes that agree, sizes that can be true.

What HDF5 itself would accept is far more than a shard: links to other files, datasets declared larger than
any disk, streams that inflate without end. These are refused here, once, so that no reader after it has to
think of them.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from data.batch import is_per_pixel
from data.schema import (
    BATCH_NUMBER,
    BATCH_SIZE,
    COEFFICIENTS,
    FACTOR_VALUES,
    FORMAT,
    FORMAT_VERSION,
    IDENTITY_ATTRIBUTES,
    IDENTITY_INDEX,
    IMAGES,
    NUISANCE,
    SPLITS,
    TRUTH,
    VARIES,
    VARYING,
    DataError,
    Factor,
    ShardHeader,
)

AGAIN = "make it again with `dcign render`."
DEFLATE_LIMIT = 1100  # no deflate stream expands more than 1032 times; a shape that claims more is a lie

REQUIRED = (IMAGES, FACTOR_VALUES, VARYING, BATCH_NUMBER, IDENTITY_INDEX)


def open_checked(path: Path) -> tuple[h5py.File, ShardHeader]:
    """Open a shard for reading and check it.

    Raises DataError, in one sentence, if it is not a whole shard of a version that this code reads.
    """
    _check_signature(path)
    with reading(path):
        file = h5py.File(path, "r", locking=False)
    try:
        with reading(path):
            _check_format(path, file)
            _check_datasets(path, file)
            header = _header(path, file)
    except BaseException:
        file.close()
        raise
    return file, header


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what HDF5 raises on a damaged file into one sentence."""
    try:
        yield
    except DataError:
        raise
    except OSError as error:
        if "truncated file" in str(error):
            raise DataError(f"{path} is cut short; {AGAIN}") from None
        raise DataError(f"{path} is damaged ({_first_line(error)}); {AGAIN}") from None
    except (RuntimeError, LookupError, ValueError, TypeError, AttributeError, zlib.error, MemoryError) as error:
        raise DataError(f"{path} is damaged ({_first_line(error)}); {AGAIN}") from None


def dataset_names(file: h5py.File) -> list[str]:
    """Paths of all the datasets of the format that the file has."""
    names = list(REQUIRED)
    names += [name for name in COEFFICIENTS if name in file]
    for group in (NUISANCE, TRUTH):
        names += [f"{group}/{name}" for name in file.get(group, ())]
    return names


def read_chunk(dataset: h5py.Dataset, row: int, target: NDArray[Any]) -> None:
    """Read one batch of a per-pixel dataset (B, ...) into `target` (...), contiguous.

    The chunk is inflated here: HDF5's own filter would let a damaged stream grow without bound.
    """
    _, stream = dataset.id.read_direct_chunk((row,) + (0,) * target.ndim)
    inflate(stream, target)


def inflate(stream: bytes, target: NDArray[Any]) -> None:
    """Inflate what a chunk stores into `target`, contiguous, and no further."""
    inflating = zlib.decompressobj()
    pixels = inflating.decompress(stream, target.nbytes)
    if len(pixels) != target.nbytes or inflating.decompress(inflating.unconsumed_tail, 1) or not inflating.eof:
        raise ValueError(f"a chunk inflates to another size than its shape {target.shape}")
    target[...] = np.frombuffer(pixels, target.dtype).reshape(target.shape)


def chunk_places(dataset: h5py.Dataset) -> NDArray[np.int64]:
    """Return where each batch of a per-pixel dataset (B, ...) lies in the file: first byte, bytes stored (B, 2)."""
    origin = (0,) * (dataset.ndim - 1)
    found = [dataset.id.get_chunk_info_by_coord((row, *origin)) for row in range(len(dataset))]
    return np.array([(chunk.byte_offset, chunk.size) for chunk in found], np.int64)


def read_chunks(dataset: h5py.Dataset, target: NDArray[Any]) -> None:
    """Read a whole per-pixel dataset (B, ...) into `target` of its shape, several chunks at a time.

    zlib runs without Python's lock, so threads help where there are cores.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        for _ in threads.map(lambda row: read_chunk(dataset, row, target[row]), range(len(target))):
            pass


def _check_signature(path: Path) -> None:
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "is not there"
        raise DataError(f"{path} {found}; expected a shard (.h5): check the name.")
    try:
        with path.open("rb") as file:
            signature = file.read(8)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None
    if signature != b"\x89HDF\r\n\x1a\n":
        raise DataError(f"{path} is not an HDF5 file; expected a shard: check the name, or make it again.")


def _check_format(path: Path, file: h5py.File) -> None:
    name = file.attrs.get("format")
    if not isinstance(name, bytes) or name.decode("utf-8", "replace") != FORMAT:
        raise DataError(f"{path} is an HDF5 file of another program; expected a dcign shard: check the name.")
    version = int(file.attrs["version"])
    if version != FORMAT_VERSION:
        raise DataError(f"{path} is a shard of version {version}; this dcign reads {FORMAT_VERSION}: update dcign.")


def _check_datasets(path: Path, file: h5py.File) -> None:
    for name in REQUIRED:
        if name not in file:
            raise DataError(f"{path} lacks {name}; expected a whole shard; {AGAIN}")
    shape = file[IMAGES].shape
    if len(shape) != 5 or shape[0] < 1 or shape[1] != BATCH_SIZE or shape[4] not in (1, 3):
        raise DataError(f"{path} has images of shape {shape}; expected (B, {BATCH_SIZE}, H, W, 1 or 3).")
    for name in dataset_names(file):
        _check_dataset(path, file, name)
    code = int(file[VARYING][()].max())
    if code >= len(VARIES):
        raise DataError(f"{path} has a batch that varies code {code}; expected 0 to {len(VARIES) - 1}; {AGAIN}")


def _check_dataset(path: Path, file: h5py.File, name: str) -> None:
    dataset = file[name]
    link = file.get(name, getlink=True)
    if not isinstance(dataset, h5py.Dataset) or not isinstance(link, h5py.HardLink):
        raise DataError(f"{path} has a {name} that is no dataset of its own; {AGAIN}")
    if dataset.is_virtual or dataset.external:
        raise DataError(f"{path} keeps {name} in another file; expected it inside; {AGAIN}")
    wanted = _expected_shape(name, dataset.shape, file[IMAGES].shape, file[FACTOR_VALUES].shape)
    if dataset.shape != wanted or not _dtype_fits(name, dataset.dtype):
        raise DataError(
            f"{path} has {name} {dataset.dtype} {dataset.shape}; expected {_dtype_wanted(name)} {wanted}; {AGAIN}"
        )
    _check_storage(path, dataset, name)


def _expected_shape(
    name: str, shape: tuple[int, ...], images: tuple[int, ...], factors: tuple[int, ...]
) -> tuple[int, ...]:
    """The shape that agrees with the images' B, H, W; free dimensions as found."""
    if name in (VARYING, BATCH_NUMBER):
        return images[:1]
    if name == FACTOR_VALUES:
        return (*images[:2], *(factors[2:3] or (1,)))
    if name in COEFFICIENTS:
        return (*images[:2], *(shape[2:3] or (1,)))
    if name == IMAGES:
        return images
    return (*images[:4], *shape[4:]) if is_per_pixel(name) else images[:2]


def _dtype_fits(name: str, dtype: np.dtype[Any]) -> bool:
    if name == VARYING:
        return bool(h5py.check_enum_dtype(dtype) == VARIES)
    if name.startswith(f"{TRUTH}/"):
        return dtype.kind in "uif"
    return dtype == np.dtype(_dtype_wanted(name))


def _dtype_wanted(name: str) -> str:
    if name.startswith(f"{TRUTH}/"):
        return "a real dtype"
    others = {IMAGES: "uint8", VARYING: "uint8", BATCH_NUMBER: "int64", IDENTITY_INDEX: "int64"}
    return others.get(name, "float32")


def _check_storage(path: Path, dataset: h5py.Dataset, name: str) -> None:
    """Whether what is stored can be what is declared: every chunk there, none packed beyond deflate."""
    declared, stored = dataset.nbytes, dataset.id.get_storage_size()
    if is_per_pixel(name):
        if dataset.chunks != (1, *dataset.shape[1:]) or _filters(dataset) != [h5py.h5z.FILTER_DEFLATE]:
            raise DataError(f"{path} keeps {name} otherwise than in gzip chunks of a batch; {AGAIN}")
        whole = stored * DEFLATE_LIMIT >= declared and dataset.id.get_num_chunks() == dataset.shape[0]
    else:
        whole = stored == declared
    if not whole or stored > path.stat().st_size:
        raise DataError(
            f"{path} declares {declared} bytes of {name} and stores {stored}, which cannot be them; {AGAIN}"
        )


def _filters(dataset: h5py.Dataset) -> list[int]:
    pipeline = dataset.id.get_create_plist()
    return [pipeline.get_filter(index)[0] for index in range(pipeline.get_nfilters())]


def _header(path: Path, file: h5py.File) -> ShardHeader:
    attributes = file.attrs
    factors = file[FACTOR_VALUES].attrs
    ranges = json.loads(attributes["ranges"])
    columns = zip(factors["names"], factors["units"], factors["mirror_sign"], strict=True)
    header = ShardHeader(
        split=attributes["split"].decode(),
        seed=int(attributes["seed"]),
        configuration=json.loads(attributes["configuration"]),
        configuration_sha256=attributes["configuration_sha256"].decode(),
        model_sha256=attributes["model_sha256"].decode(),
        renderer=json.loads(attributes["renderer"]),
        ranges={name: (float(low), float(high)) for name, (low, high) in ranges.items()},
        camera=json.loads(attributes["camera"]),
        factors=tuple(Factor(name.decode(), units.decode(), int(sign)) for name, units, sign in columns),
        attributes=_attribute_names(path, file),
    )
    for name in ("configuration", "renderer", "camera"):
        if not isinstance(getattr(header, name), dict):
            raise TypeError(f"attribute {name} is no JSON object")
    if header.split not in SPLITS or len(header.factors) != file[FACTOR_VALUES].shape[2]:
        raise DataError(
            f"{path} is of split {header.split!r} with {len(header.factors)} factor names for "
            f"{file[FACTOR_VALUES].shape[2]} columns; {AGAIN}"
        )
    return header


def _attribute_names(path: Path, file: h5py.File) -> tuple[str, ...]:
    """Names of the columns of identity/attributes."""
    if IDENTITY_ATTRIBUTES not in file:
        return ()
    dataset = file[IDENTITY_ATTRIBUTES]
    names = tuple(name.decode() for name in dataset.attrs["names"])
    if len(names) != dataset.shape[2]:
        raise DataError(
            f"{path} has {len(names)} names for {dataset.shape[2]} columns of {IDENTITY_ATTRIBUTES}; {AGAIN}"
        )
    return names


def _first_line(error: BaseException) -> str:
    return str(error).strip("'\"").splitlines()[0][:120] if str(error) else type(error).__name__
