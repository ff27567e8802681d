"""Write a data set of format version 2 from arrays: anybody's images, batch by batch.

The folder appears under its name when it is complete. One shard per split is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dcign.data.damage import shown
from dcign.data.dataset.contact_sheet import write_sheet
from dcign.data.dataset.manifest import Manifest, ShardEntry, write_manifest
from dcign.data.dataset.new_batch import SPLITS, BatchCheck, NewBatch, refuse_factors
from dcign.data.dataset.reader import FaceDataset
from dcign.data.dataset.written_card import SplitTally, written_card
from dcign.data.schema import IMPORTED, Batch, Factor, ShardHeader, configuration_sha256
from dcign.data.shard.writer import write_shard
from dcign.errors import DataError
from dcign.storage.atomic import write_atomic
from dcign.storage.new_folder import temporary_folder

SHARD_BATCHES, SHARD_BYTES = 2000, 64 << 20  # at most, of pixels before compression

Progress = Callable[[int], None]  # batches written so far


def write_dataset(
    out: Path | str,
    factors: Sequence[Factor],
    batches: Iterable[NewBatch],
    *,
    name: str,
    licence: str = "",
    source: Mapping[str, str] | None = None,
    identities_known: bool = True,
    progress: Progress | None = None,
) -> FaceDataset:
    """Write a data set that every command of dcign accepts, and return it.

    Parameters
    ----------
    out
        The new folder. It appears when it is complete; on any exception nothing is left.
    factors
        The columns of the labels: numbers, classes (`Factor.classes`) or angles (`Factor.circular`).
    batches
        Taken one by one, in any order of splits. Splits other than train may be missing.
    name, licence, source
        What the data are, under which licence, and where they came from, such as file names and their SHA-256. They
        go into dataset.json, each shard and the data card.
    identities_known
        Whether the numbers of identities say who or what is seen. If not, the data card says so.
    progress
        Called with the number of batches written, after each.

    Raises DataError if the folder exists, a factor or a batch is not as expected, or the disk refuses. The sentence
    names the batch, counted from 0 in the order given, and the column.
    """
    folder, factors = Path(out), tuple(factors)
    refuse_factors(factors)
    if not name.strip() or not name.isprintable():
        raise DataError(f"expected a name of the data set on one line, found {shown(repr(name))}: give it one.")
    header = _header(factors, {"name": name, "licence": licence, "source": dict(source or {})})
    with temporary_folder(folder) as part:
        splits = {split: _SplitWriter(part, replace(header, split=split)) for split in SPLITS}
        check = BatchCheck(factors)
        for number, new in enumerate(batches):
            split = splits.get(new.split, splits["train"])
            split.add(check.checked(new, number, split.tally.batches))
            if progress is not None:
                progress(number + 1)
        for split in splits.values():
            split.flush()
        written = {name: split for name, split in splits.items() if split.tally.batches}
        if not written:
            raise DataError(f"expected batches to write into {folder}, found none: give at least one.")
        manifest = Manifest(
            configuration=header.configuration,
            configuration_sha256=header.configuration_sha256,
            seed=header.seed,
            model={key: value for key, value in (("name", name), ("licence", licence)) if value},
            renderer=header.renderer,
            splits={name: tuple(split.entries) for name, split in written.items()},
            factors=factors,
        )
        write_manifest(part, manifest)
        card = written_card(manifest, {name: split.tally for name, split in written.items()}, identities_known)
        write_atomic(part / "README.md", card.encode())
        write_sheet(part, part / "preview.png", of_each_kind=1)
    return FaceDataset(folder)


def _header(factors: tuple[Factor, ...], about: dict[str, object]) -> ShardHeader:
    """Return the header of all shards but for their split."""
    return ShardHeader(
        split="",
        seed=0,
        configuration=about,
        configuration_sha256=configuration_sha256(about),
        model_sha256="",
        renderer={},
        ranges={factor.name: (0.0, len(factor.classes) - 1.0) for factor in factors if factor.classes},
        camera={},
        factors=factors,
        version=IMPORTED,
    )


class _SplitWriter:
    """The shards of one split: gathers batches and writes each full shard."""

    def __init__(self, folder: Path, header: ShardHeader) -> None:
        self.entries: list[ShardEntry] = []
        self.tally = SplitTally(header.factors)
        self._folder, self._header = folder, header
        self._batches: list[Batch] = []

    def add(self, batch: Batch) -> None:
        """Take one more batch."""
        self._batches.append(batch)
        self.tally.add(batch)
        size = sum(layer.nbytes for layer in (batch.images, *batch.truth.values()))
        if len(self._batches) == SHARD_BATCHES or len(self._batches) * size >= SHARD_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the batches that are left as a shard."""
        if not self._batches:
            return
        file = f"{self._header.split}/shard-{len(self.entries):05d}.h5"
        path, count = self._folder / file, len(self._batches)
        digest = write_shard(path, self._header, self._batches, count)
        self.entries.append(ShardEntry(file, count, self._batches[0].number, digest, path.stat().st_size))
        self._batches = []
