"""Parquet files and folders of Hugging Face's `datasets`, with a column of images: bytes, or structs of bytes.

SOURCE is a file NAME.parquet, a folder that has some, also data/NAME.parquet, or a folder of `save_to_disk`, with
.arrow files. Splits are joined. Needs pyarrow: `pip install 'dcign[parquet]'`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dcign.arrays import Float64, Int64, UInt8
from dcign.data.schema import Factor
from dcign.data.sources.picture_folder import common_shape
from dcign.data.sources.pictures import Shape, picture_shape, read_picture
from dcign.data.sources.source import Column, Source, wrong
from dcign.data.sources.tables import factor_name, guessed_factors, label_columns
from dcign.errors import DataError

ROWS = 64  # that are in memory at a time, of pictures as files
Batch = Any  # pyarrow.RecordBatch


class ArrowSource(Source):
    """The rows of all files, one after another."""

    layout = "Parquet"

    def __init__(self, path: Path) -> None:
        """Read the labels of all rows, and the header of every picture."""
        self.path, self._files = path, table_files(path)
        self._first = np.zeros(1, np.int64)
        self._image = ""
        shapes: list[Shape] = []
        labels: dict[str, list[Any]] = {}
        for file in self._files:
            for batch in _batches(file):
                self._image = self._image or _image_column(batch.schema, file)
                place = len(shapes)
                for row, content in enumerate(_contents(batch, self._image)):
                    shapes.append(picture_shape(content, f"{file}, row {place + row - self._first[-1]}"))
                for name in batch.schema.names:
                    if name == self._image:
                        continue
                    held = labels.setdefault(name, [])
                    if _is_label(batch.schema.field(name).type):
                        held.extend(batch.column(name).to_pylist())
            self._first = np.append(self._first, len(shapes))
        if not shapes:
            raise wrong(path, "rows of images", "none", "check the files.")
        self.left_out = tuple(self._read_columns(labels))
        self.factors, self.identity = guessed_factors(self.columns)
        self.shape, self.mixed = common_shape(shapes, self.place)

    def _read_columns(self, labels: dict[str, list[Any]]) -> list[str]:
        """Make the label columns; those with names of classes are categorical. Return what is left out.

        labels: the values of each column, fewer than there are rows where some files have none that can be labels.
        """
        whole = {name: held for name, held in labels.items() if len(held) == self.count}
        texts = {name: ["" if value is None else str(value) for value in held] for name, held in whole.items()}
        self.columns, left_out = label_columns(texts)
        for heading, names in self._class_names().items():
            if heading in whole and not any(isinstance(value, str) for value in whole[heading]):
                factor = Factor(factor_name(heading), "", +1, classes=tuple(names))
                self.columns[factor.name] = Column(factor, self._class_indices(factor, whole[heading]))
        if odd := sorted({*labels} - {*whole}):
            left_out.append(f"columns that are not numbers or texts in every file: {', '.join(odd)}")
        return left_out

    def _class_indices(self, factor: Factor, held: Sequence[Any]) -> Float64:
        """Return class labels as numbers; NaN where there is none, which `datasets` writes as -1, too."""
        values = np.array([np.nan if value in (None, -1) else float(value) for value in held])
        odd = np.flatnonzero(np.isfinite(values) & ~np.isin(values, np.arange(len(factor.classes))))
        if len(odd):
            expected = f"0 to {len(factor.classes) - 1}, or -1 for none, in {factor.name}"
            raise wrong(self.place(int(odd[0])), expected, f"{values[odd[0]]:g}", "correct the label.")
        return values

    def _class_names(self) -> dict[str, Sequence[str]]:
        """Return the names of class labels that `datasets` keeps in the schema: column -> names."""
        metadata = (_schema(self._files[0]).metadata or {}).get(b"huggingface", b"{}")
        try:
            features = json.loads(metadata)["info"]["features"]
            return {name: each["names"] for name, each in features.items() if each.get("_type") == "ClassLabel"}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}

    @property
    def count(self) -> int:
        return int(self._first[-1])

    def place(self, row: int) -> str:
        file = int(np.searchsorted(self._first, row, side="right")) - 1
        return f"{self._files[file]}, row {row - self._first[file]}"

    def images(self, rows: Int64) -> Iterator[UInt8]:
        left = iter(rows.tolist())
        wanted = next(left, None)
        at = 0
        for file in self._files:
            for batch in _batches(file, [self._image]):
                end = at + batch.num_rows
                if wanted is not None and wanted < end:
                    contents = _contents(batch, self._image)
                    while wanted is not None and wanted < end:
                        yield read_picture(contents[wanted - at], self.place(wanted))[None]
                        wanted = next(left, None)
                at = end

    def files(self) -> Sequence[Path]:
        return self._files


def table_files(path: Path) -> list[Path]:
    """Return the Parquet or Arrow files of a path, in the order of their names; none if it is something else."""
    if path.is_file():
        return [path] if path.suffix == ".parquet" else []
    for pattern in ("*.parquet", "data/*.parquet", "*/*.parquet", "data-*.arrow", "*/data-*.arrow"):
        if found := sorted(path.glob(pattern)):
            return found
    return []


def _pyarrow() -> Any:  # the modules have no types
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise DataError("expected the package pyarrow, found none: run `pip install 'dcign[parquet]'`.") from None
    return pyarrow


@contextmanager
def _errors(file: Path) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except (OSError, ValueError, KeyError, NotImplementedError, MemoryError):  # those of pyarrow derive from these
        raise wrong(file, "a whole Parquet or Arrow file", "one that is damaged or cut short", "replace it.") from None


def _schema(file: Path) -> Any:  # pyarrow.Schema
    with _errors(file):
        if file.suffix == ".parquet":
            return _pyarrow().parquet.read_schema(file)
        with _pyarrow().ipc.open_stream(file) as stream:
            return stream.schema


def _batches(file: Path, columns: Sequence[str] | None = None) -> Iterator[Batch]:
    """Yield the rows of a file in pieces of at most ROWS."""
    with _errors(file):
        if file.suffix == ".parquet":
            with _pyarrow().parquet.ParquetFile(file) as opened:
                yield from opened.iter_batches(batch_size=ROWS, columns=columns)
            return
        with _pyarrow().memory_map(str(file)) as held, _pyarrow().ipc.open_stream(held) as stream:
            for batch in stream:
                for start in range(0, batch.num_rows, ROWS):
                    yield batch.slice(start, ROWS)


def _image_column(schema: Any, file: Path) -> str:  # pyarrow.Schema
    types = _pyarrow().types
    for field in schema:
        nested = types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0
        if nested or types.is_binary(field.type) or types.is_large_binary(field.type):
            return str(field.name)
    raise wrong(file, "a column of images: bytes, or structs of bytes", ", ".join(schema.names), "add one.")


def _contents(batch: Batch, name: str) -> list[bytes]:
    """Return each row's picture as a file; b"" where there is none."""
    found = batch.column(name).to_pylist()
    return [(each.get("bytes") if isinstance(each, dict) else each) or b"" for each in found]


def _is_label(kind: Any) -> bool:  # pyarrow.DataType
    types = _pyarrow().types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return any(test(kind) for test in (types.is_integer, types.is_floating, types.is_boolean, types.is_string,
                                       types.is_large_string))  # fmt: skip
