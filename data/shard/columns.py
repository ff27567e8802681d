"""The datasets of a shard: the shapes and dtypes that must agree, and where HDF5 finds each of them in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from dcign.data import schema
from dcign.data.schema import Batch, Factor, ShardHeader
from dcign.errors import DataError

Extent = tuple[int, int]  # first byte in the file, number of bytes
LANDMARKS_PATH = f"{schema.TRUTH}/{schema.LANDMARKS}"


@dataclass(frozen=True)
class Column:
    """One dataset of a shard as one batch of it: shape without the leading B, and dtype."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def columns(batch: Batch, header: ShardHeader) -> dict[str, Column]:
    """Return the datasets of a shard of such batches: path in the file -> Column.

    Raises DataError if the batch is malformed or does not have the columns of labels that the header names.
    """

    def refused(what: str) -> DataError:
        return DataError(f"batch {batch.number} {what}.")

    if batch.varies not in header.codes:
        raise refused(f"varies {batch.varies!r}; expected one of {', '.join(header.codes)}")
    for name in (*batch.nuisance, *batch.truth):
        if not name.isidentifier():
            raise refused(f"names a dataset {name!r}; expected letters, digits and _")
    found = {path: Column(array.shape, array.dtype) for path, array in arrays(batch, header.codes).items()}
    image_shape = found[schema.IMAGES].shape
    sizes = schema.BATCH_SIZES[header.version]
    if len(image_shape) != 4 or image_shape[0] not in sizes or image_shape[3] not in (1, 3):
        raise refused(f"has images of shape {image_shape}; expected ({sizes_text(sizes)}, H, W, 1 or 3)")
    for path, column in found.items():
        wanted = expected_column(path, column, image_shape[:3], len(header.factors))
        if column != wanted:
            raise refused(f"has {path} {column.dtype} {column.shape}; expected {wanted.dtype} {wanted.shape}")
    held = found[schema.IDENTITY_ATTRIBUTES].shape[1] if schema.IDENTITY_ATTRIBUTES in found else 0
    if held != len(header.attributes):
        raise refused(
            f"has {held} columns of {schema.IDENTITY_ATTRIBUTES}; expected {len(header.attributes)}, one per name in "
            "the header"
        )
    return found


def sizes_text(sizes: range) -> str:
    """Return the numbers of images that a batch may have, as text."""
    return str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"


def arrays(batch: Batch, codes: dict[str, int]) -> dict[str, NDArray[Any]]:
    """Return what each dataset of a shard gets of a batch: path in the file -> array. codes: of what varies."""
    found: dict[str, NDArray[Any]] = {
        schema.IMAGES: batch.images,
        schema.FACTOR_VALUES: batch.factors,
        schema.VARYING: np.array(codes.get(batch.varies, 255), np.uint8),
        schema.BATCH_NUMBER: np.array(batch.number, np.int64),
        schema.IDENTITY_INDEX: batch.identity_index,
    }
    coefficients = (
        batch.identity_shape, batch.identity_albedo, batch.identity_attributes, batch.identity_own_shape
    )  # fmt: skip
    found |= {path: array for path, array in zip(schema.COEFFICIENTS, coefficients, strict=True) if array is not None}
    if batch.identity_source is not None:
        found[schema.IDENTITY_SOURCE] = batch.identity_source
    found |= {f"{schema.NUISANCE}/{name}": batch.nuisance[name] for name in sorted(batch.nuisance)}
    found |= {f"{schema.TRUTH}/{name}": batch.truth[name] for name in sorted(batch.truth)}
    return found


def is_per_pixel(path: str) -> bool:
    """Return whether a dataset has one value per pixel, and so is compressed, one chunk per batch."""
    return path == schema.IMAGES or (path.startswith(f"{schema.TRUTH}/") and path != LANDMARKS_PATH)


def expected_column(path: str, column: Column, size: tuple[int, ...], factors: int) -> Column:
    """Return what a column should be, given the images' (n, H, W) and the number of factors; free dimensions stay."""
    count = size[0]
    fixed: dict[str, Column] = {
        schema.IMAGES: Column(column.shape, np.dtype(np.uint8)),
        schema.FACTOR_VALUES: Column((count, factors), np.dtype(np.float32)),
        schema.VARYING: Column((), np.dtype(np.uint8)),
        schema.BATCH_NUMBER: Column((), np.dtype(np.int64)),
        schema.IDENTITY_INDEX: Column((count,), np.dtype(np.int64)),
    }
    if path in fixed:
        return fixed[path]
    if path in schema.COEFFICIENTS:
        return Column((count, *(column.shape[1:2] or (1,))), np.dtype(np.float32))
    if path == schema.IDENTITY_SOURCE:
        return Column((count, *(column.shape[1:2] or (1,))), np.dtype(np.uint8))
    if path.startswith(f"{schema.NUISANCE}/"):
        return Column((count,), np.dtype(np.float32))
    if path == LANDMARKS_PATH:
        rows = column.shape[1:2] or (1,)
        return Column((count, *rows, len(schema.LANDMARK_COLUMNS)), np.dtype(np.float32))
    return Column((*size, *column.shape[3:]), column.dtype)


class StoredLayout(Struct):
    """One dataset (B, ...): extents has one entry per batch if it is deflated, else one for the whole dataset."""

    shape: tuple[int, ...]
    dtype_name: str
    extents: list[Extent]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype in numpy's form."""
        return np.dtype(self.dtype_name)


class ShardLayout(Struct):
    """A shard's attributes, names and datasets, as the sandbox's process passes them on.

    configuration, renderer, ranges and camera are JSON texts. unknown: the first attributes, datasets and groups that
    the format does not have, as "attribute NAME of DATASET"; readers ignore them.
    """

    split: str
    seed: int
    configuration: str
    configuration_sha256: str
    model_sha256: str
    renderer: str
    ranges: str
    camera: str
    factors: tuple[Factor, ...]
    identity_attributes: tuple[str, ...]
    truth_names: dict[str, tuple[str, ...]]
    datasets: dict[str, StoredLayout]
    parts: tuple[str, ...]
    varies_with: dict[str, tuple[str, ...]]
    source_names: tuple[str, ...]
    version: int
    unknown: tuple[str, ...] = ()
