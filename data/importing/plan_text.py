"""The plan of an import as text, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dcign.arrays import Float32
from dcign.data.importing.source_import import Import
from dcign.data.schema import Factor

SPLITS = ("train", "test", "iid", "sweep")
LONGEST_CLASSES = 60  # characters of the names of a factor's classes


def plan_text(made: Import) -> str:
    """Return what will be written, what is left out, and why."""
    return "\n".join([*_about(made), "", *_factors(made), "", *_batches(made), "", *_notes(made)])


def _about(made: Import) -> Iterator[str]:
    source, (side, _, channels) = made.source, made.shape
    high, wide, own = source.shape
    change = f", from {wide} x {high} px" if source.mixed or (high, wide) != (side, side) else ""
    colour = "gray" if channels == 1 else "colour"
    recoloured = "" if channels == own else ", from colour" if channels == 1 else ", from gray"
    yield f"{source.path}: {source.layout}, {source.count:,} images"
    yield f"images    {side} x {side} px{change}, {colour}{recoloured}"
    yield f"licence   {source.licence or 'not known: say it with --licence'}"


def _factors(made: Import) -> Iterator[str]:
    width = max(len(factor.name) for factor in made.labels.factors)
    for place, factor in enumerate(made.labels.factors):
        yield f"factor    {factor.name:{width}}  {_values(factor, made.labels.values[:, place])}"
    if made.labels.identity is None:
        yield "identity  none: no column says who is seen"
    else:
        columns = " and ".join(made.labels.identity_columns)
        yield f"identity  {columns}: {len(np.unique(made.labels.identity)):,} different"


def _values(factor: Factor, values: Float32) -> str:
    levels = np.unique(values)
    if factor.classes:
        names = ", ".join(factor.classes)
        text = (
            f"{len(levels)} classes: {names if len(names) <= LONGEST_CLASSES else names[: LONGEST_CLASSES - 3] + '...'}"
        )
    else:
        text = f"{len(levels):,} levels, {levels[0]:g} to {levels[-1]:g} {factor.plural}".rstrip()
    flags = [
        *(["circular"] if factor.circular else []),
        *(["negated in a mirror"] if factor.mirror_sign < 0 else []),
        *(["of the identity"] if factor.of_identity else []),
    ]
    return ", ".join([text, *flags])


def _batches(made: Import) -> Iterator[str]:
    plan = made.plan
    counts = plan.counts()
    width = max(map(len, counts))
    yield f"batches of {plan.size} images, {plan.why}"
    yield f"  {'varies':{width}}" + "".join(f"{split:>10}" for split in SPLITS)
    for kind, held in counts.items():
        yield f"  {kind:{width}}" + "".join(_cell(held.get(split, 0)) for split in SPLITS)


def _notes(made: Import) -> Iterator[str]:
    yield f"held out  {made.plan.held_out}"
    for sentence in (*made.plan.left_out, *made.source.left_out):
        yield f"left out  {sentence}"


def _cell(count: int) -> str:
    return f"{count:>10,}" if count else f"{'-':>10}"
