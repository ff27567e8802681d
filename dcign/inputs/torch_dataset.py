"""A split for torch's own loaders: images and factors for anybody's training loop, with or without the rest of dcign.

An image costs as much to read as its whole batch of 20. So draw whole batches, by `WholeBatches`:

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
from dcign.data.schema import VARIES_NAMES
from dcign.errors import TrainingError


class FaceImages(Dataset[tuple[Tensor, Tensor]]):
    """The N images of a split, in order: place -> image (C, S, S) float32 0..1, factors (F,) float32.

    names, units: what the F factors are. factors (N, F) float32, varies N names, and identity_index (N,) int64 are
    there without reading any image. Images are read where they lie, with no file kept open: it can be pickled, and
    cross a fork. The batch that was read last is kept, so that going through the images in order reads each once.

    Raises DataError if the folder has no such split, or a shard is damaged.
    """

    def __init__(self, folder: str | Path, split: str = "train") -> None:
        dataset = FaceDataset(folder)
        self.names = tuple(factor.name for factor in dataset.factors)
        self.units = tuple(factor.units for factor in dataset.factors)
        self._chunks = find_chunks(dataset, split)
        labels = [(shard.factors, shard.identity_index) for shard in dataset.shards(split)]
        factors, identity_index = (np.concatenate(column) for column in zip(*labels, strict=True))
        self.batch_size = self._chunks.shape[0]  # images of a batch, which lie side by side
        self.factors = torch.from_numpy(factors.reshape(-1, len(self.names)))
        self.identity_index = torch.from_numpy(identity_index.reshape(-1))
        self._last = -1
        self._images: UInt8 | None = None

    def __len__(self) -> int:
        """Return the number of images: N."""
        return len(self.factors)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        """Return one image and its factors."""
        return self.__getitems__([place])[0]

    def __getitems__(self, places: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Return several, reading neighbours of one batch at once."""
        count = len(self)
        for place in places:
            if not -count <= place < count:
                raise IndexError(f"there is no image {place}; the split has 0 to {count - 1}")
        taken = torch.from_numpy(np.stack([self._image(place % count) for place in places]))
        images = taken.permute(0, 3, 1, 2).to(torch.float32) / 255
        return [(image, self.factors[place]) for image, place in zip(images, places, strict=True)]

    @property
    def varies(self) -> list[str]:
        """Return what varies in each image's batch, N names."""
        return [VARIES_NAMES[code] for code in self._chunks.varies.repeat(self.batch_size)]

    def _image(self, place: int) -> UInt8:
        batch, image = divmod(place, self.batch_size)
        if self._images is None or batch != self._last:
            self._images, self._last = self._chunks.read(batch), batch
        found: UInt8 = self._images[image]
        return found


class WholeBatches(Sampler[list[int]]):
    """Draws the places of `groups` whole batches at a time, each batch once an epoch; the last draw may have fewer.

    generator: what shuffles the batches, anew in each epoch; None goes through them in order. What varies in a batch
    stays the one thing that differs among its 20 neighbours.
    """

    def __init__(self, images: FaceImages, *, groups: int, generator: torch.Generator | None) -> None:
        if groups < 1:
            raise TrainingError(f"cannot draw {groups} batches at a time: give groups 1 or more")
        self._size, self._count = images.batch_size, len(images) // images.batch_size
        self._groups, self._generator = groups, generator

    def __len__(self) -> int:
        """Return how many draws an epoch has."""
        return -(-self._count // self._groups)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the places of each draw's images."""
        order = torch.arange(self._count)
        if self._generator is not None:
            order = order[torch.randperm(self._count, generator=self._generator)]
        for first in range(0, self._count, self._groups):
            drawn = order[first : first + self._groups, None] * self._size + torch.arange(self._size)
            yield drawn.flatten().tolist()
