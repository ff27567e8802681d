"""parquet: data/SPLIT-00000-of-0000N.parquet, which Hugging Face's `datasets` reads and streams.

The schema's metadata name the features: `datasets` decodes images, and `varies` is a ClassLabel. Other readers (pandas,
polars, DuckDB) see `image` as a struct of bytes (a PNG file) and path.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dcign.data.export.hugging_face.columns import CLASS, IMAGE, ExportColumn, Values, batch_values
from dcign.data.export.split import SplitSource
from dcign.data.schema import Batch
from dcign.errors import DataError
from dcign.storage.atomic import atomic_file, write_errors

if TYPE_CHECKING:
    import pyarrow as pa

DATA = "data"
GROUP_BATCHES = 5  # 100 images per row group, as `datasets` writes: what a stream holds in memory


def refuse_without_pyarrow() -> None:
    """Raise DataError if the package pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise DataError("expected the package pyarrow, found none: run `pip install 'dcign[parquet]'`.")


def parquet_files(folder: Path, split: SplitSource) -> list[Path]:
    """Return the files of a split that was written, in order."""
    return sorted((folder / DATA).glob(f"{split.name}-*.parquet"))


def write_parquet(
    split: SplitSource,
    batches: Iterable[Batch],
    folder: Path,
    *,
    columns: Sequence[ExportColumn],
    file_batches: int,
) -> None:
    """Write a split as Parquet files of `file_batches` batches; the last may have fewer."""
    import pyarrow.parquet as pq

    with write_errors(folder / DATA):
        (folder / DATA).mkdir(exist_ok=True)
    schema, left = _schema(columns), iter(batches)
    count = -(-split.batch_count // file_batches)
    for number in range(count):
        path = folder / DATA / f"{split.name}-{number:05d}-of-{count:05d}.parquet"
        with (
            atomic_file(path) as part,
            pq.ParquetWriter(part, schema, compression="zstd", write_page_index=True) as writer,
        ):
            for group in _groups(islice(left, file_batches)):
                writer.write_table(_table(split, group, columns, schema))
                part.check()


def _groups(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    left = iter(batches)
    for first in left:
        yield list(chain([first], islice(left, GROUP_BATCHES - 1)))


def _schema(columns: Sequence[ExportColumn]) -> pa.Schema:
    import pyarrow as pa

    features = {"info": {"features": {column.name: column.feature for column in columns}}}
    fields = [pa.field(column.name, _arrow_type(column)) for column in columns]
    return pa.schema(fields, metadata={"huggingface": json.dumps(features)})


def _arrow_type(column: ExportColumn) -> pa.DataType:
    import pyarrow as pa

    if column.dtype == IMAGE:
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    found = pa.int64() if column.dtype == CLASS else pa.from_numpy_dtype(np.dtype(column.dtype))
    for _ in column.shape:
        found = pa.list_(found)
    return found


def _table(
    split: SplitSource, batches: Sequence[Batch], columns: Sequence[ExportColumn], schema: pa.Schema
) -> pa.Table:
    """Return the rows of some batches."""
    import pyarrow as pa

    tables = []
    for batch in batches:
        values = batch_values(split.layout, batch)
        paths = [f"{split.name}-{batch.number:06d}-{image:02d}.png" for image in range(len(batch.images))]
        arrays = [
            _array(values[column.name], schema.field(column.name).type, paths)
            if column.name in values
            else pa.nulls(len(paths), schema.field(column.name).type)
            for column in columns
        ]
        tables.append(pa.Table.from_arrays(arrays, schema=schema))
    return pa.concat_tables(tables).combine_chunks()


def _array(values: Values, kind: pa.DataType, paths: list[str]) -> pa.Array:
    """Return the values of one batch as an Arrow array; a number that is not finite becomes null."""
    import pyarrow as pa

    if not isinstance(values, np.ndarray):
        return pa.StructArray.from_arrays([pa.array(values, pa.binary()), pa.array(paths)], fields=list(kind))
    if values.ndim == 1:
        return pa.array(values.astype(kind.to_pandas_dtype()), kind, mask=~np.isfinite(values))
    return _nested(values)


def _nested(values: NDArray[Any]) -> pa.Array:  # any real dtype
    """Return an array (N, ...) as N nested lists."""
    import pyarrow as pa

    found = pa.array(np.ascontiguousarray(values).ravel())
    for axis in range(values.ndim - 1, 0, -1):
        length, count = values.shape[axis], int(np.prod(values.shape[:axis]))
        found = pa.ListArray.from_arrays(np.arange(count + 1, dtype=np.int32) * length, found)
    return found
