"""InfoMEC: information-based modularity, explicitness and compactness (Hsu et al. 2023, latent quantization).

InfoM and InfoC come from the information of each block of latents about each factor, as a share of the factor's
entropy. We estimate it by nearest neighbours (Ross 2014), so latents are not cut into bins, and noise has about none.
Real factors are cut into classes. Values that repeat, as those of a quantised latent or of a code in half precision,
are counted both among all rows and within the class (Gao et al. 2017), so that a latent tells no more than the entropy.

Blocks without information are left out. The authors leave out latents of a small range alone, so that noise of unit
variance counts: in their code pure noise has InfoM .81 (tests/goldens).

InfoE is the share of each factor that a linear model on all latents predicts: a logistic regression for classes, a
linear regression for real factors, whose normalised information is R^2 if errors are Gaussian of a fixed variance; of
an angle, that of its cosine and sine together. It is fitted on one half of the rows and measured on the other, and the
other way round, so that it does not grow with the number of latents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from dcign.arrays import Bool, Floating, Int64, IntP
from dcign.metrics.circular import as_vectors
from dcign.metrics.information import columns_of_blocks, entropy
from dcign.metrics.predictors import fitted_classifier
from dcign.metrics.regression import least_squares, linear_prediction
from dcign.metrics.tables import (
    ANGLE,
    CLASS,
    NUMBER,
    Blocks,
    Types,
    checked_blocks,
    classes,
    latents_and_factors,
    standardised,
    types_of,
)

NEIGHBOURS = 10  # as in the authors' code
COINCIDE = 1e-11  # of the range: values that are nearer than this are equal
SHUFFLES = 3  # of the factors, for the information that noise seems to have
BEYOND_NOISE = 5.0  # standard deviations above the most that a block has with shuffled factors, to be active
PRIOR = 0.01  # weight of the class frequencies in predictions, so that one wrong row has no unbounded loss
ITERATIONS = 100  # iterations of the logistic regression, as in the authors' code


@dataclass(frozen=True, eq=False)
class InfoMEC:
    """The scores, and the terms of each row that they are sums of.

    active (G,): which blocks have more information than noise; terms (N, G, F): each row's contribution to the
    information; losses, null_losses (N, F): of the linear model, and of a constant.
    """

    active: Bool
    terms: Floating
    losses: Floating
    null_losses: Floating

    @property
    def information(self) -> Floating:
        """Each block's share of each factor's entropy, at least 0: (G, F)."""
        return _share(self.terms)

    @property
    def modularity(self) -> float:
        """InfoM: how exclusively each active block informs about one factor, the mean over blocks: 0..1."""
        return concentration(self.information[self.active])

    @property
    def compactness(self) -> float:
        """InfoC: how exclusively each factor is told by one active block, the mean over factors: 0..1."""
        return concentration(self.information[self.active].T)

    @property
    def explicitness(self) -> float:
        """InfoE: the share of each factor that a linear model on all latents predicts, the mean over factors: 0..1."""
        return self.scores_of(self.terms, self.losses, self.null_losses)[1]

    def scores_of(self, terms: Floating, losses: Floating, null_losses: Floating) -> tuple[float, float, float]:
        """Return InfoM, InfoE and InfoC of some rows, such as those that a bootstrap draws; the blocks stay active."""
        found = _share(terms)[self.active]
        predicted = 1 - losses.sum(axis=0) / null_losses.sum(axis=0)
        return concentration(found), float(np.maximum(predicted, 0).mean()), concentration(found.T)


def infomec(
    latents: ArrayLike,
    factors: ArrayLike,
    rng: np.random.Generator,
    blocks: Blocks | None = None,
    least_range: float = 0.0,
    types: Types | None = None,
) -> InfoMEC:
    """Measure InfoMEC: (N, Z), (N, F). It does not depend on order, sign or scale of the latents.

    Parameters
    ----------
    latents, factors
        The tables. Factors of an integer type are classes; real ones are cut into classes for InfoM and InfoC.
    rng
        Shuffles the factors, to find which blocks have more information than noise, and draws the halves for InfoE.
    blocks
        Groups of latents that count as one. The information of a block is a lower bound, as in `mutual_information`.
    least_range
        Latents whose range is at most this part of the largest range are left out, too; their units then matter. The
        authors use 1/20.
    types
        Of each factor: number, class or angle, (F,). None: classes if the table is of an integer type, else numbers.
    """
    codes, truth = latents_and_factors(latents, factors)
    labels, values, found = classes(truth, types=types), truth.astype(np.float64), types_of(truth, types=types)
    columns, members = columns_of_blocks(codes, values, blocks, found)
    terms = _normalised_terms(columns, members, labels)
    ranges = np.ptp(codes, axis=0)
    widest = np.array([ranges[block].max() for block in checked_blocks(blocks, len(ranges))])
    wide = widest > least_range * ranges.max()
    active = wide & (terms.mean(axis=0).max(axis=1) > _noise(codes, values, labels, blocks, found, rng))
    losses, null_losses = _linear_losses(codes, truth, found, rng)
    return InfoMEC(active, terms, losses, null_losses)


def concentration(shares: Floating) -> float:
    """Return how much of each row is in its largest entry, scaled so that equal entries score 0: (R, C) -> 0..1.

    The mean over rows of max / sum, less 1 / C, divided by 1 - 1 / C. A single column scores 1, no row or column 0; a
    row of zeros counts as equal entries.
    """
    rows, columns = shares.shape
    if not rows or not columns or not shares.any():
        return 0.0
    if columns == 1:
        return 1.0
    total = shares.sum(axis=1)
    largest = np.where(total > 0, shares.max(axis=1) / np.where(total > 0, total, 1), 1 / columns)
    return float((largest.mean() - 1 / columns) / (1 - 1 / columns))


def neighbour_information(columns: Floating, truth: Int64, neighbours: int = NEIGHBOURS) -> Floating:
    """Return each row's term of the information between real columns and classes, nats: (N, C), (N,) -> (N, C).

    psi(N) + psi(k) - psi(n) - psi(m): n rows have the row's class; m rows are nearer than its k-th nearest neighbour
    in that class (Ross 2014). The mean is the estimate. Where values repeat, fewer than k rows of the class are nearer:
    their number takes the place of k. Rows that are alone in their class have the term 0.
    """
    spread = np.ptp(columns, axis=0)
    # Column c lies in 2 c .. 2 c + 1, so that one sorted array holds all columns.
    places = (columns - columns.min(axis=0)) / np.where(spread > 0, spread, 1) + 2 * np.arange(columns.shape[1])
    psi = digamma(np.arange(1, len(columns) + 1))  # of 1, 2, ...
    ranked, terms = np.sort(places, axis=0), np.zeros(columns.shape)
    for found in np.unique(truth):
        rows = np.flatnonzero(truth == found)
        count = len(rows)
        if count == 1:
            continue
        order = np.argsort(places[rows], axis=0, kind="stable")
        inside = np.take_along_axis(places[rows], order, axis=0)
        nearest = min(neighbours, count - 1)
        distance = _distance_to_neighbour(inside, nearest)
        reach = np.maximum(distance - COINCIDE, COINCIDE)
        counted = _within(inside, inside, reach)
        term = psi[-1] + psi[counted - 1] - psi[count - 1] - psi[_within(ranked, inside, reach) - 1]
        np.put_along_axis(terms, rows[order], term, axis=0)
    return terms


def _distance_to_neighbour(ranked: Floating, nearest: int) -> Floating:
    """Return the distance of each value to its `nearest`-th neighbour: ascending (n, C) -> (n, C).

    The neighbours of a value and the value itself are neighbours in order, so we look at all such windows.
    """
    count = len(ranked)
    distance = np.full(ranked.shape, np.inf)
    lowest, highest = ranked[: count - nearest], ranked[nearest:]
    for below in range(nearest + 1):
        middle = slice(below, count - nearest + below)
        farthest = np.maximum(ranked[middle] - lowest, highest - ranked[middle])
        np.minimum(distance[middle], farthest, out=distance[middle])
    return distance


def _within(ranked: Floating, centres: Floating, reach: Floating) -> IntP:
    """Count the values of the same column at most `reach` from each centre: ascending (N, C), (n, C), (n, C)."""
    values, lower, upper = ranked.T.ravel(), (centres - reach).T, (centres + reach).T
    first = np.searchsorted(values, lower.ravel(), "left")
    last = np.searchsorted(values, upper.ravel(), "right")
    return (last - first).reshape(lower.shape).T


def _normalised_terms(columns: Floating, members: list[int], labels: Int64) -> Floating:
    """Return the terms of each block's most informative column, over the factor's entropy: (N, C) -> (N, G, F)."""
    found = np.stack([neighbour_information(columns, factor) for factor in labels.T], axis=2)  # (N, C, F)
    mean, owners = found.mean(axis=0), np.array(members)
    kept = np.empty((len(found), owners.max() + 1, found.shape[2]))
    for block in range(kept.shape[1]):
        inside = np.flatnonzero(owners == block)
        best = inside[mean[inside].argmax(axis=0)]  # (F,)
        kept[:, block] = found[:, best, np.arange(len(best))]
    return kept / entropy(labels)


def _noise(
    codes: Floating, values: Floating, labels: Int64, blocks: Blocks | None, types: Types, rng: np.random.Generator
) -> Floating:
    """Return the share that each block has to exceed: what it has with shuffled factors, and a margin; (G,)."""
    found = []
    for _ in range(SHUFFLES):
        rows = rng.permutation(len(codes))
        columns, members = columns_of_blocks(codes, values[rows], blocks, types)
        found.append(_normalised_terms(columns, members, labels[rows]).mean(axis=0))
    shares = np.concatenate(found, axis=1)  # (G, SHUFFLES F)
    around = shares - shares.mean(axis=1, keepdims=True)
    bound: Floating = shares.max(axis=1) + BEYOND_NOISE * around.std()
    return bound


def _share(terms: Floating) -> Floating:
    """(N, G, F) -> (G, F), at least 0."""
    mean: Floating = np.maximum(terms.mean(axis=0), 0)
    return mean


def _linear_losses(
    codes: Floating, truth: NDArray[np.generic], types: Types, rng: np.random.Generator
) -> tuple[Floating, Floating]:
    """Return each row's loss of a linear model fitted on the other half of the rows, and of a constant: (N, F)."""
    rows = rng.permutation(len(codes))
    half = len(rows) // 2
    numbers = np.array([index for index, each in enumerate(types) if each == NUMBER], np.int64)
    losses, nulls = np.zeros(truth.shape), np.zeros(truth.shape)
    for fitted, measured in ((rows[:half], rows[half:]), (rows[half:], rows[:half])):
        inputs, asked = standardised(codes[fitted]), standardised(codes[measured], codes[fitted])
        if len(numbers):
            at = np.ix_(measured, numbers)
            losses[at], nulls[at] = _squared_losses(inputs, truth[np.ix_(fitted, numbers)], asked, truth[at])
        for index, each in enumerate(types):
            known, wanted = truth[fitted, index], truth[measured, index]
            if each == CLASS:
                found = _logistic_losses(
                    inputs, np.rint(known).astype(np.int64), asked, np.rint(wanted).astype(np.int64)
                )
                losses[measured, index], nulls[measured, index] = found
            elif each == ANGLE:
                vectors = _squared_losses(inputs, as_vectors(known), asked, as_vectors(wanted))
                losses[measured, index], nulls[measured, index] = (loss.sum(axis=1) for loss in vectors)
    return losses, nulls


