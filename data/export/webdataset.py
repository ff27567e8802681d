"""webdataset: numbered SPLIT-000000.tar, in which each image is KEY.png followed by KEY.json.

Truth layers follow as KEY.LAYER.png or KEY.LAYER.npy.

The same data set gives the same bytes: the tars have no times and no owners.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path

from dcign.data.export.labels import image_labels
from dcign.data.export.png_bytes import png_bytes
from dcign.data.export.split import SplitSource
from dcign.data.export.truth import layer_file
from dcign.data.schema import Batch
from dcign.storage.atomic import atomic_file


def write_tars(split: SplitSource, batches: Iterable[Batch], folder: Path, tar_batches: int) -> None:
    """Write a split as tars of `tar_batches` batches; the last may have fewer."""
    left = iter(batches)
    for number, first in enumerate(left):
        with (
            atomic_file(folder / f"{split.name}-{number:06d}.tar") as part,
            tarfile.open(fileobj=part, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for batch in chain([first], islice(left, tar_batches - 1)):
                _add_batch(tar, split, batch)
                part.check()


def _add_batch(tar: tarfile.TarFile, split: SplitSource, batch: Batch) -> None:
    for image in range(len(batch.images)):
        key = f"{split.name}-{batch.number:06d}-{image:02d}"  # no dot: webdataset ends a key at its first dot
        labels = json.dumps(image_labels(split.layout, batch, image), allow_nan=False)
        files = [("png", png_bytes(batch.images[image])), ("json", labels.encode())]
        for layer, values in batch.truth.items():
            kind, content = layer_file(values[image])
            files.append((f"{layer}.{kind}", content))
        for extension, content in files:
            entry = tarfile.TarInfo(f"{key}.{extension}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
