"""npz: SPLIT.npz with the keys of dSprites (github.com/google-deepmind/dsprites-dataset); N images, batch by batch.

    imgs             uint8    (N, H, W), or (N, H, W, 3) in colour; 0..255, where dSprites has 0 and 1
    latents_values   float64  (N, F), the factors in their units
    latents_classes  int64    (N, F), the bin of each value, 0 to BINS - 1; bins split each factor's range equally
    metadata         ()       latents_names, latents_sizes, latents_possible_values (the bins' middles) ...
    varies, batch, identity_index (N,), truth_LAYER (N, ...), in mix identity_source (N, T): not in dSprites

dSprites pickles its metadata. We store a record array instead. `file["metadata"][()]["latents_sizes"]` reads both, and
`allow_pickle` can stay off.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float64, Int64, UInt8
from dcign.data.export.split import SplitLayout, SplitSource
from dcign.data.schema import TRUTH, Batch
from dcign.data.shard.reader import Shard
from dcign.errors import DataError
from dcign.storage.atomic import AtomicFile, atomic_file

BINS = 20  # as in dcign.metrics
DEFLATE_LEVEL = 1


def write_archive(split: SplitSource, batches: Iterable[Batch], folder: Path) -> None:
    """Write a split as one archive; each array is streamed.

    Raises DataError if a factor has no range to cut into bins.
    """
    layout, count = split.layout, split.image_count
    edges = _edges(layout, split.name)
    kinds = np.dtype(f"<U{max(map(len, layout.kinds))}")
    shape = layout.image_shape if layout.image_shape[2] == 3 else layout.image_shape[:2]
    columns: dict[str, tuple[tuple[int, ...], str, Callable[[Shard], NDArray[Any]]]] = {
        "latents_values": ((len(edges),), "<f8", _values),
        "latents_classes": ((len(edges),), "<i8", lambda shard: _classes(_values(shard), edges)),
        "varies": ((), kinds.str, lambda shard: np.repeat(np.array(shard.varies, kinds), layout.batch_size)),
        "batch": ((), "<i8", lambda shard: np.repeat(shard.numbers, layout.batch_size)),
        "identity_index": ((), "<i8", lambda shard: shard.identity_index.ravel()),
    }
    if layout.sources:
        columns["identity_source"] = ((len(layout.sources),), "|u1", _sources)
    with (
        atomic_file(folder / f"{split.name}.npz") as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=DEFLATE_LEVEL) as archive,
    ):
        _stream(archive, part, "imgs", (count, *shape), "|u1", (batch.images for batch in batches))
        for name, (width, dtype, column) in columns.items():
            _stream(archive, part, name, (count, *width), dtype, map(column, split.shards()))
        for layer, stored in layout.truth.items():
            pieces = (shard.truth(layer, row) for shard in split.shards() for row in range(len(shard)))
            _stream(archive, part, f"{TRUTH}_{layer}", (count, *stored.shape[1:]), stored.dtype.str, pieces)
        with archive.open("metadata.npy", "w") as file:
            np.lib.format.write_array(file, _metadata(split, edges), allow_pickle=False)


def _stream(
    archive: zipfile.ZipFile,
    part: AtomicFile,
    name: str,
    shape: tuple[int, ...],
    dtype: str,
    pieces: Iterator[NDArray[Any]],
) -> None:
    """Write an array of this shape; the pieces are its rows in order."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, dtype).tobytes())
            part.check()


def _edges(layout: SplitLayout, split: str) -> Float64:
    """Return the lowest and highest value of each factor (F, 2)."""
    for factor in layout.factors:
        low, high = layout.ranges.get(factor.name, (0.0, 0.0))
        if not -np.inf < low < high < np.inf:
            raise DataError(
                f"the shards of {split} have no range of {factor.name}; expected lowest < highest, for bins: "
                "choose another --to."
            )
    return np.array([layout.ranges[factor.name] for factor in layout.factors], np.float64)


def _values(shard: Shard) -> Float64:
    """Return the factors of every image (N, F)."""
    return shard.factors.reshape(-1, len(shard.header.factors)).astype(np.float64)


def _sources(shard: Shard) -> UInt8:
    """Return the sources of every image (N, T)."""
    found = shard.identity_source
    assert found is not None  # SplitSource has compared the layouts
    return found.reshape(-1, found.shape[2])


def _classes(values: Float64, edges: Float64) -> Int64:
    """Return the bin of each value: (N, F), (F, 2) -> (N, F)."""
    low, high = edges.T
    bins: Float64 = np.floor(BINS * (values - low) / (high - low))
    return bins.clip(0, BINS - 1).astype(np.int64)


def _metadata(split: SplitSource, edges: Float64) -> NDArray[Any]:  # a record ()
    factors, manifest = split.layout.factors, split.dataset.manifest
    middles = [low + (high - low) * (np.arange(BINS) + 0.5) / BINS for low, high in edges]
    possible = np.dtype([(factor.name, np.float64, (BINS,)) for factor in factors])
    fields: dict[str, NDArray[Any]] = {
        "title": np.array(f"dcign faces, {split.name}"),
        "description": np.array(f"configuration {manifest.configuration_sha256}, seed {manifest.seed}"),
        "licence": np.array(str(manifest.model.get("licence", ""))),
        "latents_names": np.array([factor.name for factor in factors]),
        "latents_units": np.array([factor.units for factor in factors]),
        "latents_sizes": np.array([BINS] * len(factors)),
        "latents_possible_values": np.array(tuple(middles), possible),
    }
    dtype = np.dtype([(name, value.dtype, value.shape) for name, value in fields.items()])
    return np.array(tuple(fields.values()), dtype)
