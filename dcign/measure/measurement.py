"""Measure a table of codes: each factor's best latent, and every metric of the whole code, with intervals and chance.

Factors are read by maps that are fitted on the split `train` if the table has one, else on the first two thirds of the
rows that are measured. Rows of a table without splits are shuffled first, whole groups at a time, because many files
are in the order of their factors.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcign.arrays import Floating, Int64
from dcign.errors import TrainingError
from dcign.evaluate.disentanglement import Disentanglement, halves, measure_disentanglement, unmeasurable_bins
from dcign.evaluate.scores import best_latents, read_factor
from dcign.machine import keep_freed_memory
from dcign.measure.code_table import CodeTable
from dcign.metrics import blocks_around, linear_leakage
from dcign.metrics.categorical import indicators
from dcign.metrics.circular import factor_columns, per_column, per_factor
from dcign.metrics.tables import ANGLE, CLASS, LEAST_ROWS, Types, own_latents, refuse_latents, unmeasurable
from dcign.progress import FractionProgress, PartProgress, StageProgress, no_stage_progress
from dcign.trained.marks import all_marks

FORMAT, FORMAT_VERSION = "dcign-metrics", 1
SEED = 0  # of the order of rows, of shuffled labels and of intervals: the same for all tables
MOST_ROWS = 15_000  # that are measured: as many as an evaluation's metrics are fitted and measured on
FITTED, MEASURED = "train", "iid"  # splits of a data set of dcign


@dataclass(frozen=True, eq=False)
class _Rows:
    """What is measured: latents (N, Z), factors (N, F), groups (N,); and what maps are fitted on."""

    latents: Floating
    factors: Floating
    groups: Int64 | None
    fitted_latents: Floating
    fitted_factors: Floating
    tested: slice  # the rows that maps are measured on
    split: str


def measure(
    table: CodeTable,
    split: str = "",
    own: Sequence[int | Sequence[int]] = (),
    class_trees: bool = True,
    progress: StageProgress = no_stage_progress,
) -> dict[str, Any]:  # JSON
    """Compute every metric of a table: a report with the keys of evaluation.json.

    Parameters
    ----------
    table
        Latents and factors. At most 15,000 rows are measured, drawn at random from larger tables.
    split
        The rows to measure, by the table's `split`. "" takes iid if there is one, else all rows.
    own
        The latents of each factor, (F,): one of a number, two of an angle, some of a class. () takes the table's, or
        those that are best where maps are fitted.
    class_trees
        Whether to grow DCI's trees of classes, which take nearly all the time.
    progress
        Called with each stage and the fraction of all work that is done.

    Raises
    ------
    TrainingError
        If a factor is constant, if there are too few rows, or if there is no such split or latent.
    """
    started = time.monotonic()
    keep_freed_memory()  # DCI's trees take nearly half as long
    meter = PartProgress(progress, {"reading factors": 0.02, "measuring": 1.0, "measuring chance": 0.2 + 0.2})
    table = _numbered(table)
    rows = _rows(table, split)
    _refuse_unmeasurable(table, rows)
    reading = meter.part("reading factors")
    latents = _own(table, rows, own)
    blocks, mine = table.blocks or blocks_around(latents, rows.latents.shape[1]), [z for each in latents for z in each]
    rng = np.random.default_rng(SEED)
    factors = _factor_scores(table, rows, latents, rng)
    reading(1.0)
    found = _literature(rows, table.types, mine, blocks, rng, meter.part("measuring"), class_trees)
    shuffled = dataclasses.replace(rows, factors=rng.permutation(rows.factors), groups=None)
    mixed, chance = Disentanglement(), meter.part("measuring chance")
    if not unmeasurable_bins(shuffled.factors, None, table.types):
        mixed = _literature(shuffled, table.types, mine, blocks, rng, chance, False)
    chance(1.0)
    report: dict[str, Any] = {  # JSON
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "source": table.place,
        "split": rows.split,
        "rows": {"given": len(table.latents), "measured": len(rows.latents), "fitted": len(rows.fitted_latents)},
        "latents": {"count": rows.latents.shape[1]},
        "units": dict(zip(table.names, table.units, strict=True)) if table.units else None,
        "factors": factors,
        **dataclasses.asdict(found),
        "blocks": blocks,
        "block_names": table.block_names and list(table.block_names),
        "intervals_over": "rows" if rows.groups is None else "groups of rows",
        "groups": None if rows.groups is None else len(np.unique(rows.groups)),
        "chance": {"shuffled": {"metrics": mixed.metrics, "dci": mixed.dci}},
    }
    return report | {"marks": all_marks(report), "seconds": time.monotonic() - started}


def _rows(table: CodeTable, split: str) -> _Rows:
    """Choose the rows that are measured, and those that maps are fitted on."""
    every = np.arange(len(table.latents))
    if table.split is None:
        if split:
            raise TrainingError(
                f"expected an array named split in {table.place}, because the split {split!r} was asked for, found "
                "none: leave --split out."
            )
        return _taken(table, _shuffled(every, table.groups), every[:0], "")
    names = np.unique(table.split).tolist()
    name = split or (MEASURED if MEASURED in names else "")
    if name and name not in names:
        raise TrainingError(
            f"expected one of the splits {', '.join(names)} of {table.place}, found {name!r}: choose one of these."
        )
    measured = every[table.split == name] if name else every
    fitted = every[table.split == FITTED] if name and name != FITTED else every[:0]
    return _taken(table, measured, fitted, name)


def _shuffled(rows: Int64, groups: Int64 | None) -> Int64:
    """Shuffle rows; rows of one group stay together, so that few groups are both fitted and measured."""
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(rows))
    if groups is None:
        return rows[order]
    place = rng.permutation(int(groups.max()) + 1)
    return rows[order[np.argsort(place[groups[order]], kind="stable")]]


def _taken(table: CodeTable, measured: Int64, fitted: Int64, split: str) -> _Rows:
    """Take the rows of a table, at most MOST_ROWS of each kind, drawn at random."""
    rng = np.random.default_rng(SEED)
    measured, fitted = (
        rows if len(rows) <= MOST_ROWS else rows[np.sort(rng.choice(len(rows), MOST_ROWS, replace=False))]
        for rows in (measured, fitted)
    )
    every: Floating = np.asarray(table.factors, table.factors.dtype)
    latents, factors = table.latents[measured], every[measured]
    groups = None if table.groups is None else table.groups[measured]
    known, tested = halves(len(measured))
    if groups is not None and (len(np.unique(groups)) == len(groups) or len(np.unique(groups[tested])) < 2):
        groups = None
    if len(fitted):
        known_latents, known_factors, tested = table.latents[fitted], every[fitted], slice(None)
    else:
        known_latents, known_factors = latents[known], factors[known]
    return _Rows(latents, factors, groups, known_latents, known_factors, tested, split)


def _refuse_unmeasurable(table: CodeTable, rows: _Rows) -> None:
    """Raise TrainingError if there are too few rows, or a factor is constant or in one bin."""
    of_split = f"the split {rows.split} of {table.place}" if rows.split else table.place
    last = rows.factors[halves(len(rows.factors))[1]]
    if len(last) < LEAST_ROWS:
        raise TrainingError(
            f"expected {3 * LEAST_ROWS} rows or more in {of_split}, a third of which is measured, found "
            f"{len(rows.factors)}: encode more images."
        )
    for part in (rows.factors, last, rows.fitted_factors):
        for name, values in zip(table.names, part.T, strict=True):
            if values.min() == values.max():
                raise TrainingError(
                    f"expected factors that vary in {of_split}, found only {values[0]:g} as {name} in "
                    f"{len(values):,} rows: leave that factor out."
                )
        if reason := unmeasurable(part):
            raise TrainingError(f"{of_split}: {reason}")
    if reason := unmeasurable_bins(rows.factors, None, table.types, table.names):
        raise TrainingError(f"{of_split}: {reason}")


def _own(table: CodeTable, rows: _Rows, own: Sequence[int | Sequence[int]]) -> list[tuple[int, ...]]:
    """Return the latents of each factor: given, of the table, or the best ones where maps are fitted."""
    given = own or table.own
    if given is None:
        values = rows.fitted_factors.astype(np.float64)
        asked = zip(table.types, values.T, _class_counts(table), strict=True)
        return [best_latents(rows.fitted_latents, column, each == ANGLE, count) for each, column, count in asked]
    chosen = [tuple(latents) for latents in own_latents(given)]
    if len(chosen) != len(table.names):
        raise TrainingError(
            f"expected a latent for each of the factors {', '.join(table.names)}, found {len(chosen)}: give "
            f"{len(table.names)} numbers."
        )
    for name, each, latents in zip(table.names, table.types, chosen, strict=True):
        if each != CLASS and len(latents) != (2 if each == ANGLE else 1):
            wanted = "two latents, such as 1+2," if each == ANGLE else "one latent"
            raise TrainingError(f"expected {wanted} for the {each} {name}, found {len(latents)}: change --own.")
    refuse_latents((latent for latents in chosen for latent in latents), rows.latents.shape[1])
    return chosen


def _factor_scores(
    table: CodeTable, rows: _Rows, own: Sequence[tuple[int, ...]], rng: np.random.Generator
) -> dict[str, dict[str, Any]]:  # JSON
    """Return how well each factor's own latents tell it, and how well a linear model on all others does, by name."""
    tested = rows.factors[rows.tested]
    turns, counts = [each == ANGLE for each in table.types], _class_counts(table)
    seen = [_seen(*each) for each in zip(counts, rows.fitted_factors.T, tested.T, strict=True)]
    columns, asked = (factor_columns(values, turns, seen) for values in (rows.fitted_factors, tested))
    measured = rows.latents[rows.tested]
    leaks = linear_leakage(rows.fitted_latents, columns, measured, asked, per_column(own, turns, seen))
    groups = None if rows.groups is None else rows.groups[rows.tested]
    found = {}
    for index, (name, leak) in enumerate(zip(table.names, per_factor(leaks, asked, turns, seen), strict=True)):
        tables = rows.fitted_latents, rows.fitted_factors[:, index], measured, tested[:, index]
        reading = read_factor(tables, own[index], counts[index], rng, groups)
        found[name] = {**reading, "leakage_linear_r2": float(leak)}
    return found


