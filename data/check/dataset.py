"""Check a data set or a shard: files against dataset.json, labels, people and pixels.

Nothing is rendered here: `dcign.render.produce.verification` shows that labels and pixels agree, by rendering again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Lock

import numpy as np

from dcign.arrays import Float32
from dcign.data.check.people import EVALUATION_SPLITS, People, people_in_train
from dcign.data.check.smoothness import pixel_faults
from dcign.data.dataset.listed import CHANGED, Listed, header_faults, listed_beside
from dcign.data.dataset.manifest import NAME, Manifest, ShardEntry
from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import IDENTITY_SHAPE, MASK, RENDERED, configuration_sha256
from dcign.data.shard.findings import Fault, Finding, without_name
from dcign.data.shard.labels import identity_faults, label_faults, value_faults
from dcign.data.shard.reader import Shard
from dcign.data.shard.truth_layers import missing_layers, truth_faults
from dcign.errors import DataError
from dcign.storage.atomic import file_sha256

Progress = Callable[[int, int], None]  # batches checked so far, batches to check
ShardCheck = Callable[[Shard], Iterable[Finding]]  # what else is wrong with a shard's header or labels
PixelCheck = tuple[str, list[Fault]]  # the slow part of a shard's check: its SHA-256, and what is wrong with its pixels


@dataclass
class _BatchCounter:
    """Counts checked batches over all shards, from several threads."""

    progress: Progress | None
    total: int
    done: int = 0
    lock: Lock = field(default_factory=Lock)

    def add(self) -> None:
        """Count one more and report."""
        with self.lock:
            self.done += 1
            if self.progress is not None:
                self.progress(self.done, self.total)


def nothing_more(shard: Shard) -> Iterable[Finding]:
    """Find nothing else wrong with a shard."""
    return ()


def check_dataset(
    dataset: FaceDataset, *, workers: int = 1, progress: Progress | None = None, also: ShardCheck = nothing_more
) -> list[Finding]:
    """Check every shard, and that the shards are complete, unchanged, and share no people between train and test.

    workers: threads that read pixels; progress is called after every batch; also: yields what else is wrong with a
    shard. A shard that cannot be read is a finding.
    """
    listed = [entry for entries in dataset.splits.values() for entry in entries]
    counter = _BatchCounter(progress, sum(entry.batches for entry in listed))
    findings = _folder_findings(dataset)
    people: dict[str, People] = {}
    with ThreadPoolExecutor(workers) as threads:
        pixels = iter([threads.submit(_check_pixels, dataset, entry, counter) for entry in listed])
        try:
            for split, entries in dataset.splits.items():
                people[split] = People()
                for entry in entries:
                    findings += _entry_findings(dataset, split, entry, people[split], next(pixels).result, also)
        finally:
            threads.shutdown(cancel_futures=True)
    return findings + list(people_in_train(dataset.folder, people))


def check_shard(path: Path, *, progress: Progress | None = None, also: ShardCheck = nothing_more) -> list[Finding]:
    """Check one shard, also against the dataset.json of its folder if that lists it.

    progress, also: as in `check_dataset`. Raises DataError if the shard cannot be read.
    """
    with Shard(path) as shard:
        counter = _BatchCounter(progress, len(shard))
        found = _header_findings(shard, str(path), listed_beside(path), shard.sha256(), also)
        return found + _shard_findings(shard, str(path), People(), _all_pixel_faults(shard, counter.add))


def _check_pixels(dataset: FaceDataset, entry: ShardEntry, counter: _BatchCounter) -> PixelCheck:
    """Check a listed shard's pixels in a thread; count the batches that are listed, whatever happens."""
    left = iter(range(entry.batches))

    def count() -> None:
        for _ in islice(left, 1):
            counter.add()

    try:
        with dataset.shard(entry) as shard:
            return shard.sha256(), _all_pixel_faults(shard, count)
    finally:
        for _ in left:
            counter.add()


def _entry_findings(
    dataset: FaceDataset,
    split: str,
    entry: ShardEntry,
    people: People,
    check: Callable[[], PixelCheck],
    also: ShardCheck,
) -> list[Finding]:
    """Check one listed shard: present, unchanged, of this data set, and correct. check: does the slow part."""
    path = dataset.folder / entry.file
    name = str(path)
    try:
        with dataset.shard(entry) as shard:
            sha256, pixels = check()
            found = _header_findings(shard, name, Listed(dataset.manifest, split, entry), sha256, also)
            return found + _shard_findings(shard, name, people, pixels)
    except DataError as error:
        return [Finding(name, None, without_name(error, path))]


