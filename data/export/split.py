"""A split as the exporters read it: batch by batch, and what all of its shards share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import IDENTITY_SOURCE, TRUTH, Batch, Factor
from dcign.data.shard.columns import Column
from dcign.data.shard.reader import Shard
from dcign.errors import DataError


@dataclass(frozen=True)
class SplitLayout:
    """What every shard of a split shares.

    batch_size: n; image_shape (H, W, C); kinds: what varies -> code; ranges: factor or nuisance -> (lowest, highest);
    attributes, nuisances: their names;
    truth: layer -> shape and dtype of one batch; truth_names, parts: as in `ShardHeader`; sources: the traits of people
    whose sources the shards name, in mix.
    """

    batch_size: int
    image_shape: tuple[int, int, int]
    kinds: dict[str, int]
    factors: tuple[Factor, ...]
    ranges: dict[str, tuple[float, float]]
    attributes: tuple[str, ...]
    nuisances: tuple[str, ...]
    truth: dict[str, Column]
    truth_names: dict[str, tuple[str, ...]]
    parts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class SplitSource:
    """One split of a data set, read in order; one batch is in memory at a time."""

    dataset: FaceDataset
    name: str
    batch_count: int
    layout: SplitLayout

    @property
    def image_count(self) -> int:
        """Return how many images there are: N."""
        return self.batch_count * self.layout.batch_size

    def shards(self) -> Iterator[Shard]:
        """Yield each shard, open; raise DataError, which names the shard that differs from the others, if one does."""
        for shard in self.dataset.shards(self.name):
            if _layout(shard) != self.layout:
                raise self.dataset.unlike_shard(self.name)
            yield shard

    def batches(self, *, truth: bool) -> Iterator[Batch]:
        """Yield each batch, with or without its truth layers."""
        for shard in self.shards():
            for row in range(len(shard)):
                yield shard.batch(row, truth=truth)


def split_source(dataset: FaceDataset, name: str) -> SplitSource:
    """Open a split.

    Raises DataError if the data set has none of that name, or its first shard cannot be read.
    """
    with closing(dataset.shards(name)) as shards:
        first = next(shards)
        layout = _layout(first)
    names = [factor.name for factor in layout.factors]
    if len({*names}) < len(names):
        raise DataError(f"{first.path} has factors {', '.join(names)}; expected different names: render it again.")
    return SplitSource(dataset, name, sum(entry.batches for entry in dataset.splits[name]), layout)


def _layout(shard: Shard) -> SplitLayout:
    header, columns = shard.header, shard.columns()
    return SplitLayout(
        shard.batch_size,
        shard.image_shape,
        header.codes,
        header.factors,
        header.ranges,
        header.attributes,
        tuple(sorted(shard.nuisances)),
        {name: columns[f"{TRUTH}/{name}"] for name in sorted(shard.truths)},
        header.truth_names,
        header.parts,
        header.traits if IDENTITY_SOURCE in columns else (),
    )
