"""Does a shard keep its promise? Labels against `varies`, people against people, files against dataset.json.

Nothing is rendered here: that labels and pixels agree is `dcign.render.produce.redraw`'s to show, by rendering again.
What pixels say by themselves is in `dcign.data.check.smoothness`.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Bool, Float32, Str
from dcign.data.check.smoothness import pixel_faults
from dcign.data.damage import shown
from dcign.data.dataset.manifest import NAME, Manifest, ShardEntry
from dcign.data.dataset.reader import FaceDataset, Shard
from dcign.data.schema import MASK, configuration_sha256
from dcign.data.shard.truth_layers import missing_layers, truth_faults
from dcign.errors import DataError
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import to_path

EVALUATION_SPLITS = ("test", "iid", "sweep")
VARIES_IN_SPLIT = {"iid": "all", "sweep": "identity"}
NAMED_STRANGERS = 3  # people of a split who are in train too, that get a line each; the others are counted

Fault = tuple[int, str]  # row in the shard, what is wrong with it
BatchName = tuple[str, int]  # a shard's name, a batch's number
# Called with the number of batches checked so far, and of all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Finding:
    """One broken promise: in which shard, in which batch (None: the whole file), and what."""

    shard: str
    batch: int | None
    what: str

    def __str__(self) -> str:
        where = self.shard if self.batch is None else f"{self.shard}, batch {self.batch}"
        return f"{where}: {self.what}"


@dataclass
class People:
    """Who was seen so far: index -> digest of the coefficients, the inverse, and index -> where."""

    coefficients: dict[int, bytes] = field(default_factory=dict)
    indices: dict[bytes, int] = field(default_factory=dict)
    places: dict[int, tuple[BatchName, int]] = field(default_factory=dict)  # the first, and in how many batches


@dataclass
class BatchCounter:
    """Batches done of those of all shards; several threads count, and a shard may be longer than listed."""

    tell: Progress
    total: int
    done: int = 0
    lock: Lock = field(default_factory=Lock)

    def add(self, batches: int) -> None:
        """Count some more."""
        with self.lock:
            self.done += batches
            self.tell(self.done, self.total)


@dataclass(frozen=True)
class PixelCheck:
    """What takes time in a shard: its hash, and what is wrong with its pixels."""

    sha256: str
    faults: list[Fault]


def check_dataset(dataset: FaceDataset, *, workers: int = 1, progress: Progress | None = None) -> list[Finding]:
    """Every check of every shard, and those between shards: complete, unchanged, test people not in train.

    workers: threads that read pixels; progress is called after every batch. A shard that cannot be read is a finding.
    """
    listed = [entry for entries in dataset.splits.values() for entry in entries]
    meter = BatchCounter(progress or _untold, sum(entry.batches for entry in listed))
    findings = _folder_findings(dataset)
    people: dict[str, People] = {}
    with ThreadPoolExecutor(workers) as threads:
        pixels = [threads.submit(_check_pixels, dataset, entry, meter) for entry in listed]
        ready = iter(pixels)
        try:
            for split, entries in dataset.splits.items():
                people[split] = People()
                for entry in entries:
                    findings += _entry_findings(dataset, split, entry, people[split], next(ready).result)
        finally:
            threads.shutdown(cancel_futures=True)
    return findings + _strangers(dataset.folder, people)


def check_shard(
    shard: Shard | Path, dataset: FaceDataset | None = None, *, progress: Progress | None = None
) -> list[Finding]:
    """Every check of one shard; with `dataset`, also that it is the shard that dataset.json lists.

    progress is called after every batch.

    Raises DataError if the shard cannot be read.
    """
    opened = shard if isinstance(shard, Shard) else Shard(shard)
    tell = progress or _untold
    if dataset is None:
        with opened:
            meter = BatchCounter(tell, len(opened))
            faults = _pixel_faults(opened, functools.partial(meter.add, 1))
            return _shard_findings(opened, str(opened.path), People(), faults)
    for split, entries in dataset.splits.items():
        for entry in entries:
            if (dataset.folder / entry.file).resolve() == opened.path.resolve():
                check = functools.partial(_check_pixels, dataset, entry, BatchCounter(tell, entry.batches))
                return _entry_findings(dataset, split, entry, People(), check)
    return [Finding(str(opened.path), None, f"is not among the shards that {dataset.folder} lists")]


def _untold(done: int, total: int) -> None:
    """Nobody wants to know."""


def _check_pixels(dataset: FaceDataset, entry: ShardEntry, meter: BatchCounter) -> PixelCheck:
    """In a thread: one listed shard. However that ends and however long it is, its batches count as done."""
    left = entry.batches

    def count() -> None:
        nonlocal left
        if left:
            left -= 1
            meter.add(1)

    try:
        with dataset.shard(entry) as shard:
            return PixelCheck(file_sha256(shard.path), _pixel_faults(shard, count))
    finally:
        if left:
            meter.add(left)


def _entry_findings(
    dataset: FaceDataset, split: str, entry: ShardEntry, people: People, check: Callable[[], PixelCheck]
) -> list[Finding]:
    """One listed shard: there, unchanged, of this data set, and sound. check: gives what is slow to find out."""
    path = dataset.folder / entry.file
    name = str(path)
    try:
        with dataset.shard(entry) as shard:
            faults, pixels = list(_provenance_faults(dataset, split, entry, shard)), check()
            if pixels.sha256 != entry.sha256:
                faults.append("has another SHA-256 than dataset.json lists: its bytes were changed")
            found = [Finding(name, None, what) for what in faults]
            return found + _shard_findings(shard, name, people, pixels.faults)
    except DataError as error:
        return [Finding(name, None, _without_name(error, path))]


def _shard_findings(shard: Shard, name: str, people: People, pixels: list[Fault]) -> list[Finding]:
    _remember_places(shard, name, people)
    faults = [*_label_faults(shard), *_identity_faults(shard), *_people_faults(shard, people), *pixels]
    numbers, split = shard.numbers, shard.header.split
    found = [Finding(name, int(numbers[row]), what) for row, what in sorted(faults)]
    if split in EVALUATION_SPLITS and MASK not in shard.truths:
        found.insert(0, Finding(name, None, f"has no truth/{MASK}, which split {split} always has"))
    return found + [Finding(name, None, what) for what in missing_layers(shard.header.configuration, shard.truths)]


def _pixel_faults(shard: Shard, count: Callable[[], None]) -> list[Fault]:
    """What is wrong with a shard's pixels; `count` is called after each batch."""
    faults, labels, varies = [], _varying_labels(shard), shard.varies
    anything = shard.identity_shape is None  # may be seen: not only what is as round as a head
    for row in range(len(shard)):
        faults += [(row, what) for what in _batch_pixel_faults(shard, row, labels[row], varies[row], anything)]
        count()
    return faults


