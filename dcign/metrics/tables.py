"""Check the two tables that each metric takes, latents (N, Z) and factors (N, F), and cut factors into classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dcign.arrays import Floating, Int64
from dcign.errors import TrainingError

LARGEST = 1e50  # absolute value: squares of much larger ones overflow, and support vector machines never converge
LEAST_ROWS = 50  # fewer say nothing: with one or two rows per bin, any latent seems to predict any factor
ROUNDING = 4  # times the float type's precision, relative to the largest value
BINS = 20  # per range: with raw floats as classes a perfect latent would score about 0

NUMBER, CLASS, ANGLE = TYPES = ("number", "class", "angle")  # of factors; an angle is in degrees

Types = Sequence[str]  # the type of each factor, (F,)
Blocks = Sequence[Sequence[int]]  # latents of each block; a block counts as one latent


def as_floats(table: ArrayLike) -> Floating:
    """Return a table of float32 as it is, and any other in float64: in float16, sums of squares overflow."""
    values: NDArray[np.generic] = np.asarray(table)
    return np.asarray(values, np.float32 if values.dtype == np.float32 else np.float64)


def latents_and_factors(latents: ArrayLike, factors: ArrayLike) -> tuple[Floating, NDArray[np.generic]]:
    """Check the two tables: (N, Z), (N, F) -> latents in float64 (N, Z), factors (N, F).

    Factors keep an integer type; floats are as of `as_floats`.
    """
    codes, truth = np.asarray(latents), np.asarray(factors)
    if codes.ndim != 2 or truth.ndim != 2 or len(codes) != len(truth) or 0 in (*codes.shape, *truth.shape):
        raise TrainingError(
            f"expected latents (N, Z) and factors (N, F), found shapes {codes.shape} and {truth.shape}: pass one row "
            "per image in both."
        )
    for name, table in (("latents", codes), ("factors", truth)):
        if table.dtype.kind not in "biuf":
            raise TrainingError(f"expected {name} that are real numbers, found type {table.dtype}: convert them.")
        if not np.isfinite(table).all():
            count = np.count_nonzero(~np.isfinite(table))
            raise TrainingError(f"expected finite {name}, found {count} values that are not: remove their rows.")
        if np.abs(table.astype(np.float64)).max() > LARGEST:
            raise TrainingError(f"expected {name} of at most {LARGEST:g}, found larger values: scale them down.")
    if reason := unmeasurable(truth):
        raise TrainingError(reason)
    return codes.astype(np.float64), as_floats(truth) if truth.dtype.kind == "f" else truth


def types_of(*tables: NDArray[np.generic], types: Types | None = None) -> tuple[str, ...]:
    """Return the type of each factor of tables (N, F): as given; else classes if all are integers, else numbers.

    Raises TrainingError for other types, or another number of them.
    """
    count = int(tables[0].shape[1])
    if types is None:
        return (CLASS if all(table.dtype.kind in "biu" for table in tables) else NUMBER,) * count
    if len(types) != count or not set(types) <= set(TYPES):
        raise TrainingError(
            f"expected one of {', '.join(TYPES)} for each of {count} factors, found {', '.join(map(str, types))}: "
            "correct the types."
        )
    return tuple(types)


def factor_types(circular: Iterable[bool], class_counts: Iterable[int]) -> tuple[str, ...]:
    """Return the types of factors, of which some are circular, and some have classes: (F,), (F,) -> (F,)."""
    return tuple(
        CLASS if count else ANGLE if turns else NUMBER for turns, count in zip(circular, class_counts, strict=True)
    )


def classes(factors: ArrayLike, ranges: ArrayLike | None = None, types: Types | None = None) -> Int64:
    """Cut each factor into 20 equal bins of its range: (N, F) -> (N, F). Classes stay as they are.

    ranges (F, 2), lowest and highest, or None for the range of the values; values outside go to the nearest bin. types
    (F,): which factors are classes; None: those of an integer type, without ranges.
    """
    truth = np.asarray(factors)
    if truth.dtype.kind in "biu" and ranges is None and types is None:
        return truth.astype(np.int64)
    limits = np.stack([truth.min(axis=0), truth.max(axis=0)], axis=1) if ranges is None else np.asarray(ranges)
    edges = [np.linspace(low, high, BINS + 1)[1:-1] for low, high in limits]
    cut = np.stack([np.digitize(values, inner) for values, inner in zip(truth.T, edges, strict=True)], axis=1)
    named = np.array([each == CLASS for each in types_of(truth, types=types)]) if types is not None else False
    return np.where(named, np.rint(truth), cut).astype(np.int64)


def train_and_test(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike
) -> tuple[Floating, NDArray[np.generic], Floating, NDArray[np.generic]]:
    """Check the tables that a metric is fitted on, (N, Z), (N, F), and measured on, (M, Z), (M, F)."""
    codes, truth = latents_and_factors(train_latents, train_factors)
    held, held_truth = latents_and_factors(test_latents, test_factors)
    if codes.shape[1] != held.shape[1] or truth.shape[1] != held_truth.shape[1]:
        raise TrainingError(
            f"expected the same columns to fit and to measure on, found {codes.shape[1]} latents and {truth.shape[1]} "
            f"factors against {held.shape[1]} and {held_truth.shape[1]}: pass tables of one network and data set."
        )
    return codes, truth, held, held_truth


def train_and_test_classes(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike
) -> tuple[Floating, Int64, Floating, Int64]:
    """Check the four tables and cut factors into classes, by the ranges of the first table: shapes stay."""
    codes, truth, held, held_truth = train_and_test(train_latents, train_factors, test_latents, test_factors)
    named = truth.dtype.kind in "biu" and held_truth.dtype.kind in "biu"
    ranges = None if named else np.stack([truth.min(axis=0), truth.max(axis=0)], axis=1)
    return codes, classes(truth, ranges), held, classes(held_truth, ranges)


def unmeasurable(factors: NDArray[np.generic]) -> str:
    """Return why no metric can be measured on factors (N, F), as one sentence, or "" if they can."""
    constant = [index for index, values in enumerate(factors.T) if len(values) and values.min() == values.max()]
    if len(factors) >= LEAST_ROWS and not constant:
        return ""
    rows = f"{len(factors)} row{'s' if len(factors) > 1 else ''}"
    found = rows if len(factors) < LEAST_ROWS else f"one value of factor {constant[0]} in all {rows}"
    return (
        f"expected at least {LEAST_ROWS} rows in which every factor varies, found {found}: measure more images, or "
        "leave that factor out."
    )


def checked_blocks(blocks: Blocks | None, latents: int) -> list[list[int]]:
    """Return the blocks without empty ones, or one block per latent; raise if they are no partition of the latents."""
    if blocks is None:
        return [[latent] for latent in range(latents)]
    members = [[int(latent) for latent in block] for block in blocks if len(block)]
    if sorted(latent for block in members for latent in block) != list(range(latents)):
        raise TrainingError(
            f"expected blocks that hold each of the {latents} latents once, found {members}: see blocks_around."
        )
    return members


def blocks_around(own: Sequence[int | Sequence[int]], latents: int) -> list[list[int]]:
    """Return one block for each factor's own latent or latents, and one for all other latents, the intrinsic ones.

    Factors that share a latent share a block.
    """
    alone: list[list[int]] = []
    for block in sorted(own_latents(own)):
        shared = [other for other in alone if set(other) & set(block)]
        alone = [other for other in alone if other not in shared] + [sorted({*block}.union(*shared))]
    refuse_latents((latent for block in alone for latent in block), latents)
    rest = sorted(set(range(latents)).difference(*alone))
    return alone + ([rest] if rest else [])


def own_latents(own: Sequence[int | Sequence[int]]) -> list[list[int]]:
    """Return the latents of each factor, of which one can be given as a number."""
    return [[int(each)] if isinstance(each, int | np.integer) else list(map(int, each)) for each in own]


def refuse_latents(named: Iterable[int], latents: int) -> None:
    """Raise TrainingError if a latent is not one of 0 .. latents - 1."""
    unknown = sorted(int(latent) for latent in named if not 0 <= latent < latents)
    if unknown:
        raise TrainingError(f"expected latents from 0 to {latents - 1}, found {unknown[0]}: name latents of the code.")


def deviations(columns: Floating) -> Floating:
    """Return the standard deviation of each column, (N, ...) -> (...); 0 where values differ by rounding alone.

    The deviation of equal values need not be 0, because their mean is rounded: it is 1e-17 for many values of .1.
    """
    table = as_floats(columns)
    rounding = ROUNDING * np.finfo(table.dtype).eps * np.abs(table).max(axis=0)
    spread: Floating = np.where(np.ptp(table, axis=0) > rounding, table.std(axis=0), 0.0)
    return spread


def standardised(values: Floating, like: Floating | None = None) -> Floating:
    """Scale columns (N, Z) to mean 0 and deviation 1, by the statistics of `like` if given.

    Constant ones become 0: see `deviations`.
    """
    source = values if like is None else like
    spread = deviations(source)
    scaled: Floating = (values - source.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    return scaled
