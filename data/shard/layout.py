"""What HDF5 finds in a shard, as `hdf5_layout` returns it and the sandbox's process passes it on as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from dcign.data.schema import Factor

Extent = tuple[int, int]  # first byte in the file, number of bytes


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
    """A shard's attributes, names and datasets. configuration, renderer, ranges and camera are JSON texts."""

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