def _varying_labels(shard: Shard) -> list[Float32 | None]:
    """For each batch the labels (20,) of what varies; None where that is identity, everything, or not finite."""
    names = [factor.name for factor in shard.header.factors]
    columns = {name: shard.factors[..., index] for index, name in enumerate(names)}
    return [
        columns[varies][row] if varies in names and np.isfinite(columns[varies][row]).all() else None
        for row, varies in enumerate(shard.varies)
    ]


def _batch_pixel_faults(shard: Shard, row: int, labels: Float32 | None, varies: str, anything: bool) -> list[str]:
    """What is wrong with one batch's pixels; that they cannot be read, if so."""
    folds = anything and varies.startswith("light_")
    try:
        faults = pixel_faults(shard.images(row), labels, varies, folds=folds)
        layers = {name: shard.truth(name, row) for name in shard.truths}
    except DataError as error:
        return [_without_name(error, shard.path)]
    if MASK in layers:
        blank = ~layers[MASK].reshape(len(layers[MASK]), -1).any(axis=1)
        faults += [f"mask {image} is empty" for image in np.flatnonzero(blank)]
    return faults + list(truth_faults(layers, shard.header.truth_names))


def _label_faults(shard: Shard) -> Iterator[Fault]:
    """Labels: finite, in range, and constant in a batch unless they are what varies."""
    varies = np.array(shard.varies)
    columns = {factor.name: shard.factors[:, :, index] for index, factor in enumerate(shard.header.factors)}
    for name, values in columns.items():
        free = (varies == name) | (varies == "all")
        yield from _constancy_faults(name, values, varies, free)
        yield from _rows(free & _constant(values), f"{name} is the same in all its images")
    for name, values in shard.nuisances.items():
        yield from _constancy_faults(f"nuisance {name}", values, varies, varies == "all")
    for name, values in (columns | shard.nuisances).items():
        yield from _rows(_unreal(values), f"{name} is not a finite number in every image")
        yield from _range_faults(name, values, *shard.header.ranges.get(name, (-np.inf, np.inf)))
    wanted = VARIES_IN_SPLIT.get(shard.header.split)
    if wanted:
        yield from _rows(np.asarray(varies != wanted), f"does not vary {wanted}, as all of this split do")
    steps = shard.numbers - shard.numbers[0] - np.arange(len(shard))
    yield from _rows(steps != 0, "has a number out of the order of rows")


