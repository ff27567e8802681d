"""Read one shard, one batch or a whole dataset at a time.

A shard's file is opened and checked on first use and not on construction, so that a `Shard` can be pickled and survives
a fork.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Float64, Int64, UInt8
from dcign.data import schema
from dcign.data.schema import Batch, ShardHeader
from dcign.data.shard.columns import LANDMARKS_PATH, Column
from dcign.data.shard.contents import Contents
from dcign.data.shard.pose import intrinsics, poses
from dcign.errors import DataError
from dcign.storage.paths import to_path, with_local_copy


class Shard:
    """One shard, opened and checked on first use. Use it in a `with`, or call `close`.

    Raises DataError on first use if the file is missing, not HDF5, cut short, of another program or a newer version, or
    if its datasets disagree.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = to_path(path)
        self._contents: Contents | None = None

    def __enter__(self) -> Shard:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:  # Any: pickle's own contract
        return {"path": self.path, "_contents": None}

    def __len__(self) -> int:
        """Number of batches B."""
        return self._open().stored[schema.IMAGES].shape[0]

    @property
    def header(self) -> ShardHeader:
        """Provenance: split, seed, configuration, ranges, camera, renderer, hashes."""
        return self._open().header

    @property
    def unknown(self) -> tuple[str, ...]:
        """The first attributes, datasets and groups of the file that the format does not have."""
        return self._open().unknown

    @property
    def state(self) -> tuple[int, ...]:
        """What identifies the open file and changes when it is written."""
        return self._open().state

    def sha256(self) -> str:
        """Return the SHA-256 of the file, hexadecimal."""
        return self._open().sha256()

    @property
    def batch_size(self) -> int:
        """Number of images of a batch: n."""
        return self._open().stored[schema.IMAGES].shape[1]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        height, width, channels = self._open().stored[schema.IMAGES].shape[2:]
        return height, width, channels

    @property
    def numbers(self) -> Int64:
        """Each batch's number in its split (B,)."""
        return self._whole(schema.BATCH_NUMBER)

    @property
    def varies(self) -> list[str]:
        """What varies in each batch, B names."""
        return [self._open().kinds[code] for code in self._whole(schema.VARYING).tolist()]

    @property
    def factors(self) -> Float32:
        """Labels (B, n, F), in the order of `header.factors`."""
        return self._whole(schema.FACTOR_VALUES)

    @property
    def labels(self) -> dict[str, Float32]:
        """The same by name: factor -> (B, n)."""
        factors = self.factors
        return {factor.name: factors[..., index] for index, factor in enumerate(self.header.factors)}

    @property
    def identity_index(self) -> Int64:
        """Which person is in each image (B, n)."""
        return self._whole(schema.IDENTITY_INDEX)

    @property
    def coefficients(self) -> dict[str, Float32]:
        """Each person's shape, albedo and attributes, where the shard has them: dataset -> (B, n, K)."""
        return {path: self._whole(path) for path in schema.COEFFICIENTS if path in self._open().stored}

    @property
    def identity_shape(self) -> Float32 | None:
        """Shape coefficients (B, n, Ks), or None where there is no morphable model."""
        return self.coefficients.get(schema.IDENTITY_SHAPE)

    @property
    def identity_albedo(self) -> Float32 | None:
        """Albedo coefficients (B, n, Ka), or None where there is no morphable model."""
        return self.coefficients.get(schema.IDENTITY_ALBEDO)

    @property
    def identity_attributes(self) -> Float32 | None:
        """Sex, age, hair and whatever else `header.attributes` names (B, n, A), or None where nothing is known."""
        return self.coefficients.get(schema.IDENTITY_ATTRIBUTES)

    @property
    def identity_own_shape(self) -> Float32 | None:
        """Shape coefficients before sex and age moved them (B, n, Ks), or None where no trait of people varies."""
        return self.coefficients.get(schema.IDENTITY_OWN_SHAPE)

    @property
    def identity_source(self) -> UInt8 | None:
        """In mix, the image of the batch that shows whom each trait of an image is of (B, n, T); else None."""
        return self._whole(schema.IDENTITY_SOURCE) if schema.IDENTITY_SOURCE in self._open().stored else None

    def trait(self, name: str) -> Float32:
        """Return all coefficients that only this trait moves, e.g. "hair" (B, n, K)."""
        moved = self.header.varies_with
        found = [
            values[..., np.array(moved[path]) == name] for path, values in self.coefficients.items() if path in moved
        ]
        if not sum(each.shape[-1] for each in found):
            raise DataError(f"{self.path} holds no coefficients of {name} alone: use a data set that varies it.")
        return np.concatenate(found, axis=-1)

    @property
    def nuisances(self) -> dict[str, Float32]:
        """The nuisances: values that were sampled but are not factors, name -> (B, n)."""
        return {name: self._whole(f"{schema.NUISANCE}/{name}") for name in self._members(schema.NUISANCE)}

    @property
    def poses(self) -> Float64:
        """The matrix from model space to camera space of each image (B, n, 4, 4), millimetres.

        Raises DataError if the shard was not made by `dcign render`.
        """
        return poses(self.header, self.labels | self.nuisances)

    @property
    def intrinsics(self) -> Float64:
        """The matrix from camera space to pixels times depth of each image (B, n, 3, 3).

        Raises DataError as `poses` does.
        """
        return intrinsics(self.header, self.labels | self.nuisances, *self.image_shape[:2])

    @property
    def landmarks(self) -> Float32 | None:
        """x, y, depth and visible of each landmark (B, n, L, 4), or None where there are none."""
        return self._whole(LANDMARKS_PATH) if LANDMARKS_PATH in self._open().stored else None

    @property
    def truths(self) -> tuple[str, ...]:
        """Names of the truth layers that the shard has."""
        return self._members(schema.TRUTH)

    def images(self, row: int) -> UInt8:
        """Return the images of one batch (n, H, W, C)."""
        return self._row(schema.IMAGES, row)

    def chunks(self, path: str = schema.IMAGES) -> Int64:
        """Return where each batch's deflated pixels of a dataset lie: first byte, number of bytes (B, 2)."""
        return np.array(self._open().stored[path].extents, np.int64)

    def truth(self, name: str, row: int) -> NDArray[Any]:  # any real dtype
        """Return a truth layer of one batch: (n, H, W) or (n, H, W, 3); landmarks (n, L, 4)."""
        if name not in self.truths:
            held = ", ".join(self.truths) or "none"
            raise DataError(f"{self.path} holds no truth/{name}; it holds {held}: use a split that has it.")
        return self._row(f"{schema.TRUTH}/{name}", row)

    def batch(self, row: int, *, truth: bool = True) -> Batch:
        """Return the batch in a row of the shard, 0 to B - 1, with or without its truth layers."""
        held = self._open().stored
        shape, albedo, attributes, own_shape, source = (
            self._row(path, row) if path in held else None for path in (*schema.COEFFICIENTS, schema.IDENTITY_SOURCE)
        )
        return Batch(
            number=int(self._row(schema.BATCH_NUMBER, row)),
            varies=self._open().kinds[int(self._row(schema.VARYING, row))],
            images=self.images(row),
            factors=self._row(schema.FACTOR_VALUES, row),
            identity_index=self._row(schema.IDENTITY_INDEX, row),
            identity_shape=shape,
            identity_albedo=albedo,
            nuisance={name: self._row(f"{schema.NUISANCE}/{name}", row) for name in self._members(schema.NUISANCE)},
            truth={name: self.truth(name, row) for name in self.truths if truth},
            identity_attributes=attributes,
            identity_own_shape=own_shape,
            identity_source=source,
        )

    def batches(self) -> Iterator[Batch]:
        """Yield every batch in order; one is in memory at a time."""
        for row in range(len(self)):
            yield self.batch(row)

    def columns(self) -> dict[str, Column]:
        """Return every dataset of the shard: path -> its shape and dtype for one batch."""
        return {name: Column(each.shape[1:], each.dtype) for name, each in self._open().stored.items()}

    def read_into(self, path: str, target: NDArray[Any]) -> None:
        """Read a whole dataset (B, ...) into an array of its shape and dtype."""
        self._open().read_into(path, target)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._contents is not None:
            self._contents.close()
            self._contents = None

    def _open(self) -> Contents:
        if self._contents is None:
            self._contents = with_local_copy(self.path, self._described)
        return self._contents

    def _described(self, copy: Path) -> Contents:
        try:
            contents = Contents(copy)
        except DataError as error:
            raise DataError(str(error).replace(str(copy), str(self.path))) from None
        contents.path = self.path  # for error messages, instead of the copy's path
        return contents

    def _members(self, group: str) -> tuple[str, ...]:
        """Return the names of the datasets in a group."""
        prefix = f"{group}/"
        return tuple(path.removeprefix(prefix) for path in self._open().stored if path.startswith(prefix))

    def _whole(self, path: str) -> NDArray[Any]:  # the dataset's own dtype
        return self._open().whole(path)

    def _row(self, path: str, row: int) -> NDArray[Any]:  # the dataset's own dtype
        return self._open().row(path, row)
