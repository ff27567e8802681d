"""Information-based metrics on binned latents and factors: MIG, modularity and MED.

Computed as in disentanglement_lib: each latent is cut into 20 equal bins of its range; mutual information is the
plug-in estimate, in nats. It is above 0 for noise, by about (bins - 1)(classes - 1) / 2N: MIG subtracts this bias, and
MED does not.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating, Int64
from dcign.metrics.categorical import fit_classes
from dcign.metrics.circular import linear_angles
from dcign.metrics.regression import least_squares, linear_prediction
from dcign.metrics.tables import (
    ANGLE,
    BINS,
    CLASS,
    NUMBER,
    Blocks,
    Types,
    checked_blocks,
    classes,
    latents_and_factors,
    types_of,
)

TRACE = 1e-11  # added to importances, so that the entropy of a row of zeros is defined


def mutual_information_gap(
    latents: ArrayLike, factors: ArrayLike, blocks: Blocks | None = None, types: Types | None = None
) -> float:
    """Return MIG: the information gap between the two most informative blocks, divided by the factor's entropy.

    (N, Z), (N, F) -> 0..1, the mean over factors (Chen et al. 2018). types: see `mutual_information`.
    """
    bins, members, truth = binned(latents, factors, blocks, types)
    return gap_of(information(bins, members, truth), entropy(truth))


def modularity(
    latents: ArrayLike, factors: ArrayLike, blocks: Blocks | None = None, types: Types | None = None
) -> float:
    """Return how exclusively each block informs about one factor: (N, Z), (N, F) -> 0..1, the mean over blocks.

    1 - sum over the other factors of I^2 / (I_max^2 (F - 1)); a block without information scores 0 (Ridgeway and
    Mozer 2018). types: see `mutual_information`.
    """
    bins, members, truth = binned(latents, factors, blocks, types)
    return modularity_of(information(bins, members, truth))


def mutual_information_disentanglement(
    latents: ArrayLike,
    factors: ArrayLike,
    blocks: Blocks | None = None,
    top: int | None = None,
    types: Types | None = None,
) -> float:
    """Return MED: DCI's disentanglement, with mutual information in place of importances (Cao et al. 2022).

    (N, Z), (N, F) -> 0..1. Each factor's information is divided by its sum over blocks. top: keep only so many blocks
    per factor, of those that have most information on it the purest ones ("top-k MED"); None keeps all. types: see
    `mutual_information`.
    """
    bins, members, truth = binned(latents, factors, blocks, types)
    return med_of(information(bins, members, truth), top)


def mutual_information(
    latents: ArrayLike, factors: ArrayLike, blocks: Blocks | None = None, types: Types | None = None
) -> Floating:
    """Return the mutual information of each block with each factor, nats: (N, Z), (N, F) -> (G, F).

    For a block of several latents it is a lower bound: the largest value among its latents and its best linear
    prediction. Most joint bins of many latents would be empty. types (F,): number, class or angle; None: classes if
    the table is of an integer type, else numbers. Classes are not cut into bins.
    """
    return information(*binned(latents, factors, blocks, types))


def binned(
    latents: ArrayLike, factors: ArrayLike, blocks: Blocks | None, types: Types | None = None
) -> tuple[Int64, list[int], Int64]:
    """Bin the latents, and the linear predictions of blocks: bins (N, C), each column's block, classes (N, F)."""
    codes, factor_table = latents_and_factors(latents, factors)
    found = types_of(factor_table, types=types)
    columns, members = columns_of_blocks(codes, factor_table.astype(np.float64), blocks, found)
    return _cut(columns), members, classes(factor_table, types=types)


def columns_of_blocks(
    codes: Floating, values: Floating, blocks: Blocks | None, types: Types
) -> tuple[Floating, list[int]]:
    """Return the latents of each block, with the block's linear predictions of the factors if it has several latents.

    codes (N, Z), values (N, F) -> columns (N, C), each column's block (C,)
    """
    columns, members = [], []
    for index, block in enumerate(checked_blocks(blocks, codes.shape[1])):
        inside = codes[:, block]
        found = [inside] if len(block) == 1 else [inside, _linear_predictions(inside, values, types)]
        columns += found
        members += [index] * sum(column.shape[1] for column in found)
    return np.concatenate(columns, axis=1), members


def _linear_predictions(codes: Floating, values: Floating, types: Types) -> Floating:
    """Return the best linear prediction of each factor: a value, the class of a linear discriminant, or an angle.

    codes (N, Z), values (N, F) -> (N, F)
    """
    predicted = np.empty_like(values)
    numbers = [index for index, each in enumerate(types) if each == NUMBER]
    if numbers:
        predicted[:, numbers] = linear_prediction(codes, least_squares(codes, values[:, numbers]))
    for index, each in enumerate(types):
        if each == CLASS:
            named, member = np.unique(values[:, index], return_inverse=True)
            predicted[:, index] = (
                fit_classes(codes, member.astype(np.float64), len(named)).probabilities(codes).argmax(axis=1)
            )
        elif each == ANGLE:
            predicted[:, index] = linear_angles(codes, values[:, index], codes)
    return predicted


