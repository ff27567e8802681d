"""HDF5 with the datasets of 3D Shapes (github.com/google-deepmind/3d-shapes): images (N, H, W, C) and labels (N, F).

Other files of this layout are read, too: names and units come from the attributes `names` and `units` of `labels`,
which `dcign export --to 3dshapes` writes; six columns without names are those of 3D Shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dcign.arrays import Float64, Int64, UInt8
from dcign.data.damage import RAISED, damage_of
from dcign.data.schema import Factor
from dcign.data.sources.source import Column, Source, blocks, wrong
from dcign.data.sources.tables import factor_name
from dcign.errors import DataError

SHAPES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
ORIGINAL, LICENCE = 480_000, "3D Shapes: Apache License 2.0"  # images of the original
SHAPE_CLASSES = ("cube", "cylinder", "sphere", "capsule")


class Shapes3D(Source):
    """Images and labels of one HDF5 file; of chunked images, chunks are inflated once, in order."""

    layout = "3D Shapes"

    def __init__(self, path: Path) -> None:
        self.path = path
        with opened(path) as file:
            images, values, names, units = _described(path, file)
        self._count, self.shape = int(images[0]), images[1:]
        columns = [Column(Factor(name, unit, +1), values[:, place])
                   for place, (name, unit) in enumerate(zip(names, units, strict=True))]  # fmt: skip
        if names == SHAPES:
            self.licence = LICENCE if self._count == ORIGINAL else ""
            columns[:3] = [column.circular("turn") for column in columns[:3]]
            shape = columns[4].categorical()
            if len(shape.factor.classes) == len(SHAPE_CLASSES):
                shape = Column(replace(shape.factor, classes=SHAPE_CLASSES), shape.values)
            columns[4] = shape
            columns[5] = Column(Factor("orientation", "degree", +1), columns[5].values)
        self.columns = {column.name: column for column in columns}
        self.factors = tuple(column.name for column in columns if np.ptp(column.values) > 0)

    @property
    def count(self) -> int:
        return self._count

    def images(self, rows: Int64) -> Iterator[UInt8]:
        with opened(self.path) as file:
            yield from stream_dataset(file["images"], rows)

    def files(self) -> Sequence[Path]:
        return [self.path]


def stream_dataset(images: h5py.Dataset, rows: Int64) -> Iterator[UInt8]:
    """Yield rows (ascending) of a dataset (N, H, W, C) of uint8, as blocks; whole chunks are read once."""
    shape = images.shape[1:]
    size = int(np.prod(shape))
    step = max(len(next(blocks(np.arange(images.shape[0]), size))), 1)
    step = max(step // images.chunks[0], 1) * images.chunks[0] if images.chunks else step
    for first in range(0, images.shape[0], step):
        here = rows[(rows >= first) & (rows < first + step)] - first
        if len(here):
            yield images[first : first + step][here]


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file. Raises DataError for whatever h5py raises, then and later."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DataError:
        raise
    except RAISED as error:
        raise DataError(f"{path} {damage_of(error)}; expected an HDF5 file: replace it.") from None


def _described(path: Path, file: h5py.File) -> tuple[Any, Float64, tuple[str, ...], tuple[str, ...]]:
    """Return the images' shape, the labels, and their names and units."""
    for name in ("images", "labels"):
        if not isinstance(file.get(name), h5py.Dataset):
            raise wrong(
                path, "the datasets images and labels of 3D Shapes", ", ".join(file) or "none", "check the file."
            )
    images, labels = file["images"], file["labels"]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3) or not len(images):
        raise wrong(path, "images uint8 (N, H, W, 1 or 3)", f"{images.dtype} {images.shape}", "convert them.")
    if labels.ndim != 2 or labels.shape[0] != images.shape[0] or labels.dtype.kind not in "iuf":
        raise wrong(path, f"labels ({len(images)}, F), numbers", f"{labels.dtype} {labels.shape}", "add them.")
    count = labels.shape[1]
    names = _texts(labels.attrs.get("names"), count)
    names = (
        tuple(map(factor_name, names)) if names else SHAPES if count == 6 else tuple(f"label_{n}" for n in range(count))
    )
    units = _texts(labels.attrs.get("units"), count) or ("",) * count
    return images.shape, labels[:].astype(np.float64), names, units


def _texts(value: Any, count: int) -> tuple[str, ...]:  # an attribute of h5py
    if value is None or len(value) != count:
        return ()
    return tuple(each.decode() if isinstance(each, bytes) else str(each) for each in value)
