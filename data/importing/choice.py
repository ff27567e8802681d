"""Which columns of a source are factors, which say who is seen, and of what kind each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dcign.arrays import Float32, Int64
from dcign.data.schema import Factor
from dcign.data.sources.source import ANGLES, Column, Source, also, wrong
from dcign.errors import DataError

EXACT = 2**53  # below, each whole number is a float64


@dataclass(frozen=True)
class Choice:
    """What the user says of the columns; what is None is left to the source.

    circular, categorical: names of factors; units: name -> unit; mirror: name -> -1 or 1.
    """

    factors: tuple[str, ...] | None = None
    identity: tuple[str, ...] | None = None
    circular: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    mirror: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of N images: factors, their values (N, F), and who is seen (N,), or None where nothing says so.

    left_out: sentences about columns that are not used.
    """

    factors: tuple[Factor, ...]
    values: Float32
    identity: Int64 | None
    identity_columns: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def chosen_labels(source: Source, choice: Choice) -> Labels:
    """Return the labels of a source as the user chose them.

    Raises DataError for a column that is not there, contradictions, and a used label that is not finite, with its row.
    """
    _refuse_unknown(source, choice)
    who = source.identity if choice.identity is None else choice.identity
    names = source.factors if choice.factors is None else choice.factors
    names = tuple(name for name in names if name not in who)
    as_texts = {*who, *choice.categorical}
    columns = {name: each.as_written() if name in as_texts else each for name, each in source.columns.items()}
    for name in (*names, *who):
        _refuse_gaps(source, columns[name])
    chosen = [_as_chosen(columns[name], choice) for name in names]
    chosen = [column for column in chosen if np.ptp(column.values.astype(np.float32)) > 0]
    if not chosen:
        held = ", ".join(source.columns) or "none"
        raise wrong(source.path, "a column of labels with two values or more", held, "choose --factors, or add labels.")
    identity = _identity([columns[name] for name in who]) if who else None
    values = np.column_stack([column.values for column in chosen]).astype(np.float32)
    varying = {column.name for column in chosen}
    constant = [f"{name}: the same in all images, as float32" for name in names if name not in varying]
    unused = [name for name in source.columns if name not in names and name not in who]
    left_out = [*constant, *([f"columns that are no factors: {', '.join(unused)}"] if unused else [])]
    people = None if keeps_batches(source, choice) else identity
    factors = tuple(_of_identity(column.factor, values[:, n], people) for n, column in enumerate(chosen))
    return Labels(factors, values, identity, who, tuple(left_out))


def keeps_batches(source: Source, choice: Choice) -> bool:
    """Return whether the batches that a source has are kept: unless the user chooses factors, or who is seen."""
    return source.ready is not None and choice.factors is None and choice.identity is None


def _refuse_unknown(source: Source, choice: Choice) -> None:
    """Raise DataError for names that are no columns, and for kinds that exclude each other."""
    given = [*(choice.factors or ()), *(choice.identity or ()), *choice.circular, *choice.categorical,
             *choice.units, *choice.mirror]  # fmt: skip
    for name in given:
        if name not in source.columns:
            held = ", ".join(source.columns) or "no columns"
            raise wrong(source.path, f"a column {name}, as the options name it", held, "correct the name.")
    for one, other, what in (
        (choice.circular, choice.categorical, "--circular or --categorical"),
        (choice.factors or (), choice.identity or (), "--factors or --identity"),
    ):
        if both := {*one} & {*other}:
            raise DataError(f"expected {min(both)} in {what}, found it in both: leave it out of one.")
    for name, sign in choice.mirror.items():
        if sign < 0 and (name in choice.categorical or source.columns[name].factor.classes):
            raise DataError(f"expected numbers in {name}, which --mirror negates, found classes: leave --mirror out.")
    for name in choice.circular:
        unit = choice.units.get(name, "degree")
        if unit not in ANGLES or source.columns[name].factor.classes:
            raise DataError(
                f"expected numbers in {', '.join(ANGLES)} for the circular factor {name}, found "
                f"{'classes' if source.columns[name].factor.classes else unit}: correct --units or --circular."
            )


def _refuse_gaps(source: Source, column: Column) -> None:
    missing = np.flatnonzero(~np.isfinite(column.values.astype(np.float32)))
    if len(missing):
        kind = "a class" if column.factor.classes else "a finite number"
        raise wrong(source.place(int(missing[0])), f"{kind} in {column.name}", f"none{also(len(missing) - 1)}",
                    f"fill it in (an empty cell or nan is none), or leave {column.name} out: --factors.")  # fmt: skip


def _as_chosen(column: Column, choice: Choice) -> Column:
    """Return a column with the kind, unit and mirror sign that the user gave it."""
    name, unit = column.name, choice.units.get(column.name)
    if name in choice.circular:
        column = column.circular(unit)
    elif name in choice.categorical:
        column = column.categorical()
    elif unit is not None and not column.factor.circular:
        column = Column(replace(column.factor, units=unit), column.values)
    factor = replace(column.factor, mirror_sign=choice.mirror.get(name, column.factor.mirror_sign))
    values = column.values
    if factor.classes:  # only classes that occur
        levels, codes = np.unique(values, return_inverse=True)
        factor = replace(factor, classes=tuple(factor.classes[int(level)] for level in levels))
        values = codes.astype(np.float64)
    return Column(factor, values)


def _identity(columns: Sequence[Column]) -> Int64:
    """Return the number of each combination of the columns' values (N,); of one column of whole numbers these."""
    values = columns[0].values
    if len(columns) == 1 and (values == np.rint(values)).all() and values.min() >= 0 and values.max() < EXACT:
        return values.astype(np.int64)
    held = np.column_stack([column.values for column in columns])
    return np.unique(held, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _of_identity(factor: Factor, values: Float32, identity: Int64 | None) -> Factor:
    """Mark a factor that each person has only one value of."""
    if identity is None:
        return factor
    order = np.lexsort((values, identity))
    same = identity[order][1:] == identity[order][:-1]
    fixed = bool((values[order][1:] == values[order][:-1])[same].all())
    return replace(factor, of_identity=factor.of_identity or (fixed and bool(same.any())))


def named_pairs(words: Sequence[str], option: str) -> Iterator[tuple[str, str]]:
    """Yield NAME and VALUE of words NAME=VALUE. Raises DataError for another word."""
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name or not value:
            raise DataError(f"expected NAME=VALUE in {option}, found {word}: for example {option} azimuth=-1.")
        yield name.strip(), value.strip()


def mirror_signs(words: Sequence[str]) -> dict[str, int]:
    """Return the signs of words NAME=-1 or NAME=1."""
    signs = {"-1": -1, "1": 1, "+1": 1}
    found = dict(named_pairs(words, "--mirror"))
    for name, sign in found.items():
        if sign not in signs:
            raise DataError(f"expected -1 or 1 in --mirror {name}, found {sign}: correct it.")
    return {name: signs[sign] for name, sign in found.items()}
