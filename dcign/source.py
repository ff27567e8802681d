"""From a data set folder to what the trainer and the evaluation need: the only place that knows the reader.

Nothing here, or after it, knows what a factor means: its name, unit and sign in a mirrored image are the data
set's.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from data.reader import FaceDataset, LoadedSplit
from data.schema import VARIES
from dcign.batches import TrainingBatches
from dcign.configuration import ImageDescription
from dcign.errors import TrainingError


@dataclass(frozen=True, eq=False)
class LabelledBatches:
    """A split in memory.

    images (B, n, S, S, C) uint8; factors (B, n, F); kind (B,) the factor that varies, F for the identity, -1
    for anything else; mask (B, n, S, S) coverage 0..255 of the pixels, or None where the split has none.
    """

    images: NDArray[np.uint8]
    factors: NDArray[np.float32]
    kind: NDArray[np.int64]
    mask: NDArray[np.uint8] | None

    def chosen(self, batches: NDArray[np.intp]) -> "LabelledBatches":
        """Return some of the batches."""
        mask = None if self.mask is None else self.mask[batches]
        return LabelledBatches(self.images[batches], self.factors[batches], self.kind[batches], mask)


class DataSource:
    """A data set folder, described and read split by split."""

    def __init__(self, folder: str | Path) -> None:
        self._dataset = FaceDataset(Path(folder))
        self._folder = folder

    def labelled(self, split: str) -> LabelledBatches:
        """Read a whole split into memory."""
        loaded = self._dataset.load(split)
        return LabelledBatches(loaded.images, loaded.factors, self._kind(loaded), loaded.mask)

    def training(self) -> tuple[TrainingBatches, ImageDescription]:
        """Read the training split, and describe what the network is to be fitted to."""
        loaded = self._dataset.load("train")
        height, width, channels = loaded.images.shape[2:]
        if height != width:
            raise TrainingError(f"{self._folder} has images of {width} x {height} px: wanted square ones")
        factors = self._dataset.factors
        description = ImageDescription(
            size=height,
            channels=channels,
            factors=tuple(factor.name for factor in factors),
            units=tuple(factor.units for factor in factors),
            mirror_signs=tuple(factor.mirror_sign for factor in factors),
            data_sha256=self.sha256(),
        )
        return TrainingBatches(torch.from_numpy(loaded.images), self._kind(loaded)), description

    def sha256(self) -> str:
        """Return a hash of every shard of every split."""
        digest = hashlib.sha256()
        for split, entries in sorted(self._dataset.splits.items()):
            for entry in entries:
                digest.update(f"{split} {entry.sha256}\n".encode())
        return digest.hexdigest()

    def refuse_other_shards(self, description: ImageDescription, run: str | Path) -> None:
        """Raise unless these are the shards that a run was trained on."""
        if self.sha256() != description.data_sha256:
            raise TrainingError(f"{self._folder} holds other shards than {run} was trained on: name that data set")

    def refuse_missing(self, splits: Iterable[str]) -> None:
        """Raise unless the data set has these splits."""
        missing = [name for name in splits if not self._dataset.splits.get(name)]
        if missing:
            raise TrainingError(
                f"{self._folder} has no split {missing[0]!r}, which an evaluation takes its figures from: name a whole "
                "data set, as `dcign render` makes it"
            )

    def _kind(self, loaded: LoadedSplit) -> NDArray[np.int64]:
        """Turn the file's codes of what varies into places among the factors."""
        kind_of_code = np.full(256, -1, dtype=np.int64)
        names = [factor.name for factor in self._dataset.factors]
        for place, name in enumerate([*names, "identity"]):
            if name in VARIES:
                kind_of_code[VARIES[name]] = place
        return kind_of_code[loaded.varies]