def _header_findings(shard: Shard, name: str, listed: Listed | None, sha256: str, also: ShardCheck) -> list[Finding]:
    """Return where a shard differs from dataset.json, if one lists it, and what else is wrong with its header."""
    faults = [*header_faults(shard, listed)] if listed else []
    faults += [f"has {what}, which shards do not have" for what in shard.unknown]
    changed = [CHANGED] if listed and sha256 != listed.entry.sha256 else []
    return [
        *(Finding(name, None, what) for what in faults),
        *also(shard),
        *(Finding(name, None, what) for what in changed),
    ]


def _shard_findings(shard: Shard, name: str, people: People, pixels: list[Fault]) -> list[Finding]:
    faults = [*people.add(shard, name), *value_faults(shard), *label_faults(shard), *identity_faults(shard), *pixels]
    numbers, split, rendered = shard.numbers, shard.header.split, shard.header.version == RENDERED
    found = [Finding(name, int(numbers[row]), what) for row, what in sorted(faults)]
    if rendered and split in EVALUATION_SPLITS and MASK not in shard.truths:
        found.insert(0, Finding(name, None, f"has no truth/{MASK}, which split {split} always has"))
    return found + [Finding(name, None, what) for what in missing_layers(shard.header.configuration, shard.truths)]


def _all_pixel_faults(shard: Shard, count: Callable[[], None]) -> list[Fault]:
    """Return what is wrong with a shard's pixels; call `count` after each batch."""
    faults, labels = [], _varying_labels(shard)
    for row, varies in enumerate(shard.varies):
        faults += [(row, what) for what in _batch_pixel_faults(shard, row, labels[row], varies)]
        count()
    return faults


def _varying_labels(shard: Shard) -> list[Float32 | None]:
    """Return for each batch the labels (20,) of what varies; None if that is identity, everything, or not finite."""
    known = shard.labels
    return [
        known[varies][row] if varies in known and np.isfinite(known[varies][row]).all() else None
        for row, varies in enumerate(shard.varies)
    ]


def _batch_pixel_faults(shard: Shard, row: int, labels: Float32 | None, varies: str) -> list[str]:
    """Return what is wrong with one batch's pixels, or why they cannot be read."""
    of_objects = IDENTITY_SHAPE not in shard.columns()
    # Two objects may look the same, and one from several sides or in any light from behind: only people are compared.
    alike = of_objects or varies == "hair" or shard.header.split == "mix"  # two bald heads of different hair are alike
    try:
        images = shard.images(row)
        # What other pictures may look like is unknown: blank, equal, in any order.
        rendered = shard.header.version == RENDERED
        faults = pixel_faults(images, None if of_objects else labels, varies, alike=alike) if rendered else []
        layers = {name: shard.truth(name, row) for name in shard.truths}
    except DataError as error:
        return [without_name(error, shard.path)]
    if MASK in layers and rendered:
        blank = ~layers[MASK].reshape(len(layers[MASK]), -1).any(axis=1)
        faults += [f"mask {image} is empty" for image in np.flatnonzero(blank)]
    return faults + list(truth_faults(layers, shard.header.truth_names))


def _folder_findings(dataset: FaceDataset) -> list[Finding]:
    """Check dataset.json against its own hash, the model's file, and shards that are not listed."""
    manifest, folder = dataset.manifest, dataset.folder
    found = []
    if configuration_sha256(manifest.configuration) != manifest.configuration_sha256:
        found.append(Finding(str(folder / NAME), None, "its configuration does not have the hash that it gives"))
    model = str(manifest.model.get("file", ""))
    if model:
        found += [Finding(str(folder / model), None, what) for what in _model_faults(folder / model, manifest)]
    listed = {entry.file for entries in manifest.splits.values() for entry in entries}
    for path in sorted(folder.glob("*/*.h5")):
        if path.relative_to(folder).as_posix() not in listed and not path.name.startswith("."):
            found.append(Finding(str(path), None, "is in the folder but not in dataset.json"))
    return found


def _model_faults(path: Path, manifest: Manifest) -> Iterator[str]:
    """Check that the model's file is there, and is the one that the shards were rendered with."""
    if not path.exists():
        yield f"is not there, though {NAME} names it: run `dcign render` again to make it"
        return
    try:
        if file_sha256(path) != manifest.model.get("sha256"):
            yield f"is not the model that {NAME} names"
    except DataError as error:
        yield without_name(error, path)
