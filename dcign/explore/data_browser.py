"""A data set as the page needs it: which batches there are, their labels, their pictures and their truth layers."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dcign.arrays import Bool, Float32, Int64, UInt8
from dcign.data.dataset.manifest import ShardEntry
from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import MORE_FACTORS, RENDERED, Batch
from dcign.data.shard.truth_layers import as_pictures
from dcign.errors import DataError

Json = dict[str, Any]
Ranges = Mapping[str, tuple[float, float]]  # label -> lowest and highest value that is kept
PAGE = 8  # batches
BINS = 24
EXAMPLES = 12
PEOPLE_BATCHES = 12
SEARCHED = 3  # shards in which examples are looked for
SEVERAL = ("identity", "all")  # what varies in batches of different people
TURNED = ("azimuth", "elevation", "light_azimuth")  # with all near 0, a face is seen and lit from the front
IMAGES = "images"  # the layer that is no truth layer
FIRST_SPLITS = ("test", "iid", "sweep", "mix", "train")  # unseen people first
UNITS = {factor.name: factor.plural for factor in MORE_FACTORS}


@dataclass(frozen=True, eq=False)
class SplitLabels:
    """All labels of a split, n images per batch: varies (B,) names; columns: label -> (B, n); people (B, n)."""

    varies: tuple[str, ...]
    columns: dict[str, Float32]
    people: Int64

    def matching(self, kind: str, ranges: Ranges) -> Bool:
        """Return which images (B, n) are of batches of a kind, "" for any, and within the ranges of all labels."""
        kept = np.ones(self.people.shape, np.bool_)
        if kind:
            kept &= np.array([name == kind for name in self.varies])[:, None]
        for name, (low, high) in ranges.items():
            if name not in self.columns:
                raise DataError(f"expected a label of the split, found {name!r}: choose {', '.join(self.columns)}.")
            kept &= (self.columns[name] >= low) & (self.columns[name] <= high)
        return kept


class DataBrowser:
    """Reads a data set folder, one batch or the labels of one split at a time. Use it from one thread."""

    def __init__(self, folder: Path) -> None:
        self.dataset = FaceDataset(folder)
        self._labels: dict[str, SplitLabels] = {}

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """The splits that hold batches, those of unseen people first."""
        held = self.dataset.splits
        return tuple(name for name in FIRST_SPLITS if held.get(name))

    @cached_property
    def rendered(self) -> bool:
        """Whether `dcign render` made the data set, so that the renderer can draw its people or objects."""
        split = self.splits[0]
        with self.dataset.opened(split, self.dataset.splits[split][0]) as shard:
            return shard.header.version == RENDERED

    def describe(self) -> Json:
        """Return what the page needs to know about the data set, without reading its images."""
        first = self.splits[0]
        entry = self.dataset.splits[first][0]
        with self.dataset.opened(first, entry) as shard:
            size, _, channels = shard.image_shape
            heads = self.rendered and shard.identity_shape is not None
            cuts = str(self.dataset.manifest.model.get("hair_cuts", ""))
        return {
            "name": self.dataset.folder.resolve().name,
            "model": self.dataset.manifest.model.get("name", ""),
            "licence": self.dataset.manifest.model.get("licence", ""),
            "size": size,
            "channels": channels,
            "heads": heads,
            "cuts": [text.partition(" ")[2] for text in cuts.split("; ")] if cuts else [],
            "units": UNITS | {factor.name: factor.plural for factor in self.dataset.factors},
            "factors": [factor.name for factor in self.dataset.factors],
            "classes": {factor.name: factor.classes for factor in self.dataset.factors if factor.classes},
            "splits": [self._describe_split(name) for name in self.splits],
        }

    def labels(self, split: str) -> SplitLabels:
        """Return the labels of a split, read once. Raises DataError if there is no such split."""
        if split not in self._labels:
            self._labels[split] = self._read_labels(split)
        return self._labels[split]

    def find(self, split: str, kind: str, ranges: Ranges, first: int) -> Json:
        """Return a page of the batches of which an image matches, from the `first` of them on."""
        labels = self.labels(split)
        kept = labels.matching(kind, ranges)
        rows = np.flatnonzero(kept.any(axis=1))
        return {
            "total": len(rows),
            "images": int(kept.sum()),
            "kinds": dict(Counter(labels.varies)),
            "batches": [
                {
                    "batch": int(row),
                    "varies": labels.varies[row],
                    "kept": kept[row].tolist(),
                    "people": labels.people[row].tolist(),
                    "labels": {name: np.round(values[row], 3).tolist() for name, values in labels.columns.items()},
                }
                for row in rows[first : first + PAGE]
            ],
        }

    def histograms(self, split: str, kind: str, ranges: Ranges) -> list[Json]:
        """Return how often each label takes which values, over all images of the split and over those that match."""
        labels = self.labels(split)
        kept = labels.matching(kind, ranges)
        found = []
        for name, values in labels.columns.items():
            low, high = float(values.min()), float(values.max())
            edges = np.linspace(low, high, BINS + 1) if high > low else np.array([low - 0.5, low + 0.5])
            counts, everything = (np.histogram(each, edges)[0].tolist() for each in (values[kept], values))
            found.append({"name": name, "edges": edges.tolist(), "counts": counts, "all": everything})
        return found

    def batch(self, split: str, number: int, *, truth: bool = False) -> Batch:
        """Return a batch by its place in the split. Raises DataError if there is none."""
        entry, row = self._place(split, number)
        with self.dataset.opened(split, entry) as shard:
            return shard.batch(row, truth=truth)

    def batch_of_image(self, split: str, number: int, column: int) -> Batch:
        """Return the batch of an image. Raises DataError if there is no such image."""
        batch = self.batch(split, number)
        last = len(batch.images) - 1
        if not 0 <= column <= last:
            raise DataError(f"expected an image from 0 to {last}, found {column}: choose one of the batch.")
        return batch

    def strip(self, split: str, number: int, layer: str) -> bytes:
        """Return the pictures of a batch, or of one of its truth layers, side by side as a PNG."""
        entry, row = self._place(split, number)
        with self.dataset.opened(split, entry) as shard:
            pictures = shard.images(row)
            if layer != IMAGES:
                pictures = as_pictures(layer, shard.truth(layer, row), pictures)
        return _strip(pictures)

    def examples(self, count: int = EXAMPLES) -> list[tuple[str, UInt8]]:
        """Return different people, most from the front: name, SPLIT/BATCH/IMAGE, and picture (S, S, C)."""
        split = self.splits[0]
        best: tuple[float, int] | None = None
        first = 0
        for entry in self.dataset.splits[split][:SEARCHED]:
            with self.dataset.opened(split, entry) as shard:
                named = [shard.labels[name] for name in TURNED if name in shard.labels]
                turns = [float(np.abs([values[row] for values in named] or [0]).max()) for row in range(len(shard))]
                rows = [row for row, kind in enumerate(shard.varies) if kind in SEVERAL]
            best = min([(turns[row], first + row) for row in rows] + ([best] if best else []), default=None)
            first += entry.batches
        batch = best[1] if best else 0
        images = self.batch(split, batch).images[: count if best else 1]
        return [(f"{split}/{batch}/{column}", image) for column, image in enumerate(images)]

    def people(self) -> UInt8:
        """Return pictures of different people at different factors: (N, S, S, C)."""
        split = next(name for name in ("iid", *self.splits) if name in self.splits)
        entry = self.dataset.splits[split][0]
        with self.dataset.opened(split, entry) as shard:
            rows = [row for row, kind in enumerate(shard.varies) if kind in SEVERAL] or list(range(len(shard)))
            return np.concatenate([shard.images(row) for row in rows[:PEOPLE_BATCHES]])

    def image(self, split: str, number: int, column: int) -> tuple[UInt8, dict[str, float]]:
        """Return one picture (S, S, C) and its labels."""
        batch = self.batch_of_image(split, number, column)
        columns = self.labels(split).columns
        return batch.images[column], {name: float(values[number, column]) for name, values in columns.items()}

    def _describe_split(self, name: str) -> Json:
        entries = self.dataset.splits[name]
        with self.dataset.opened(name, entries[0]) as shard:
            found = {*shard.varies}  # other shards may hold more kinds: `find` names those of the whole split
            layers, kinds = shard.truths, [kind for kind in shard.header.codes if kind in found]
        return {
            "name": name,
            "batches": sum(entry.batches for entry in entries),
            "kinds": kinds,
            "layers": list(layers),
        }

    def _read_labels(self, split: str) -> SplitLabels:
        varies: list[str] = []
        columns: dict[str, list[Float32]] = {}
        people = []
        for shard in self.dataset.shards(split):
            varies += shard.varies
            people.append(shard.identity_index)
            about = shard.identity_attributes
            attributes = (
                {} if about is None else dict(zip(shard.header.attributes, np.moveaxis(about, 2, 0), strict=True))
            )
            for name, values in (attributes | shard.nuisances | shard.labels).items():
                columns.setdefault(name, []).append(values)
        joined = {name: np.concatenate(columns[name]) for name in _in_order(columns, self.dataset.factors)}
        return SplitLabels(tuple(varies), joined, np.concatenate(people))

    def _place(self, split: str, number: int) -> tuple[ShardEntry, int]:
        """Return the shard of a batch of a split, and its row there."""
        left = number
        for entry in self.dataset.splits.get(split, []):
            if 0 <= left < entry.batches:
                return entry, left
            left -= entry.batches
        raise DataError(
            f"expected a batch of {self.dataset.folder}, found {split}/{number}: choose one of the splits "
            f"{', '.join(self.splits)}."
        )


def _in_order(columns: Mapping[str, object], factors: Sequence[Any]) -> Iterator[str]:  # Factor
    """Yield the names of labels, factors first."""
    first = [factor.name for factor in factors]
    yield from first
    yield from (name for name in columns if name not in first)


def _strip(pictures: UInt8) -> bytes:
    """Return pictures (N, H, W, C) side by side as a PNG."""
    row = np.concatenate(list(pictures), axis=1)
    content = io.BytesIO()
    Image.fromarray(row[..., 0] if row.shape[-1] == 1 else row).save(content, "PNG", compress_level=1)
    return content.getvalue()
