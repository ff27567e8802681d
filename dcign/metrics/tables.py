"""What every figure takes: a table of latents beside one of factors, checked once, and cut into classes."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dcign.arrays import Floating, Int64
from dcign.errors import TrainingError

LARGEST = 1e50  # of a value: squares overflow not far beyond, and support vector machines never end
BINS = 20  # of a range: on raw floats a perfect latent would score about nothing

Blocks = Sequence[Sequence[int]]  # latents that count as one, block by block


def latents_and_factors(latents: ArrayLike, factors: ArrayLike) -> tuple[Floating, NDArray[np.generic]]:
    """Check the two tables: (N, Z), (N, F) -> float64 (N, Z), and the factors as they are (N, F)."""
    codes, truth = np.asarray(latents), np.asarray(factors)
    if codes.ndim != 2 or truth.ndim != 2 or len(codes) != len(truth) or 0 in (*codes.shape, *truth.shape):
        raise TrainingError(
            f"latents of shape {codes.shape} and factors of shape {truth.shape}: wanted (N, Z) and (N, F)"
        )
    for name, table in (("latents", codes), ("factors", truth)):
        if table.dtype.kind not in "biuf":
            raise TrainingError(f"{name} of type {table.dtype}: wanted real numbers")
        if not np.isfinite(table).all():
            raise TrainingError(
                f"{name} hold {np.count_nonzero(~np.isfinite(table))} values that are not finite: leave those rows out"
            )
        if np.abs(table.astype(np.float64)).max() > LARGEST:
            raise TrainingError(f"{name} hold values beyond {LARGEST:g}: scale them down")
    return codes.astype(np.float64), truth


def classes(factors: ArrayLike, ranges: ArrayLike | None = None) -> Int64:
    """Cut each factor into 20 equal bins of its range; one of an integer type is classes already: (N, F) -> (N, F).

    ranges (F, 2), lowest and highest, or None for what the factors span; values beyond go to the bin at that end.
    """
    truth = np.asarray(factors)
    if truth.dtype.kind in "biu" and ranges is None:
        return truth.astype(np.int64)
    limits = np.stack([truth.min(axis=0), truth.max(axis=0)], axis=1) if ranges is None else np.asarray(ranges)
    edges = [np.linspace(low, high, BINS + 1)[1:-1] for low, high in limits]
    return np.stack([np.digitize(values, inner) for values, inner in zip(truth.T, edges, strict=True)], axis=1)


def classes_of_both(train: ArrayLike, test: ArrayLike) -> tuple[Int64, Int64]:
    """Cut two tables of factors alike, by the range of the first: (N, F), (M, F) -> (N, F), (M, F)."""
    fitted, held = np.asarray(train), np.asarray(test)
    if fitted.dtype.kind in "biu" and held.dtype.kind in "biu":
        return classes(fitted), classes(held)
    ranges = np.stack([fitted.min(axis=0), fitted.max(axis=0)], axis=1)
    return classes(fitted, ranges), classes(held, ranges)


def two_tables(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike
) -> tuple[Floating, Int64, Floating, Int64]:
    """Check what a figure is fitted on, (N, Z), (N, F), and measured on, (M, Z), (M, F); factors become classes."""
    codes, truth, held, held_truth = _same_columns(train_latents, train_factors, test_latents, test_factors)
    fitted, measured = classes_of_both(truth, held_truth)
    _refuse_constant(fitted)
    return codes, fitted, held, measured


def two_real_tables(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike
) -> tuple[Floating, Floating, Floating, Floating]:
    """Check them alike, for a figure that takes factors as numbers."""
    codes, truth, held, held_truth = _same_columns(train_latents, train_factors, test_latents, test_factors)
    _refuse_constant(truth)
    return codes, truth.astype(np.float64), held, held_truth.astype(np.float64)


def checked_blocks(blocks: Blocks | None, latents: int) -> list[list[int]]:
    """Return the blocks, each latent its own by default; every latent has to be in one of them, once."""
    if blocks is None:
        return [[latent] for latent in range(latents)]
    members = [[int(latent) for latent in block] for block in blocks if len(block)]
    if sorted(latent for block in members for latent in block) != list(range(latents)):
        raise TrainingError(f"blocks {members}: wanted each of the {latents} latents in one block, once")
    return members


def blocks_around(own: Sequence[int], latents: int) -> list[list[int]]:
    """Return a block for each of a factor's own latents, and one for all the others, the intrinsic ones."""
    alone = sorted({int(latent) for latent in own})
    refuse_latents(alone, latents)
    rest = [latent for latent in range(latents) if latent not in alone]
    return [[latent] for latent in alone] + ([rest] if rest else [])


def refuse_latents(named: Iterable[int], latents: int) -> None:
    """Raise where a latent is named that is none of 0 .. latents - 1."""
    strange = sorted(int(latent) for latent in named if not 0 <= latent < latents)
    if strange:
        raise TrainingError(f"latent {strange[0]} is named, of codes of {latents} latents: wanted 0 to {latents - 1}")


def standardised(values: Floating, like: Floating | None = None) -> Floating:
    """Return columns of mean 0 and spread 1, by the table `like` if given; a constant column becomes 0: (N, Z)."""
    source = values if like is None else like
    spread = source.std(axis=0)
    scaled: Floating = (values - source.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    return scaled


def _same_columns(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike
) -> tuple[Floating, NDArray[np.generic], Floating, NDArray[np.generic]]:
    codes, truth = latents_and_factors(train_latents, train_factors)
    held, held_truth = latents_and_factors(test_latents, test_factors)
    if codes.shape[1] != held.shape[1] or truth.shape[1] != held_truth.shape[1]:
        raise TrainingError(
            f"{codes.shape[1]} latents and {truth.shape[1]} factors to fit on, {held.shape[1]} and "
            f"{held_truth.shape[1]} to measure on: wanted the same columns"
        )
    return codes, truth, held, held_truth


def _refuse_constant(truth: NDArray[np.generic]) -> None:
    for place, values in enumerate(truth.T):
        if values.min() == values.max():
            raise TrainingError(f"factor {place} is the same in all rows that are fitted on: leave it out")