def _squared_losses(
    inputs: Floating, known: NDArray[np.generic], asked: Floating, wanted: NDArray[np.generic]
) -> tuple[Floating, Floating]:
    """Return the squared errors of a linear regression, and of the mean, on each row measured: (M, C), (M, C)."""
    values, truth = known.astype(np.float64), wanted.astype(np.float64)
    weights = least_squares(inputs, values)
    return np.square(truth - linear_prediction(asked, weights)), np.square(truth - values.mean(axis=0))


def _logistic_losses(inputs: Floating, known: Int64, asked: Floating, measured: Int64) -> tuple[Floating, Floating]:
    """Return the log loss of a logistic regression, and of the class frequencies, on each row measured: (M,), (M,)."""
    named, counts = np.unique(known, return_counts=True)
    prior = counts / counts.sum()
    if len(named) > 1:
        from sklearn.linear_model import LogisticRegression  # slow to import

        model = fitted_classifier(LogisticRegression(C=np.inf, max_iter=ITERATIONS), inputs, known)
        chances = (1 - PRIOR) * model.predict_proba(asked) + PRIOR * prior
    else:
        chances = np.ones((len(asked), 1))
    at = np.searchsorted(named, measured).clip(max=len(named) - 1)
    seen = named[at] == measured  # a class of a few rows may be in one half alone
    unseen = 1 / (len(known) + 1)
    rows = np.arange(len(at))
    return -np.log(np.where(seen, chances[rows, at], unseen)), -np.log(np.where(seen, prior[at], unseen))
