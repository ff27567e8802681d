"""A split as a torch data set: images and factors for any training loop.

Reading one image costs as much as reading its whole batch of 20. So draw whole batches, with `WholeBatches`:

    faces = FaceImages("faces", "train")
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(faces, batch_sampler=WholeBatches(faces, groups=8, generator=generator), num_workers=2)
    for images, factors in loader:  # (160, C, S, S) 0..1, (160, 3) degrees
        ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from dcign.arrays import UInt8
from dcign.data.dataset.chunks import find_chunks
from dcign.data.dataset.reader import FaceDataset
from dcign.errors import TrainingError


class FaceImages(Dataset[tuple[Tensor, Tensor]]):
    """The N images of a split, in order: index -> image (C, S, S) float32 0..1, factors (F,) float32.

    names, units: of the F factors. factors (N, F) float32, varies (N names) and identity_index (N,) int64 are
    available without reading images. No file is kept open, so that the object can be pickled and can cross a fork.
    The last batch read is kept, so that reading the images in order reads each batch once.

    Raises DataError if the folder has no such split, or a shard is damaged.
    """

    def __init__(self, folder: str | Path, split: str = "train") -> None:
        dataset = FaceDataset(folder)
        self.names = tuple(factor.name for factor in dataset.factors)
        self.units = tuple(factor.units for factor in dataset.factors)
        self._chunks = find_chunks(dataset, split)
        labels = [(shard.factors, shard.identity_index) for shard in dataset.shards(split)]
        factors, identity_index = (np.concatenate(column) for column in zip(*labels, strict=True))
        self.batch_size = self._chunks.shape[0]  # images per batch; they are neighbours
        self.factors = torch.from_numpy(factors.reshape(-1, len(self.names)))
        self.identity_index = torch.from_numpy(identity_index.reshape(-1))
        self._last = -1
        self._images: UInt8 | None = None

    def __len__(self) -> int:
        """Return the number of images: N."""
        return len(self.factors)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one image and its factors."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Return several images and their factors. Neighbours of one batch are read together, once."""
        count = len(self)
        for index in indices:
            if not -count <= index < count:
                raise IndexError(f"expected an index from 0 to {count - 1}, found {index}")
        taken = torch.from_numpy(np.stack([self._image(index % count) for index in indices]))
        images = taken.permute(0, 3, 1, 2).to(torch.float32) / 255
        return [(image, self.factors[index]) for image, index in zip(images, indices, strict=True)]

    @property
    def varies(self) -> list[str]:
        """Return what varies in each image's batch, N names."""
        return self._chunks.varies.repeat(self.batch_size).tolist()

    def _image(self, index: int) -> UInt8:
        batch, image = divmod(index, self.batch_size)
        if self._images is None or batch != self._last:
            self._images, self._last = self._chunks.read(batch), batch
        found: UInt8 = self._images[image]
        return found


class WholeBatches(Sampler[list[int]]):
    """Draws the indices of `groups` whole batches at a time, each batch once per epoch. The last draw may be smaller.

    generator: shuffles the batches in each epoch; None keeps their order. The 20 images of a batch stay neighbours, and
    differ only in what varies in that batch.
    """

    def __init__(self, images: FaceImages, *, groups: int, generator: torch.Generator | None) -> None:
        if groups < 1:
            raise TrainingError(f"expected 1 or more groups, found {groups}: raise groups.")
        self._size, self._count = images.batch_size, len(images) // images.batch_size
        self._groups, self._generator = groups, generator

    def __len__(self) -> int:
        """Return the number of draws of an epoch."""
        return -(-self._count // self._groups)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the indices of each draw's images."""
        order = torch.arange(self._count)
        if self._generator is not None:
            order = order[torch.randperm(self._count, generator=self._generator)]
        for first in range(0, self._count, self._groups):
            chosen = order[first : first + self._groups, None] * self._size + torch.arange(self._size)
            yield chosen.flatten().tolist()
