"""The columns of the Parquet files: their types for Hugging Face, and the values of one batch.

Columns are the same in every split, because the splits of one data set on the hub must agree. Where a split has no
such layer or source, the values are null. Factors have their own name; a factor called like another column has the
prefix `factor_`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.data.export.png_bytes import png_bytes
from dcign.data.export.split import SplitLayout, SplitSource
from dcign.data.export.truth import is_picture
from dcign.data.schema import TRUTH, Batch
from dcign.errors import DataError

IMAGE, CLASS = "image", "class"
SOURCE = "source"
FIXED = ("image", "batch", "image_number", "varies", "identity_index")
Values = Sequence[bytes] | NDArray[Any]  # PNG files, or any real dtype


@dataclass(frozen=True)
class ExportColumn:
    """One column.

    dtype: `image`, `class` or numpy's name of a number; shape: of one value, () for a number; names: of the classes;
    text: what it is, with its unit; group: TRUTH or SOURCE for a layer or source, which a split may lack.
    """

    name: str
    dtype: str
    text: str
    shape: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    group: str = ""

    @property
    def feature(self) -> dict[str, Any]:  # JSON
        """The column as a feature of `datasets`."""
        if self.dtype == IMAGE:
            return {"_type": "Image"}
        if self.dtype == CLASS:
            return {"names": list(self.names), "_type": "ClassLabel"}
        found: dict[str, Any] = {"dtype": self.dtype, "_type": "Value"}
        for _ in self.shape:  # every version of `datasets` reads Sequence, which version 4 renamed to List
            found = {"feature": found, "_type": "Sequence"}
        return found


def export_columns(splits: Sequence[SplitSource]) -> tuple[ExportColumn, ...]:
    """Return the columns of all splits together.

    Raises DataError if two splits have columns of the same name and of other types.
    """
    found: dict[str, tuple[ExportColumn, str]] = {}
    for split in splits:
        for column in _columns(split.layout):
            known, other = found.setdefault(column.name, (column, split.name))
            if column != known:
                raise DataError(
                    f"expected {column.name} of {split.name} to be as in {other}, {known.dtype} {known.shape}, found "
                    f"{column.dtype} {column.shape}: export one split at a time."
                )
    return tuple(column for column, _ in found.values())


def factor_column(name: str) -> str:
    """Return the column of a factor."""
    return f"factor_{name}" if name in FIXED else name


def _columns(layout: SplitLayout) -> Iterable[ExportColumn]:
    yield ExportColumn("image", IMAGE, "the picture")
    yield ExportColumn("batch", "int64", "number of the batch in its split")
    yield ExportColumn("image_number", "int64", "place in the batch, from 0")
    yield ExportColumn("varies", CLASS, "what differs between the pictures of the batch", names=tuple(layout.kinds))
    yield ExportColumn("identity_index", "int64", "who: the same number is the same one in the whole data set")
    for factor in layout.factors:
        range_ = layout.ranges.get(factor.name)
        span = f", {range_[0]:g} to {range_[1]:g}" if range_ else ""
        if factor.classes:
            yield ExportColumn(factor_column(factor.name), CLASS, "factor", names=factor.classes)
        else:
            yield ExportColumn(factor_column(factor.name), "float32", f"factor, {factor.units or 'no unit'}{span}")
    for name in layout.attributes:
        yield ExportColumn(f"attribute_{name}", "float32", "property of who is shown; null where unknown")
    for name in layout.nuisances:
        yield ExportColumn(f"nuisance_{name}", "float32", "sampled, but no factor")
    for name in layout.sources:
        text = "the image of the batch that shows whose trait this is"
        yield ExportColumn(f"{SOURCE}_{name}", "uint8", text, group=SOURCE)
    for name, stored in layout.truth.items():
        shape, text = stored.shape[1:], f"truth layer {name}"
        picture = is_picture(stored.dtype, shape)
        dtype, shape = (IMAGE, ()) if picture else (stored.dtype.name, shape)
        yield ExportColumn(f"{TRUTH}_{name}", dtype, text, shape, group=TRUTH)


def batch_values(layout: SplitLayout, batch: Batch) -> Mapping[str, Values]:
    """Return the values of one batch: column -> n PNG files, or an array (n, ...)."""
    count = len(batch.images)
    sources = () if batch.identity_source is None else batch.identity_source.T
    attributes = () if batch.identity_attributes is None else batch.identity_attributes.T
    return {
        "image": [png_bytes(image) for image in batch.images],
        "batch": np.full(count, batch.number),
        "image_number": np.arange(count),
        "varies": np.full(count, list(layout.kinds).index(batch.varies)),
        "identity_index": batch.identity_index,
        **{factor_column(each.name): column for each, column in zip(layout.factors, batch.factors.T, strict=True)},
        **{f"attribute_{name}": column for name, column in zip(layout.attributes, attributes, strict=True)},
        **{f"nuisance_{name}": batch.nuisance[name] for name in layout.nuisances},
        **{f"{SOURCE}_{name}": column for name, column in zip(layout.sources, sources, strict=True)},
        **{f"{TRUTH}_{name}": _layer(values) for name, values in batch.truth.items()},
    }


def _layer(values: NDArray[Any]) -> Values:  # any real dtype
    if is_picture(values.dtype, values.shape[1:]):
        return [png_bytes(layer.reshape(*layer.shape[:2], -1)) for layer in values]
    return values
