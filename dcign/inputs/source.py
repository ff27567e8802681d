"""A data set folder, as training and evaluation need it.

The code here and in later stages does not know what a factor means: its name, its unit and its sign in a mirrored
image come from the data set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dcign.arrays import Float32, Int64, IntP, Str, UInt8
from dcign.data.dataset.chunks import SplitChunks, find_chunks
from dcign.data.dataset.reader import MASK_PATH, FaceDataset
from dcign.data.schema import BACKGROUND, MASK, PARTS, RENDERED
from dcign.errors import TrainingError
from dcign.inputs.batches import EVERYTHING, ImageBatches, TrainingBatches
from dcign.inputs.memory import fits_on_device
from dcign.inputs.scaling import scaled_batches, scaled_masks
from dcign.run.configuration import ImageDescription, TrainConfiguration, kinds_of
from dcign.storage.paths import store_errors, to_path

MIX = "mix"  # the split of people and their mixtures


@dataclass(frozen=True, eq=False)
class LabelledBatches:
    """A split in memory.

    images (B, n, S, S, C) uint8; factors (B, n, F); kind (B,) the index of what varies among the description's kinds,
    EVERYTHING for all others; mask (B, n, S, S) coverage of each pixel 0..255, or None if the split has no masks.
    """

    images: UInt8
    factors: Float32
    kind: Int64
    mask: UInt8 | None

    def chosen(self, batches: IntP) -> LabelledBatches:
        """Return the batches of these indices."""
        mask = None if self.mask is None else self.mask[batches]
        return LabelledBatches(self.images[batches], self.factors[batches], self.kind[batches], mask)


@dataclass(frozen=True, eq=False)
class PartLabels:
    """Which part of the model each pixel shows: labels (B, n, S, S) index into names; the background is no part."""

    labels: UInt8
    names: tuple[str, ...]

    def numbers(self) -> dict[str, int]:
        """Return the label of each part by its name."""
        return {name: number for number, name in enumerate(self.names) if name != BACKGROUND}


@dataclass(frozen=True, eq=False)
class MixedBatches:
    """People and mixtures of them: sources (B, n, T), the image of the batch whose person gives each of the traits."""

    batches: LabelledBatches
    sources: IntP
    traits: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ChunkedBatches:
    """Batches on disk, each read as a whole when it is needed; kind (B,); mask_chunks: of their masks, if any."""

    chunks: SplitChunks
    kind: Int64
    mask_chunks: SplitChunks | None = None
    size_read: int = 0  # px of the pictures that `labelled` reads; 0: those of the chunks

    @property
    def size(self) -> int:
        """Return the number of images of a batch: n."""
        return self.chunks.shape[0]

    def take(self, batch: Tensor, image: Tensor) -> Tensor:
        """Return images (G, m) of batches (G,): (G, m, S, S, C) uint8."""
        return _read(self.chunks, batch, image)

    @property
    def has_masks(self) -> bool:
        """Return whether the images have masks."""
        return self.mask_chunks is not None

    def take_masks(self, batch: Tensor, image: Tensor) -> Tensor:
        """Return the masks of images (G, m) of batches (G,): (G, m, S, S) uint8."""
        assert self.mask_chunks is not None  # `has_masks` says so
        return _read(self.mask_chunks, batch, image)

    def labelled(self, batches: IntP, images: IntP) -> LabelledBatches:
        """Read images (m,) of batches (K,) and their labels, without masks, with one batch in memory at a time."""
        side, channels = self.size_read or self.chunks.shape[1], self.chunks.shape[3]
        pixels = np.empty((len(batches), len(images), side, side, channels), np.uint8)
        for row, batch in enumerate(batches):
            pixels[row] = scaled_batches(self.chunks.read(int(batch))[images][None], side)[0]
        return LabelledBatches(pixels, self.chunks.factors[batches][:, images], self.kind[batches], None)


def _read(chunks: SplitChunks, batch: Tensor, image: Tensor) -> Tensor:
    """Read pixels of images (G, m) of batches (G,): (G, m, ...) uint8."""
    pairs = zip(batch.tolist(), image.numpy(), strict=True)
    return torch.from_numpy(np.stack([chunks.read(each)[chosen] for each, chosen in pairs]))


class DataSource:
    """A data set folder, described and read split by split."""

    @classmethod
    def of_run(
        cls, configuration: TrainConfiguration, description: ImageDescription, moved_to: str | Path | None = None
    ) -> DataSource:
        """Open the data set that a run was trained on, in its old folder or in the one given."""
        folder = to_path(moved_to or configuration.data)
        with store_errors(folder):
            lost = moved_to is None and not folder.exists()
        if lost:
            raise TrainingError(
                f"expected the data set of the run in {folder}, found nothing there: name that data set with --data."
            )
        source = cls(folder, description.size)
        if source.sha256() != description.data_sha256:
            raise TrainingError(
                f"expected the shards on which the run was trained, found others in {folder}: name that data set with "
                "--data."
            )
        return source

    def __init__(self, folder: str | Path, size: int = 0) -> None:
        """Open a data set. size: of the pictures that are read, px, scaled down from the data set's; 0: no scaling.

        The training split keeps the data set's size, because the trainer may cut its pictures out of larger ones.
        """
        self._dataset = FaceDataset(folder)
        self._folder = folder
        self._size = size

    def labelled(self, split: str) -> LabelledBatches:
        """Read a whole split into memory."""
        loaded = self._dataset.load(split)
        size = self._size or loaded.images.shape[-2]
        mask = None if loaded.mask is None else scaled_masks(loaded.mask, size)
        images = scaled_batches(loaded.images, size)
        return LabelledBatches(images, loaded.factors, self._kind(loaded.varies), mask)

    @property
    def rendered(self) -> bool:
        """Whether `dcign render` made the data set, so that it has all splits and all kinds of batches."""
        return next(iter(self._dataset.shards("train"))).header.version == RENDERED

    def has(self, split: str) -> bool:
        """Return whether there are batches of a split."""
        return bool(self._dataset.splits.get(split))

    def identity(self, split: str) -> Int64:
        """Read who is shown in each image of a split: (B, n)."""
        return np.concatenate([shard.identity_index for shard in self._dataset.shards(split)])

    def parts(self, split: str, most: int) -> PartLabels | None:
        """Read the part labels of the first `most` batches of a split, or return None if a shard of them has none."""
        labels: list[UInt8] = []
        names: tuple[str, ...] = ()
        for shard in self._dataset.shards(split):
            names = names or shard.header.truth_names.get(PARTS, ())
            if PARTS not in shard.truths or not names or shard.header.truth_names.get(PARTS) != names:
                return None
            labels += [shard.truth(PARTS, row) for row in range(min(len(shard), most - len(labels)))]
            if len(labels) == most:
                break
        stacked = np.stack(labels)
        if self._size and stacked.shape[-1] != self._size:  # the label at each new pixel's centre
            old = stacked.shape[-1]
            nearest = (np.arange(self._size) * 2 + 1) * old // (2 * self._size)
            stacked = stacked[:, :, nearest[:, None], nearest]
        return PartLabels(stacked, names)

    def mixed(self) -> MixedBatches | None:
        """Read the split `mix`, or return None if there is none."""
        if not self._dataset.splits.get(MIX):
            return None
        traits: tuple[str, ...] = ()
        sources = []
        for shard in self._dataset.shards(MIX):
            if shard.identity_source is None:
                return None
            traits = shard.header.traits
            sources.append(shard.identity_source.astype(np.intp))
        return MixedBatches(self.labelled(MIX), np.concatenate(sources), traits)

    def trait(self, split: str, name: str, batches: IntP) -> Float32:
        """Read the coefficients that only this trait of a person moves, of batches (K,) of a split: (K, n, C)."""
        found, first = [], 0
        for shard in self._dataset.shards(split):
            rows = batches[(batches >= first) & (batches < first + len(shard))] - first
            if len(rows):
                found.append(shard.trait(name)[rows])
            first += len(shard)
        return np.concatenate(found)

    def chunked(self, split: str, masks: bool = False) -> ChunkedBatches:
        """Find the batches of a split on disk, without reading any, and on request their masks, if all have some."""
        chunks = find_chunks(self._dataset, split)
        masked = masks and all(MASK in shard.truths for shard in self._dataset.shards(split))
        found = find_chunks(self._dataset, split, MASK_PATH) if masked else None
        return ChunkedBatches(chunks, self._kind(chunks.varies), found, self._size)

    def description(self) -> ImageDescription:
        """Describe the images of the training split, and the factors."""
        first = next(iter(self._dataset.shards("train")))
        height, width, channels = first.image_shape
        if height != width:
            raise TrainingError(
                f"expected square images, found {width} x {height} px in {self._folder}: use a data set of square ones."
            )
        if self._size > height:
            raise TrainingError(
                f"expected size={height} or less, as the pictures in {self._folder} have {height} px, found "
                f"size={self._size}: lower it with --set size={height}."
            )
        factors = self._dataset.factors
        return ImageDescription(
            size=self._size or height,
            channels=channels,  # type: ignore[arg-type]  # ImageDescription validates it
            factors=tuple(factor.name for factor in factors),
            units=tuple(factor.units for factor in factors),
            mirror_signs=tuple(factor.mirror_sign for factor in factors),
            data_sha256=self.sha256(),
            circular=tuple(factor.name for factor in factors if factor.circular),
            of_identity=tuple(factor.name for factor in factors if factor.of_identity),
            parts=self._dataset.parts,
            classes=tuple(factor.classes for factor in factors) if any(factor.classes for factor in factors) else (),
            open_kinds=first.header.version != RENDERED,
        )

    def training_bytes(self, masks: bool = False) -> int:
        """Return the size of the images of the training split in bytes, on request with their masks."""
        batches = sum(entry.batches for entry in self._dataset.splits.get("train", ()))
        first = next(iter(self._dataset.shards("train")))
        height, width, channels = first.image_shape
        return batches * first.batch_size * height * width * (channels + masks)

    def training(self, data_in: str, device: torch.device, masks: bool = False) -> ImageBatches:
        """Return the training split from "disk", or in "memory": the device's, if the images fit there.

        masks: whether their masks are needed. A split without any has none.
        """
        if data_in == "disk":
            return self.chunked("train", masks)
        train = self._dataset.load("train")
        images = torch.from_numpy(train.images)
        mask = torch.from_numpy(train.mask) if masks and train.mask is not None else None
        if fits_on_device(images.nbytes + (0 if mask is None else mask.nbytes), device):
            images, mask = images.to(device), None if mask is None else mask.to(device)
        return TrainingBatches(images, self._kind(train.varies), mask)

    def sha256(self) -> str:
        """Return a hash over all shards of all splits."""
        digest = hashlib.sha256()
        for split, entries in sorted(self._dataset.splits.items()):
            for entry in entries:
                digest.update(f"{split} {entry.sha256}\n".encode())
        return digest.hexdigest()

    def model(self) -> dict[str, str]:
        """Return the name of the face model and the note on its licence, where the data set has them."""
        found = self._dataset.manifest.model
        return {key: str(found[key]) for key in ("name", "licence") if found.get(key)}

    def check(self, splits: Iterable[str]) -> None:
        """Check the shards of those of these splits that the data set has, as every use of them does.

        Raises DataError if a shard is missing, is not the one that dataset.json lists, or holds labels that are not
        finite or out of range.
        """
        for split in splits:
            if self._dataset.splits.get(split):
                for _ in self._dataset.shards(split):
                    pass

    def refuse_missing(self, splits: Iterable[str]) -> None:
        """Raise unless the data set has these splits."""
        missing = [name for name in splits if not self._dataset.splits.get(name)]
        if missing:
            raise TrainingError(
                f"expected a split {missing[0]!r} in {self._folder}, found none: name a whole data set, as "
                "`dcign render` makes it."
            )

    def _kind(self, varies: Str) -> Int64:
        """Convert the names of what varies to indices of the description's kinds."""
        known = {name: kind for kind, name in enumerate(kinds_of(self._dataset))}
        return np.array([known.get(name, EVERYTHING) for name in varies.tolist()], np.int64)