def _range_faults(name: str, values: Float32, low: float, high: float) -> Iterator[Fault]:
    outside = (values < np.float32(low)) | (values > np.float32(high))  # labels are rounded, and so are bounds
    for row in np.flatnonzero(outside.any(axis=1)):
        lowest, highest = values[row].min(), values[row].max()
        yield int(row), f"{name} runs from {lowest:.3f} to {highest:.3f}, outside {low:g} to {high:g}"


def _identity_faults(shard: Shard) -> Iterator[Fault]:
    """One person in a batch whose pose or light varies; twenty in one whose identity does."""
    varies = np.array(shard.varies)
    several = (varies == "identity") | (varies == "all")
    if shard.header.split == "sweep":
        strangers = (shard.identity_index != shard.identity_index[:1]).any(axis=1)
        yield from _rows(strangers, "has other identities than the sweep's first batch")
    known = {
        "identity index": shard.identity_index,
        "identity shape": shard.identity_shape,
        "identity albedo": shard.identity_albedo,
        "identity attributes": shard.identity_attributes,
    }
    for name, values in known.items():
        if values is None:
            continue
        yield from _constancy_faults(name, values, varies, several)
        repeated = np.array([len(np.unique(batch, axis=0)) < len(batch) for batch in values])
        yield from _rows((varies == "identity") & repeated, f"two of its images have the same {name}")
        yield from _rows(_unreal(values), f"{name} is not a finite number in every image")


def _remember_places(shard: Shard, name: str, people: People) -> None:
    """Write down where each person of the shard is first, and in how many batches."""
    for number, batch in zip(shard.numbers.tolist(), shard.identity_index, strict=True):
        where = (name, number)  # one for all of the batch, to remember many
        for person in np.unique(batch).tolist():
            first, count = people.places.get(person, (where, 0))
            people.places[person] = (first, count + 1)


def _people_faults(shard: Shard, people: People) -> Iterator[Fault]:
    """The same index means the same coefficients, and the same coefficients the same index."""
    indices = shard.identity_index
    known = (shard.identity_shape, shard.identity_albedo, shard.identity_attributes)
    parts: list[NDArray[Any]] = [part for part in known if part is not None]
    parts = parts or [indices[..., None]]
    for row, batch in enumerate(indices):
        for image, person in enumerate(batch.tolist()):
            face = _digest([part[row, image] for part in parts])
            known_face = people.coefficients.setdefault(person, face)
            known_person = people.indices.setdefault(face, person)
            if known_face != face:
                yield row, f"image {image} is of identity {person}, which has other coefficients elsewhere"
                break
            if known_person != person:
                yield row, f"image {image} is of identity {person}, whose coefficients are identity {known_person}'s"
                break


def _digest(values: list[NDArray[Any]]) -> bytes:
    """Short enough to remember a million people."""
    return hashlib.blake2b(b"".join(value.tobytes() for value in values), digest_size=16).digest()


def _strangers(folder: Path, people: dict[str, People]) -> list[Finding]:
    """People of an evaluation split who are in train too."""
    train = people.get("train", People())
    found = []
    for split in EVALUATION_SPLITS:
        seen = people.get(split, People())
        twins = {seen.indices[face]: train.indices[face] for face in seen.indices.keys() & train.indices.keys()}
        twins |= {person: person for person in seen.places.keys() & train.places.keys()}
        for person in sorted(twins)[:NAMED_STRANGERS]:
            (shard, number), _ = seen.places[person]
            where = _where(folder, *train.places[twins[person]])
            alias = "" if twins[person] == person else f", as identity {twins[person]}"
            found.append(Finding(shard, number, f"identity {person} is in {where}, too{alias}"))
        if len(twins) > NAMED_STRANGERS:
            more = f"{len(twins) - NAMED_STRANGERS} more of its identities are in train, too"
            found.append(Finding(str(folder / split), None, more))
    return found