def _seen(count: int, *parts: Floating) -> tuple[int, ...]:
    """Return the classes that some values of each part have, and not all."""
    shares = np.stack([indicators(values, range(count)).mean(axis=0) for values in parts])
    return tuple(np.flatnonzero(((shares > 0) & (shares < 1)).all(axis=0)).tolist())


def _class_counts(table: CodeTable) -> list[int]:
    """Return the number of classes of each factor, 0 of a number or an angle."""
    numbered = zip(table.types, table.factors.T, strict=True)
    return [int(values.max()) + 1 if each == CLASS else 0 for each, values in numbered]


def _numbered(table: CodeTable) -> CodeTable:
    """Return the table with factors of a float type, and classes numbered from 0 on, without gaps."""
    factors: Floating = np.array(table.factors, table.factors.dtype if table.factors.dtype.kind == "f" else np.float64)
    for index, each in enumerate(table.types):
        if each == CLASS:
            factors[:, index] = np.unique(factors[:, index], return_inverse=True)[1]
    return dataclasses.replace(table, factors=factors)


def _literature(
    rows: _Rows,
    types: Types,
    own: list[int],
    blocks: list[list[int]],
    rng: np.random.Generator,
    progress: FractionProgress,
    class_trees: bool,
) -> Disentanglement:
    return measure_disentanglement(
        mu=rows.latents,
        factors=rows.factors,
        ranges=None,
        own=own,
        blocks=blocks,
        rng=rng,
        progress=progress,
        class_trees=class_trees,
        groups=rows.groups,
        types=types,
    )
