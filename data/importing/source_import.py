"""Import a source: open it, plan its batches, and write them as a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from dcign.data.dataset.new_batch import NewBatch
from dcign.data.dataset.writing import write_dataset
from dcign.data.importing.choice import Choice, Labels, chosen_labels, keeps_batches
from dcign.data.importing.plan import Plan, Settings, kept_plan, make_plan
from dcign.data.importing.spool import Spool, spooled
from dcign.data.sources.recognise import open_source
from dcign.data.sources.source import Source, wrong
from dcign.storage.atomic import write_errors
from dcign.storage.new_folder import refuse_taken

SMALLEST, LARGEST = 16, 1024  # pixels of a side
Progress = Callable[[str, float], None]  # the stage, and the fraction of it that is done


@dataclass(frozen=True, eq=False)
class Import:
    """A source, the plan for it, and the shape (S, S, C) that its images get."""

    source: Source
    labels: Labels
    plan: Plan
    shape: tuple[int, int, int]


def prepare_import(
    path: Path,
    choice: Choice,
    settings: Settings,
    *,
    size: int | None = None,
    channels: int | None = None,
) -> Import:
    """Read the labels of a source and plan its batches.

    size: of the square images; by default their own. channels: 1 or 3; by default their own.

    Raises DataError if anything of the source is wrong; the sentence names file and row.
    """
    source = open_source(path)
    labels = chosen_labels(source, choice)
    shape = _image_shape(source, size, channels)
    if source.ready is not None and keeps_batches(source, choice):
        _refuse_settings(source, settings)
        return Import(source, labels, kept_plan(labels, source.ready), shape)
    return Import(source, labels, make_plan(labels, settings), shape)


def run_import(made: Import, out: Path, *, name: str = "", licence: str = "", progress: Progress) -> int:
    """Write the data set into the new folder `out`; return the number of batches. At most 1 GB is in memory.

    name, licence: by default the source's own.

    Raises DataError if `out` exists, an image is damaged, or the disk refuses.
    """
    refuse_taken(out)
    source, plan = made.source, made.plan
    with write_errors(out):
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
    progress("hashing the source", 0.0)
    about = {
        "layout": source.layout,
        "file": source.path.resolve().name,
        "sha256": source.sha256(),
        "images": f"{source.count:,}",
        "not in train": plan.held_out,
        "left out": "; ".join((*plan.left_out, *source.left_out)) or "nothing",
    }
    total = sum(len(each.rows) for each in plan.batches)
    used, folder = plan.used, out.absolute().parent
    with spooled(source, used, made.shape, folder, lambda n, all_: progress("reading images", n / all_)) as spool:
        write_dataset(
            out,
            plan.factors,
            _batches(plan, spool),
            name=name or f"{source.path.resolve().name}, imported",
            licence=licence or source.licence,
            source=about,
            identities_known=made.labels.identity is not None,
            progress=lambda done: progress("writing batches", done / total),
        )
    return total


def _refuse_settings(source: Source, settings: Settings) -> None:
    """Raise DataError for options that kept batches cannot follow."""
    given = [f"--{each.name.replace('_', '-')}" for each in fields(Settings)
             if getattr(settings, each.name) != each.default]  # fmt: skip
    if given:
        raise wrong(source.path, "no options that plan batches, as those of an export are kept", ", ".join(given),
                    "leave them out, or choose --factors or --identity.")  # fmt: skip


def _image_shape(source: Source, size: int | None, channels: int | None) -> tuple[int, int, int]:
    """Return what the images become. Raises DataError if that needs a size that the user did not give."""
    high, wide, own = source.shape
    if size is None and source.mixed:
        raise wrong(
            source.mixed, f"{wide} x {high} px, as most pictures have", "another size", "cut and scale all with --size."
        )
    if size is None and high != wide:
        raise wrong(source.path, "square images", f"{wide} x {high} px", "cut and scale them with --size.")
    side = size or high
    if not SMALLEST <= side <= LARGEST:
        raise wrong(source.path, f"images of {SMALLEST} to {LARGEST} px", f"{side} px", "scale them with --size.")
    return side, side, channels or own


def _batches(plan: Plan, spool: Spool) -> Iterator[NewBatch]:
    """Yield the batches split by split, the kinds of a split in turns."""
    for split in dict.fromkeys(each.split for each in plan.batches):
        kinds = [each for each in plan.batches if each.split == split]
        longest = max(len(each.rows) for each in kinds)
        order = [
            (number * longest / len(each.rows), each, number) for each in kinds for number in range(len(each.rows))
        ]
        if len({len(each.rows) for each in kinds}) > 1 or longest > 1:
            order.sort(key=lambda entry: entry[0])
        for _, each, number in order:
            rows = each.rows[number]
            yield NewBatch(split, each.varies, spool.images(rows), plan.values[rows], plan.identity[rows])
