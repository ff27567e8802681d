"""Read a data set, shard by shard or a whole split at a time. Every shard is checked before it is used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Int64, Str, UInt8
from dcign.data import schema
from dcign.data.dataset.layout import shard_layout, unlike_shard
from dcign.data.dataset.listed import Listed, refuse_findings, shard_findings
from dcign.data.dataset.manifest import NAME, Manifest, ShardEntry, read_manifest
from dcign.data.schema import Batch, Factor
from dcign.data.shard.columns import Column
from dcign.data.shard.reader import Shard
from dcign.errors import DataError
from dcign.storage.paths import store_errors, to_path

__all__ = ["FaceDataset", "LoadedSplit", "Shard"]

MASK_PATH = f"{schema.TRUTH}/{schema.MASK}"
LOADED = (schema.IMAGES, schema.FACTOR_VALUES, schema.IDENTITY_INDEX, MASK_PATH)


@dataclass(frozen=True, eq=False)
class LoadedSplit:
    """A whole split in memory.

    images (B, n, H, W, C); factors (B, n, F); varies (B,) names; identity_index (B, n);
    mask (B, n, H, W) coverage 0..255, or None if the split has none.
    """

    images: UInt8
    factors: Float32
    varies: Str
    identity_index: Int64
    mask: UInt8 | None


class FaceDataset:
    """A data set folder. Only dataset.json is read on construction."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = to_path(folder)
        self.manifest: Manifest = read_manifest(self.folder)
        self._checked: set[tuple[str, tuple[int, ...]]] = set()  # files of shards that are sound, in this state

    @property
    def splits(self) -> dict[str, list[ShardEntry]]:
        """Name of the split -> its shards in order."""
        return {name: list(entries) for name, entries in self.manifest.splits.items()}

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Names, units, mirror signs and flags of the columns of labels."""
        return self.manifest.factors

    @property
    def parts(self) -> tuple[str, ...]:
        """Which of shape, skin and hair batches of this data set vary alone."""
        return self.manifest.parts

    def shards(self, split: str) -> Generator[Shard]:
        """Yield each shard of a split, checked; it is open while it is yielded."""
        for entry in self._entries(split):
            with self.opened(split, entry) as shard:
                yield shard

    @contextmanager
    def opened(self, split: str, entry: ShardEntry) -> Iterator[Shard]:
        """Open a listed shard.

        The first time, it is checked: header and SHA-256 against dataset.json, and labels finite and in range.

        Raises DataError if anything is wrong.
        """
        with self.shard(entry) as shard:
            checked = entry.file, shard.state
            if checked not in self._checked:
                refuse_findings(shard_findings(shard, Listed(self.manifest, split, entry)))
                self._checked.add(checked)
            yield shard

    def shard(self, entry: ShardEntry) -> Shard:
        """Return a listed shard, not opened yet.

        Raises DataError if its file is missing.
        """
        path = self.folder / entry.file
        with store_errors(path):
            there = path.exists()
        if not there:
            raise DataError(f"{path} is not there, though {NAME} lists it: run `dcign render` again to make it.")
        return Shard(path)

    def batches(self, split: str) -> Iterator[Batch]:
        """Yield every batch of a split in order; one is in memory at a time."""
        for shard in self.shards(split):
            yield from shard.batches()

    def load(self, split: str) -> LoadedSplit:
        """Read a whole split into memory."""
        count = sum(entry.batches for entry in self._entries(split))
        layout_of_first: dict[str, Column] = {}
        loaded: dict[str, NDArray[Any]] = {}
        varies: list[str] = []
        row = 0
        for shard in self.shards(split):
            found = {path: column for path, column in shard.columns().items() if path in LOADED}
            if not loaded:
                layout_of_first = found
                loaded = {path: self._room(split, (count, *each.shape), each.dtype) for path, each in found.items()}
            if found != layout_of_first:
                raise self.unlike_shard(split)
            for path, target in loaded.items():
                shard.read_into(path, target[row : row + len(shard)])
            varies += shard.varies
            row += len(shard)
        return LoadedSplit(
            images=loaded[schema.IMAGES],
            factors=loaded[schema.FACTOR_VALUES],
            varies=np.array(varies),
            identity_index=loaded[schema.IDENTITY_INDEX],
            mask=loaded.get(MASK_PATH),
        )

    def unlike_shard(self, split: str) -> DataError:
        """Return the error that names the shard of a split whose layout is not the others'."""
        others = [each for each in self.splits if each != split and self.splits[each]]
        own = [(shard.path, shard_layout(shard)) for shard in self.shards(split)]
        return unlike_shard(own, [shard_layout(shard) for each in others for shard in self.shards(each)])

    def _room(self, split: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        try:
            return np.empty(shape, dtype)
        except (MemoryError, ValueError):  # ValueError: more bytes than an address can count
            raise DataError(
                f"{self.folder} lists {shape[0]} batches of {split}, which do not fit into memory: read them one by "
                "one, or render fewer."
            ) from None

    def _entries(self, split: str) -> tuple[ShardEntry, ...]:
        if not self.manifest.splits.get(split):
            held = ", ".join(name for name, entries in self.manifest.splits.items() if entries) or "none"
            raise DataError(f"{self.folder} has no split {split!r}; it has {held}: name one of these.")
        return self.manifest.splits[split]
