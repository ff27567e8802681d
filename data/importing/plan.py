"""The plan of an import: which images make which batches of which split, and what is left out and why.

Everything follows from the labels and a seed; no image is read. N images, F factors, batches of n images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dcign.arrays import Bool, Float32, Int64
from dcign.data.importing.choice import Labels
from dcign.data.importing.cutting import LEAST, MOST, codes_of, cut, levels_per_image, lines, useful_size
from dcign.data.importing.holding_out import held_combinations, held_identities, held_images, wanted_images
from dcign.data.importing.sweep import sweep_batches
from dcign.data.schema import ALL, IDENTITY, Factor
from dcign.data.sources.exports import NO_BATCHES
from dcign.data.sources.source import Ready
from dcign.errors import DataError

FEW_IDENTITIES = 10  # below, whole people are not held out unless the user asks for it
# At most so many images of a split, as in the default of `dcign render`; of train, or as many as the source has.
MOST_IMAGES = {"train": 240_000, "test": 28_000, "iid": 10_000}


@dataclass(frozen=True)
class Settings:
    """How to plan.

    hold_out: identity, combinations, images, or None for the best possible; batch: images per batch.
    """

    seed: int = 0
    test_share: float = 0.1
    hold_out: str | None = None
    batch: int | None = None


@dataclass(frozen=True, eq=False)
class PlannedBatches:
    """Batches of one kind in one split: rows (B, n) of the source."""

    split: str
    varies: str
    rows: Int64


@dataclass(frozen=True, eq=False)
class Plan:
    """What to write.

    held_out: a sentence about the split; why: one about the size of batches; left_out: what is not used, and why.
    """

    factors: tuple[Factor, ...]
    values: Float32
    identity: Int64
    batches: tuple[PlannedBatches, ...]
    held_out: str
    why: str
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Images per batch."""
        return int(self.batches[0].rows.shape[1])

    @property
    def used(self) -> Int64:
        """The rows that any batch shows, ascending."""
        return np.unique(np.concatenate([each.rows.ravel() for each in self.batches]))

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of batches: what varies -> split -> batches."""
        found: dict[str, dict[str, int]] = {}
        for each in self.batches:
            held = found.setdefault(each.varies, {})
            held[each.split] = held.get(each.split, 0) + len(each.rows)
        return found


@dataclass(frozen=True, eq=False)
class _Axis:
    """One label that can vary alone: its name, the line of each image (N,), its level (N,), levels on the line (N,)."""

    name: str
    line: Int64
    level: Int64
    levels: Int64
    size: int = field(default=0)  # the largest useful one


def make_plan(labels: Labels, settings: Settings) -> Plan:
    """Plan the batches of labelled images.

    Raises DataError if there are too few images, or if what the user asks for is impossible.
    """
    axes, blocked = _axes(labels)
    if settings.batch is not None:
        blocked += [f"{a.name}: batches of {settings.batch} need more levels than most images have, {a.size}"
                    for a in axes if a.size < settings.batch]  # fmt: skip
        axes = [axis for axis in axes if axis.size >= settings.batch]
    identity, count = _who(labels, bool(axes)), len(labels.values)
    largest = settings.batch or min((axis.size for axis in axes), default=0) or _size_without_axes(count, settings)
    sizes = range(largest, (largest if settings.batch is not None else LEAST) - 1, -1)
    batches, held_out, size = _largest_batches(labels, identity, axes, sizes, settings)
    left_out = [*labels.left_out, *blocked, *_unused(batches, labels, axes)]
    why = _why(axes, size, largest, settings)
    return Plan(labels.factors, labels.values, identity, batches, held_out, why, tuple(left_out))


def _largest_batches(
    labels: Labels, identity: Int64, axes: Sequence[_Axis], sizes: Sequence[int], settings: Settings
) -> tuple[tuple[PlannedBatches, ...], str, int]:
    """Return batches of the largest size with which each split has some and train varies everything that can vary.

    If there is no such size: of the largest one with which each split has some. Also returns a sentence about what is
    held out, and the size.
    """
    wanted = {axis.name for axis in axes}
    second_best = None
    for size in sizes:
        if settings.hold_out == IDENTITY and size > sizes[-1] and _people(labels) < 2 * _least_people(axes, size):
            continue
        rng = np.random.default_rng(settings.seed)
        held, held_out = _held(labels, identity, axes, size, settings, rng)
        planned = [*_cut_splits(axes, held, size, rng), *_mixed("iid", held, size, rng)]
        if labels.identity is not None:
            planned += sweep_batches(labels, held, size, rng)
        found = tuple(PlannedBatches(*each) for each in planned if len(each[2]))
        if _empty(found):
            continue
        if wanted <= {each.varies for each in found if each.split == "train"}:
            return found, held_out, size
        second_best = second_best or (found, held_out, size)
    if second_best is None and settings.hold_out is None and any(not axis.line.any() for axis in axes):
        # An axis with one line alone, which combinations hold out whole.
        return _largest_batches(labels, identity, axes, sizes, replace(settings, hold_out="images"))
    if second_best is None:
        raise DataError(
            f"expected enough images for a batch of {sizes[-1]} of each of train, test and iid, found "
            f"{len(labels.values):,} images in all: add images, choose fewer factors, a smaller --batch or another "
            "--test-share or --hold-out."
        )
    return second_best


def kept_plan(labels: Labels, ready: Ready) -> Plan:
    """Return the plan of batches that the source has already, in their order."""
    batches = tuple(
        PlannedBatches(split, varies, ready.rows[place : place + 1])
        for place, (split, varies) in enumerate(zip(ready.splits, ready.varies, strict=True))
    )
    if not batches:
        raise DataError(NO_BATCHES)
    sentence = "as in the exported data set."
    return Plan(labels.factors, labels.values, ready.identity, batches, sentence, "as exported", labels.left_out)


def _axes(labels: Labels) -> tuple[list[_Axis], list[str]]:
    """Return the labels that can vary alone, and a sentence about each that cannot."""
    columns = [*labels.values.T, *([labels.identity] if labels.identity is not None else [])]
    codes = codes_of(columns)
    names = [factor.name for factor in labels.factors] + ([IDENTITY] if labels.identity is not None else [])
    with_people = [place for place, factor in enumerate(labels.factors) if factor.of_identity]
    found, blocked = [], []
    for place, name in enumerate(names):
        if place in with_people:
            blocked.append(f"no batches that vary {name}: each identity has only one {name}")
            continue
        free = [place, *with_people] if name == IDENTITY else [place]
        line, level = lines(codes, free), codes[:, place]
        size = useful_size(line, level)
        if size < LEAST:
            blocked.append(f"no batches that vary {name}: most images have no other that differs in {name} alone")
            continue
        found.append(_Axis(name, line, level, levels_per_image(line, level), size))
    return found, blocked


def _who(labels: Labels, cut: bool) -> Int64:
    """Return who is seen: as labelled; else in a grid nobody (0), in scattered labels somebody else each time."""
    if labels.identity is not None:
        return labels.identity
    count = len(labels.values)
    return np.zeros(count, np.int64) if cut else np.arange(count)


def _size_without_axes(count: int, settings: Settings) -> int:
    """Return how many images of scattered labels a batch has: 20, or fewer so that the held-out ones fill five."""
    return max(LEAST, min(MOST, wanted_images(count, settings.test_share) // 5))


def _held(
    labels: Labels, identity: Int64, axes: Sequence[_Axis], size: int, settings: Settings, rng: np.random.Generator
) -> tuple[Bool, str]:
    """Return which images train does not see (N,), and a sentence about it."""
    wanted = wanted_images(len(identity), settings.test_share)
    people, least = _people(labels), _least_people(axes, size)
    by = settings.hold_out or _best(people, least, bool(axes))
    if by == "identity":
        if people < 2 * least:
            raise DataError(
                f"expected {2 * least} identities or more, to hold out {least} of them, found {people}: choose another "
                "--hold-out, or name the columns that say who is seen with --identity."
            )
        held = held_identities(identity, wanted, least, rng)
        count = len(np.unique(identity[held]))
        return held, f"{count:,} of {people:,} identities, {held.sum():,} images."
    if by == "combinations":
        if not axes:
            raise DataError(
                "expected labels on a grid, to hold out combinations, found scattered ones: choose --hold-out images."
            )
        held = held_combinations([(axis.line, axis.levels) for axis in axes], size, wanted, rng)
        return held, f"{held.sum():,} images, with combinations of labels that train does not have."
    held = held_images(len(identity), wanted, rng)
    return held, f"{held.sum():,} random images."


def _people(labels: Labels) -> int:
    return 0 if labels.identity is None else len(np.unique(labels.identity))


def _least_people(axes: Sequence[_Axis], size: int) -> int:
    """Return how many identities each side of the split needs: with batches that vary who is seen, enough for one."""
    return size if any(axis.name == IDENTITY for axis in axes) else 1


def _best(people: int, least: int, grid: bool) -> str:
    """Return what to hold out: people if there are enough; else combinations in a grid, images elsewhere."""
    if people >= max(FEW_IDENTITIES, 4 * least):
        return "identity"
    return "combinations" if grid else "images"


Planned = tuple[str, str, Int64]


def _cut_splits(axes: Sequence[_Axis], held: Bool, size: int, rng: np.random.Generator) -> Iterator[Planned]:
    """Yield the batches of train and test: equal numbers of each kind where the source has them."""
    for split, chosen in (("train", ~held), ("test", held)):
        if not axes:
            yield from _mixed(split, chosen, size, rng)
            continue
        most = max(MOST_IMAGES[split], len(held) if split == "train" else 0) // size // len(axes)
        found = [(split, axis.name, cut(np.flatnonzero(chosen), axis.line, axis.level, size, rng)) for axis in axes]
        if split == "test" and not any(len(rows) for _, _, rows in found):
            found = _mixed(split, chosen, size, rng)  # single images of lines were held out
        for name, kind, rows in found:
            yield name, kind, rows[: max(most, 1)]


def _mixed(split: str, chosen: Bool, size: int, rng: np.random.Generator) -> list[Planned]:
    """Return batches of random images, none of them twice."""
    rows = rng.permutation(np.flatnonzero(chosen))
    most = MOST_IMAGES[split] if split != "train" else len(rows)
    rows = rows[: min(len(rows), most) // size * size]
    return [(split, ALL, rows.reshape(-1, size))]


def _empty(batches: Sequence[PlannedBatches]) -> bool:
    """Return whether a split has no batches."""
    return not {"train", "test", "iid"} <= {each.split for each in batches}


def _unused(batches: Sequence[PlannedBatches], labels: Labels, axes: Sequence[_Axis]) -> Iterator[str]:
    """Yield how many images no batch shows, and how many have the labels of another."""
    used = len(np.unique(np.concatenate([each.rows.ravel() for each in batches])))
    count = len(labels.values)
    if axes:
        codes = codes_of([axes[0].line, axes[0].level])
        twins = count - len(np.unique(codes, axis=0))
        if twins:
            yield f"{twins:,} images have the labels of another image: a batch shows one of them"
    if used < count:
        yield f"{count - used:,} of {count:,} images are in no batch: their lines are too short, or the splits are full"
    kinds = {each.varies for each in batches if each.split == "train"}
    for axis in axes:
        if axis.name not in kinds:
            yield f"no batches of train that vary {axis.name}: too few images are left beside those held out"


def _why(axes: Sequence[_Axis], size: int, largest: int, settings: Settings) -> str:
    if settings.batch is not None:
        return "as --batch says"
    if size < largest:
        return "the most with which each split has some"
    if not axes:
        return "as no label varies alone"
    if size == MOST:
        return "the most that a batch has"
    narrow = min(axes, key=lambda axis: axis.size)
    return f"as many levels as {narrow.name} has where all else is equal"
