"""Read any batch of a split directly from its chunk, in any order, without keeping a file open.

A shard stores the images of a batch as one deflated chunk, and HDF5 is asked only once where the chunks begin. So a
thread can read a split that does not fit into memory without holding HDF5's lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.arrays import Float32, Int64, Str, UInt8
from dcign.data.damage import damage_errors
from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import IMAGES
from dcign.data.shard.contents import inflate
from dcign.storage.paths import with_local_copy


@dataclass(frozen=True, eq=False)
class SplitChunks:
    """Where the images of each of a split's B batches lie, or their masks.

    files: the shards; file (B,) which of them; begin, stored (B,) bytes; shape (n, H, W, C) of a batch, of masks (n, H,
    W); varies (B,) names of what differs in each; factors (B, n, F) their labels.
    """

    files: tuple[Path, ...]
    file: Int64
    begin: Int64
    stored: Int64
    shape: tuple[int, ...]
    varies: Str
    factors: Float32

    def read(self, batch: int) -> UInt8:
        """Return the pixels of one batch, of the shape `shape`; raise DataError if they are missing or damaged."""
        path = self.files[self.file[batch]]
        with damage_errors(path):
            with with_local_copy(path, lambda copy: copy.open("rb"), fresh=False) as file:
                file.seek(int(self.begin[batch]))
                stream = file.read(int(self.stored[batch]))
            pixels = np.empty(self.shape, np.uint8)
            inflate(stream, pixels)
        return pixels


def find_chunks(dataset: FaceDataset, split: str, path: str = IMAGES) -> SplitChunks:
    """Return where the images of a split lie, or another dataset of bytes per pixel, asking each shard."""
    found = [
        (shard.path, len(shard), shard.columns()[path].shape, shard.chunks(path), shard.varies, shard.factors)
        for shard in dataset.shards(split)
    ]
    files, counts, shapes, places, varies, factors = zip(*found, strict=True)
    if len({*shapes}) > 1:
        raise dataset.unlike_shard(split)
    begin, stored = np.concatenate(places).T
    return SplitChunks(
        files=files,
        file=np.repeat(np.arange(len(files)), counts),
        begin=begin,
        stored=stored,
        shape=shapes[0],
        varies=np.concatenate(varies),
        factors=np.concatenate(factors),
    )