def information(bins: Int64, members: list[int], truth: Int64) -> Floating:
    """Return each block's information on each factor: bins (N, C), each column's block, truth (N, F) -> (G, F)."""
    ranked = [np.unique(factor, return_inverse=True)[1] for factor in truth.T]
    found = np.array([[_shared(code, factor) for factor in ranked] for code in bins.T])
    most = np.zeros((max(members) + 1, truth.shape[1]))
    np.maximum.at(most, np.array(members), found)
    return most


def entropy(truth: Int64) -> Floating:
    """Return the entropy of each factor, nats: (N, F) -> (F,)."""
    ranked = [np.unique(factor, return_inverse=True)[1] for factor in truth.T]
    return np.array([_shared(factor, factor) for factor in ranked])


def gap_of(found: Floating, entropies: Floating) -> float:
    """Return the mean over factors of (largest - second largest) / entropy: (G, F), (F,) -> 0..1."""
    ranked = np.sort(np.concatenate([found, np.zeros((1, found.shape[1]))]), axis=0)  # with one block, the second is 0
    return float(np.mean((ranked[-1] - ranked[-2]) / np.where(entropies > 0, entropies, np.inf)))


def modularity_of(found: Floating) -> float:
    """Return the modularity of a table of information: (G, F) -> 0..1."""
    squared = np.square(found)
    most = squared.max(axis=1)
    others = (squared.sum(axis=1) - most) / np.where(most > 0, most * max(found.shape[1] - 1, 1), 1)
    return float(np.where(most > 0, 1 - others, 0).mean())


def med_of(found: Floating, top: int | None = None) -> float:
    """Return MED of a table of information: (G, F) -> 0..1."""
    total = found.sum(axis=0)
    shares = found / np.where(total > 0, total, 1)
    if top is None:
        return weighted_purity(shares)
    order = np.argsort(-purities(shares), kind="stable")
    strongest = shares.argmax(axis=1)[order]
    kept = [order[np.flatnonzero(strongest == factor)[:top]] for factor in range(found.shape[1])]
    return weighted_purity(shares[np.concatenate(kept)])


def purities(importances: Floating) -> Floating:
    """Return 1 - the entropy of each row, to the base of the number of columns: (R, C) -> (R,)."""
    from scipy.stats import entropy as entropy_of_rows  # slow to import

    pure: Floating = 1 - entropy_of_rows(importances + TRACE, base=importances.shape[1], axis=1)
    return pure


def weighted_purity(importances: Floating) -> float:
    """Return the mean purity of the rows (R, C), weighted by their sums -> 0..1; a single column scores 1."""
    if importances.shape[1] == 1:
        return 1.0
    weights = importances.sum(axis=1) if importances.sum() > 0 else np.ones(len(importances))
    return float(np.average(purities(importances), weights=weights))


def _cut(columns: Floating) -> Int64:
    """Cut each column into 20 equal bins of its range, with np.histogram's edges: (N, C) -> 0..19.

    A column whose range is too narrow for 20 bins of different edges is in one bin.
    """
    return np.stack([np.digitize(column, _lower_edges(column)) - 1 for column in columns.T], axis=1)


def _lower_edges(column: Floating) -> Floating:
    edges: Floating = np.linspace(column.min(), column.max(), BINS + 1)
    return edges[:-1] if (np.diff(edges) > 0).all() else edges[:1]


def _shared(first: Int64, second: Int64) -> float:
    """Return the mutual information of two columns of bins (N,), nats; of a column with itself, its entropy.

    I = sum over x, y of p(x, y) log(p(x, y) / p(x) p(y)). Equal to scikit-learn's `mutual_info_score` to the last
    digit: its checks of the input take ten times as long as the sum, and intervals need thousands of sums.
    """
    width = int(second.max()) + 1
    table = np.bincount(first * width + second, minlength=(int(first.max()) + 1) * width).reshape(-1, width)
    of_first, of_second = table.sum(axis=1), table.sum(axis=0)
    if np.count_nonzero(of_first) == 1 or np.count_nonzero(of_second) == 1:
        return 0.0
    x, y = np.nonzero(table)
    count, log_total = table[x, y], math.log(len(first))
    share = count / len(first)
    independent = -np.log(of_first[x] * of_second[y]) + log_total + log_total
    terms = share * (np.log(count) - log_total) + share * independent
    return max(float(np.where(np.abs(terms) < np.finfo(np.float64).eps, 0.0, terms).sum()), 0.0)
