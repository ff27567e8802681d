"""Intervention-based metrics: FactorVAE and BetaVAE scores, interventional robustness (IRS), and the invariance ratio.

The papers define the first two on freshly rendered images: one factor is fixed, the others are random. We have a fixed
table, so we fix a factor by drawing rows of one class. Half of the rows fit the assignment, the other half scores it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating, Int64
from dcign.errors import TrainingError
from dcign.metrics.tables import (
    Blocks,
    checked_blocks,
    classes,
    deviations,
    latents_and_factors,
    refuse_latents,
    standardised,
)

GROUP = 64  # rows, or pairs of rows, that share a class
FITTED, SCORED = 10_000, 5_000  # groups, as in disentanglement_lib
AT_ONCE = 500  # groups drawn together: 8 MB for 32 latents
QUANTILE = 0.99  # of deviations, in place of their maximum


def factor_vae_score(
    latents: ArrayLike,
    factors: ArrayLike,
    rng: np.random.Generator,
    blocks: Blocks | None = None,
    dead: float = 0.0,
) -> float:
    """Return how often the block that varies least identifies the factor held: (N, Z), (N, F) -> 1 / F by chance.

    A latent's variance over 64 rows is divided by its variance over all rows; a block's is the mean of its latents'.
    Latents whose standard deviation is at most `dead` do not vote. The majority of 10,000 groups assigns each block to
    a factor, and 5,000 other groups are scored (Kim and Mnih 2018).
    """
    codes, factor_table = latents_and_factors(latents, factors)
    spread = codes.var(axis=0, ddof=1) if len(codes) > 1 else np.zeros(codes.shape[1])
    alive = (np.sqrt(spread) > dead) & (deviations(codes) > 0)
    members = [kept for block in checked_blocks(blocks, codes.shape[1]) if (kept := [z for z in block if alive[z]])]
    if not members:
        return 0.0
    scaled = codes / np.sqrt(np.where(spread > 0, spread, 1))
    truth = classes(factor_table)
    votes = []
    for rows, groups in _halves(len(codes), rng):
        tally = np.zeros((len(members), truth.shape[1]))
        for held, taken in _groups(truth[rows], groups, GROUP, rng):
            varies = scaled[rows][taken].var(axis=1, ddof=1)
            least = np.stack([varies[:, block].mean(axis=1) for block in members], axis=1).argmin(axis=1)
            np.add.at(tally, (least, held), 1)
        votes.append(tally)
    assigned = votes[0].argmax(axis=1)
    return float(votes[1][np.arange(len(members)), assigned].sum() / votes[1].sum())


def beta_vae_score(
    latents: ArrayLike, factors: ArrayLike, rng: np.random.Generator, blocks: Blocks | None = None
) -> float:
    """Return how often a linear classifier identifies the factor that pairs share: (N, Z), (N, F) -> 1 / F by chance.

    Its inputs are the means over 64 pairs of |z - z'| of standardised latents, averaged in each block (Higgins et al.
    2017).
    """
    from sklearn.linear_model import LogisticRegression  # slow to import

    codes, factor_table = latents_and_factors(latents, factors)
    members = checked_blocks(blocks, codes.shape[1])
    scaled, truth = standardised(codes), classes(factor_table)
    if truth.shape[1] == 1:
        return 1.0
    seen, shared = [], []
    for rows, groups in _halves(len(codes), rng):
        drawn = list(_differences(scaled[rows], truth[rows], groups, members, rng))
        seen.append(np.concatenate([features for _, features in drawn]))
        shared.append(np.concatenate([held for held, _ in drawn]))
    model = LogisticRegression(max_iter=1000).fit(seen[0], shared[0])
    return float(np.mean(model.predict(seen[1]) == shared[1]))


def interventional_robustness(latents: ArrayLike, factors: ArrayLike, blocks: Blocks | None = None) -> float:
    """Return IRS: how little a latent varies while its factor is held and all others vary (Suter et al. 2019).

    (N, Z), (N, F) -> 0..1. A latent scores 1 - q / d for its best factor: q is the .99 quantile of the deviations from
    the mean of a class, averaged over classes, and d the largest deviation from the overall mean. The result is the
    mean over latents, weighted by d. The latents of a block share the factor that is best for their weighted mean.
    """
    codes, factor_table = latents_and_factors(latents, factors)
    return irs_of(codes, classes(factor_table), checked_blocks(blocks, codes.shape[1]))


def irs_of(codes: Floating, truth: Int64, members: list[list[int]]) -> float:
    """Return IRS of codes (N, Z), classes (N, F) and blocks, unchecked: a bootstrap may draw one class alone."""
    largest = np.abs(codes - codes.mean(axis=0)).max(axis=0)
    if not deviations(codes).any():
        return 0.0
    moved = np.stack([_moved_within(codes, column) for column in truth.T], axis=1)  # (Z, F)
    still = [(largest[block, None] - moved[block]).sum(axis=0).max() for block in members]
    return float(np.sum(still) / largest.sum())


def invariance_ratio(batches: ArrayLike, everybody: ArrayLike, block: Sequence[int]) -> float:
    """Return the variance of a block of latents within batches, divided by its variance over all rows. 0: invariant.

    batches (B, n, Z) show one identity each, while a factor varies; everybody (N, Z) shows all identities.
    """
    codes, all_codes = np.asarray(batches, np.float64), np.asarray(everybody, np.float64)
    if codes.ndim != 3 or all_codes.ndim != 2 or codes.shape[2] != all_codes.shape[1]:
        raise TrainingError(
            f"expected codes (B, n, Z) and (N, Z), found shapes {codes.shape} and {all_codes.shape}: reshape them."
        )
    refuse_latents(block, all_codes.shape[1])
    within, among = codes[..., block], all_codes[..., block]
    spread = among.var(axis=0).sum()
    return float(within.var(axis=1).mean(axis=0).sum() / spread) if spread > 0 and len(within) else float("nan")


def _moved_within(codes: Floating, truth: Int64) -> Floating:
    """Return the quantile of deviations from the mean of a class, averaged over classes: (N, Z), (N,) -> (Z,)."""
    moved = []
    for found in np.unique(truth):
        inside = codes[truth == found]
        moved.append(np.quantile(np.abs(inside - inside.mean(axis=0)), QUANTILE, axis=0))
    mean: Floating = np.mean(moved, axis=0)
    return mean


def _halves(count: int, rng: np.random.Generator) -> list[tuple[Int64, int]]:
    """Draw the half of the rows for fitting and the half for scoring, each with its number of groups."""
    shuffled = rng.permutation(count)
    return [(shuffled[: (count + 1) // 2], FITTED), (shuffled[count // 2 :], SCORED)]


def _groups(truth: Int64, groups: int, size: int, rng: np.random.Generator) -> Iterator[tuple[Int64, Int64]]:
    """Draw groups of rows that share the class of a random factor: the factors held (g,), rows (g, size), in parts.

    The class is that of a random row, so that classes are as frequent as in the table. Rows may repeat.
    """
    order = np.argsort(truth, axis=0, kind="stable")
    ends = [
        [np.searchsorted(column[sorts], column, side) for column, sorts in zip(truth.T, order.T, strict=True)]
        for side in ("left", "right")
    ]
    first, last = (np.stack(columns, axis=1) for columns in ends)  # of each row's class, in sorted rows (N, F)
    for start in range(0, groups, AT_ONCE):
        held = rng.integers(truth.shape[1], size=min(AT_ONCE, groups - start))
        like = rng.integers(len(truth), size=len(held))
        at = rng.integers(first[like, held][:, None], last[like, held][:, None], size=(len(held), size))
        yield held, order[at, held[:, None]]


def _differences(
    codes: Floating, truth: Int64, groups: int, members: list[list[int]], rng: np.random.Generator
) -> Iterator[tuple[Int64, Floating]]:
    """Draw groups of pairs that share a factor's class: the factors (g,), mean differences in each block (g, G)."""
    for held, taken in _groups(truth, groups, 2 * GROUP, rng):
        apart = np.abs(codes[taken[:, :GROUP]] - codes[taken[:, GROUP:]]).mean(axis=1)
        yield held, np.stack([apart[:, block].mean(axis=1) for block in members], axis=1)