def _where(folder: Path, first: BatchName, count: int) -> str:
    """The first of `count` places, as the folder names it, and how many others there are."""
    shard, number = first
    others = f" (and {count - 1} more)" if count > 1 else ""
    return f"{to_path(shard).relative_to(folder).as_posix()}, batch {number}{others}"


def _provenance_faults(dataset: FaceDataset, split: str, entry: ShardEntry, shard: Shard) -> Iterator[str]:
    """What of a shard's header is not what dataset.json says."""
    manifest, header = dataset.manifest, shard.header
    pairs: dict[str, tuple[Any, Any]] = {
        "split": (header.split, split),
        "seed": (header.seed, manifest.seed),
        "configuration hash": (header.configuration_sha256, manifest.configuration_sha256),
        "configuration": (header.configuration, manifest.configuration),
        "model hash": (header.model_sha256, manifest.model.get("sha256")),
        "renderer": (header.renderer, manifest.renderer),
        "factors": (header.factors, manifest.factors),
        "number of batches": (len(shard), entry.batches),
        "first batch": (int(shard.numbers[0]), entry.first),
        "size in bytes": (shard.path.stat().st_size, entry.bytes),
    }
    for name, (found, wanted) in pairs.items():
        if found != wanted:
            yield f"has {name} {_short(found)}; dataset.json says {_short(wanted)}"


def _folder_findings(dataset: FaceDataset) -> list[Finding]:
    """dataset.json against itself, the model's file, and shards that it does not list."""
    manifest, folder = dataset.manifest, dataset.folder
    found = []
    if configuration_sha256(manifest.configuration) != manifest.configuration_sha256:
        found.append(Finding(str(folder / NAME), None, "its configuration does not have the hash it gives"))
    model = str(manifest.model.get("file", ""))
    if model:
        found += [Finding(str(folder / model), None, what) for what in _model_faults(folder / model, manifest)]
    listed = {entry.file for entries in manifest.splits.values() for entry in entries}
    for path in sorted(folder.glob("*/*.h5")):
        name = path.relative_to(folder).as_posix()
        if name not in listed and not path.name.startswith("."):
            found.append(Finding(str(path), None, "is in the folder but not in dataset.json"))
    return found


def _model_faults(path: Path, manifest: Manifest) -> Iterator[str]:
    """Whether the model's file is there, and is the one that the shards were drawn with."""
    if not path.exists():
        yield f"is not there, though {NAME} names it: run `dcign render` again to make it"
        return
    try:
        if file_sha256(path) != manifest.model.get("sha256"):
            yield f"is not the model that {NAME} names"
    except DataError as error:
        yield _without_name(error, path)


def _constancy_faults(name: str, values: NDArray[Any], varies: Str, free: Bool) -> Iterator[Fault]:
    """Batches in which `values` (B, 20, ...) differ between images though they are not free to."""
    for row in np.flatnonzero(~free & ~_constant(values)):
        yield int(row), f"{name} differs between its images; only {varies[row]} may"


def _constant(values: NDArray[Any]) -> Bool:
    """Whether all 20 are exactly equal. (B, 20, ...) -> (B,)"""
    return np.asarray((values == values[:, :1]).reshape(len(values), -1).all(axis=1))


def _unreal(values: NDArray[Any]) -> Bool:
    """Whether a NaN or an infinity is among them. (B, 20, ...) -> (B,)"""
    return np.asarray(~np.isfinite(values).reshape(len(values), -1).all(axis=1))


def _rows(faulty: Bool, what: str) -> Iterator[Fault]:
    for row in np.flatnonzero(faulty):
        yield int(row), what


def _without_name(error: DataError, path: Path) -> str:
    """What an error says of a file, for a finding, which names the file itself."""
    return str(error).removeprefix(f"{path} ")


def _short(value: Any) -> str:  # Any: whatever is compared
    return shown(value)
