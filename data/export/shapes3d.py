"""3dshapes: SPLIT.h5 with the datasets of 3D Shapes (github.com/google-deepmind/3d-shapes), N images, batch by batch.

images  uint8    (N, H, W, C)
labels  float64  (N, F), the factors in their units; attributes names, units
varies, batch, identity_index (N,), truth/LAYER (N, ...), in mix identity_source (N, T): not in 3D Shapes
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dcign.data.export.split import SplitSource
from dcign.data.schema import TRUTH, Batch
from dcign.data.shard.writer import GZIP_LEVEL, LIBRARY_VERSIONS, create_dataset, texts
from dcign.storage.atomic import atomic_file


def write_shapes(split: SplitSource, batches: Iterable[Batch], folder: Path) -> None:
    """Write a split as one HDF5 file, one gzip chunk per batch."""
    with atomic_file(folder / f"{split.name}.h5") as part, h5py.File(part, "w", libver=LIBRARY_VERSIONS) as file:
        _lay_out(file, split)
        for number, batch in enumerate(batches):
            row = number * split.layout.batch_size
            rows = slice(row, row + split.layout.batch_size)
            file["images"].id.write_direct_chunk((row, 0, 0, 0), zlib.compress(batch.images.data, GZIP_LEVEL))
            file["labels"][rows] = batch.factors
            file["varies"][rows] = split.layout.kinds[batch.varies]
            file["batch"][rows] = batch.number
            file["identity_index"][rows] = batch.identity_index
            if batch.identity_source is not None:
                file["identity_source"][rows] = batch.identity_source
            for layer, values in batch.truth.items():
                _add_layer(file[f"{TRUTH}/{layer}"], row, values)
            part.check()


def _add_layer(dataset: h5py.Dataset, row: int, values: NDArray[Any]) -> None:  # any real dtype
    stream = zlib.compress(np.ascontiguousarray(values).data, GZIP_LEVEL)
    dataset.id.write_direct_chunk((row,) + (0,) * (values.ndim - 1), stream)


def _lay_out(file: h5py.File, split: SplitSource) -> None:
    layout, count = split.layout, split.image_count
    create_dataset(file, "images", (count, *layout.image_shape), np.uint8, (layout.batch_size, *layout.image_shape))
    labels = create_dataset(file, "labels", (count, len(layout.factors)), np.float64)
    labels.attrs["names"] = texts(factor.name for factor in layout.factors)
    labels.attrs["units"] = texts(factor.units for factor in layout.factors)
    create_dataset(file, "varies", (count,), h5py.enum_dtype(layout.kinds, basetype=np.uint8))
    for name in ("batch", "identity_index"):
        create_dataset(file, name, (count,), np.int64)
    if layout.sources:
        source = create_dataset(file, "identity_source", (count, len(layout.sources)), np.uint8)
        source.attrs["names"] = texts(layout.sources)
    for layer, column in layout.truth.items():
        path, shape = f"{TRUTH}/{layer}", column.shape[1:]
        dataset = create_dataset(file, path, (count, *shape), column.dtype, (layout.batch_size, *shape))
        if layer in layout.truth_names:
            dataset.attrs["names"] = texts(layout.truth_names[layer])
