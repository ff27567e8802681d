"""Figures that hold something still: FactorVAE and BetaVAE scores, robustness to interventions, invariance.

The first two are defined on pictures made to order, a factor held and all else drawn. On tables, to hold a factor is
to draw rows of one of its classes. They are fitted on half of the rows and scored on the other.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression

from dcign.arrays import Floating, Int64
from dcign.errors import TrainingError
from dcign.metrics.tables import Blocks, checked_blocks, classes, latents_and_factors, refuse_latents, standardised

GROUP = 64  # rows, or pairs of rows, that share a class
FITTED, SCORED = 10_000, 5_000  # groups; as disentanglement_lib has it
AT_ONCE = 500  # groups drawn together: 8 MB of 32 latents
QUANTILE = 0.99  # of deviations, in place of their maximum


def factor_vae_score(
    latents: ArrayLike,
    factors: ArrayLike,
    rng: np.random.Generator,
    blocks: Blocks | None = None,
    dead: float = 0.0,
) -> float:
    """How often the block that varies least tells which factor was held: (N, Z), (N, F) -> chance is 1 / F.

    Variances of 64 rows over that of all; of a block their mean. Latents whose standard deviation is not above `dead`
    have no vote. The majority of 10,000 groups assigns blocks to factors, 5,000 others are scored (Kim and Mnih 2018).
    """
    codes, factor_table = latents_and_factors(latents, factors)
    spread = codes.var(axis=0, ddof=1) if len(codes) > 1 else np.zeros(codes.shape[1])
    alive = np.sqrt(spread) > dead
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
    told = votes[0].argmax(axis=1)
    return float(votes[1][np.arange(len(members)), told].sum() / votes[1].sum())


def beta_vae_score(
    latents: ArrayLike, factors: ArrayLike, rng: np.random.Generator, blocks: Blocks | None = None
) -> float:
    """How often a linear classifier tells which factor pairs of rows share: (N, Z), (N, F) -> chance is 1 / F.

    It sees the mean over 64 pairs of |z - z'|, standardised latents, of a block their mean (Higgins et al. 2017).
    """
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
    """How little a latent moves while the factor it follows is held, all else drawn: IRS (Suter et al. 2019).

    (N, Z), (N, F) -> 0..1. 1 - the .99 quantile of deviations from the mean of a class, averaged over classes, over
    the largest deviation; of each latent the best factor's, weighted by its largest deviation. Of a block, the
    weighted mean for the factor that is best for it as a whole.
    """
    codes, factor_table = latents_and_factors(latents, factors)
    truth = classes(factor_table)
    largest = np.abs(codes - codes.mean(axis=0)).max(axis=0)
    if not largest.any():
        return 0.0
    moved = np.stack([_moved_within(codes, column) for column in truth.T], axis=1)  # (Z, F)
    members = checked_blocks(blocks, codes.shape[1])
    still = [(largest[block, None] - moved[block]).sum(axis=0).max() for block in members]
    return float(np.sum(still) / largest.sum())


def invariance_ratio(batches: ArrayLike, everybody: ArrayLike, block: Sequence[int]) -> float:
    """Variance of a block of latents within batches of one person, over that among all people; 0 is invariant.

    batches (B, n, Z) of one person each, pose or light varying; everybody (N, Z).
    """
    codes, all_codes = np.asarray(batches, np.float64), np.asarray(everybody, np.float64)
    if codes.ndim != 3 or all_codes.ndim != 2 or codes.shape[2] != all_codes.shape[1]:
        raise TrainingError(f"codes of shape {codes.shape} and {all_codes.shape}: wanted (B, n, Z) and (N, Z)")
    refuse_latents(block, all_codes.shape[1])
    within, among = codes[..., block], all_codes[..., block]
    spread = among.var(axis=0).sum()
    return float(within.var(axis=1).mean(axis=0).sum() / spread) if spread > 0 else float("nan")


def _moved_within(codes: Floating, truth: Int64) -> Floating:
    """Quantile of each latent's deviation from its mean in a class, averaged over classes: (N, Z), (N,) -> (Z,)."""
    moved = []
    for found in np.unique(truth):
        inside = codes[truth == found]
        moved.append(np.quantile(np.abs(inside - inside.mean(axis=0)), QUANTILE, axis=0))
    mean: Floating = np.mean(moved, axis=0)
    return mean


def _halves(count: int, rng: np.random.Generator) -> list[tuple[Int64, int]]:
    """Deal rows into the half that is fitted on and the half that is scored, and say how many groups each gives."""
    dealt = rng.permutation(count)
    return [(dealt[: (count + 1) // 2], FITTED), (dealt[count // 2 :], SCORED)]


def _groups(truth: Int64, groups: int, size: int, rng: np.random.Generator) -> Iterator[tuple[Int64, Int64]]:
    """Draw groups of rows in which one factor, drawn too, is of one class: held (g,), rows (g, size), in parts.

    The class is that of a row drawn from all, so classes come as often as they are; rows may come twice.
    """
    order = np.argsort(truth, axis=0, kind="stable")
    ends = [
        [np.searchsorted(column[sorts], column, side) for column, sorts in zip(truth.T, order.T, strict=True)]
        for side in ("left", "right")
    ]
    first, last = (np.stack(columns, axis=1) for columns in ends)  # of each row's class among the ordered rows (N, F)
    for start in range(0, groups, AT_ONCE):
        held = rng.integers(truth.shape[1], size=min(AT_ONCE, groups - start))
        like = rng.integers(len(truth), size=len(held))
        places = rng.integers(first[like, held][:, None], last[like, held][:, None], size=(len(held), size))
        yield held, order[places, held[:, None]]


def _differences(
    codes: Floating, truth: Int64, groups: int, members: list[list[int]], rng: np.random.Generator
) -> Iterator[tuple[Int64, Floating]]:
    """Draw groups of pairs that share a factor's class: the factor (g,), mean differences of blocks (g, G)."""
    for held, taken in _groups(truth, groups, 2 * GROUP, rng):
        apart = np.abs(codes[taken[:, :GROUP]] - codes[taken[:, GROUP:]]).mean(axis=1)
        yield held, np.stack([apart[:, block].mean(axis=1) for block in members], axis=1)
