"""MIG, modularity, SAP and DCI against slow implementations, written as in disentanglement_lib, on difficult tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.svm import LinearSVC

from dcign.metrics import dci, modularity, mutual_information_gap, sap, sap_continuous
from dcign.metrics.information import information
from dcign.metrics.predictors import HISTOGRAM

ROWS, FITTED = 420, slice(280)
HELD = slice(280, ROWS)


def plain(rng):
    factors = np.stack([rng.integers(0, size, ROWS) for size in (7, 4, 12)], axis=1)
    return factors + 0.3 * rng.normal(size=factors.shape), factors


def dead_and_constant(rng):
    latents, factors = plain(rng)
    return np.c_[latents, np.zeros(ROWS), np.full(ROWS, 7.5), 1e-9 * rng.normal(size=ROWS)], factors


def two_classes_and_unequal_ones(rng):
    factors = np.stack([rng.integers(0, 2, ROWS), rng.geometric(0.5, ROWS).clip(max=6)], axis=1)
    return np.c_[
        factors[:, :1] + 0.8 * rng.normal(size=(ROWS, 1)), rng.normal(size=(ROWS, 2)), factors[:, 1] ** 2
    ], factors


def shifted_and_scaled(rng):
    latents, factors = plain(rng)
    return latents * [1e-4, 30, 1] + [5e3, -200, 0], factors


def copied_latents(rng):
    latents, factors = plain(rng)
    return np.c_[latents, latents[:, ::-1], -latents[:, :1]], factors


def heavy_tails(rng):
    latents, factors = plain(rng)
    return np.sign(latents) * np.abs(latents) ** 3 + rng.standard_cauchy(latents.shape), factors


def one_latent_for_all(rng):
    _, factors = plain(rng)
    return np.c_[factors.sum(axis=1), rng.normal(size=(ROWS, 2))], factors


def steps_and_negative_names(rng):
    latents, factors = plain(rng)
    return latents.round(), factors * 3 - 11


TABLES = (
    plain, dead_and_constant, two_classes_and_unequal_ones, shifted_and_scaled, copied_latents, heavy_tails,
    one_latent_for_all, steps_and_negative_names,
)  # fmt: skip


@pytest.fixture(params=TABLES, ids=lambda make: make.__name__)
def tables(request):
    return request.param(np.random.default_rng(11))


def twin_information(latents, factors):
    """Mutual information of 20 histogram bins of each latent with each factor: (Z, F)."""
    bins = [np.digitize(column, np.histogram(column, 20)[1][:-1]) for column in latents.T]
    return np.array([[mutual_info_score(factor, each) for factor in factors.T] for each in bins])


@pytest.mark.parametrize("rows", [1, 50, 999])
@pytest.mark.parametrize("classes", [1, 2, 20])
def test_information_is_scikit_learn_s_to_the_last_digit(rows, classes):
    rng = np.random.default_rng(rows)
    bins = rng.integers(0, 20, (rows, 4))
    truth = np.where(rng.random((rows, 1)) < 0.5, bins[:, :2], rng.integers(0, classes, (rows, 2)))
    truth[:, 1] = rng.integers(0, classes, rows)
    tables = [[contingency_matrix(column, factor) for factor in truth.T] for column in bins.T]
    wanted = [[mutual_info_score(None, None, contingency=table) for table in row] for row in tables]
    assert information(bins, [0, 1, 2, 3], truth).tolist() == wanted


def test_the_gap_and_modularity_are_the_twins(tables):
    latents, factors = tables
    found = twin_information(latents, factors)
    ranked = np.sort(found, axis=0)[::-1]
    entropies = np.array([mutual_info_score(factor, factor) for factor in factors.T])
    assert mutual_information_gap(latents, factors) == pytest.approx(
        np.mean((ranked[0] - ranked[1]) / entropies), abs=1e-9
    )
    squared = found**2
    most = squared.max(axis=1)
    with np.errstate(invalid="ignore"):
        pure = 1 - (squared.sum(axis=1) - most) / (most * (factors.shape[1] - 1))
    pure[most == 0] = 0
    assert modularity(latents, factors) == pytest.approx(pure.mean(), abs=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_separation_is_the_twins(tables):
    latents, factors = tables
    right = np.zeros((latents.shape[1], factors.shape[1]))
    shared = np.zeros_like(right)
    for place, code in enumerate(latents.T):
        for column, factor in enumerate(factors.T):
            machine = LinearSVC(C=0.01, class_weight="balanced", random_state=0).fit(code[FITTED, None], factor[FITTED])
            right[place, column] = np.mean(machine.predict(code[HELD, None]) == factor[HELD])
            between = np.cov(code, factor, ddof=1)
            if between[0, 0] > 1e-12:
                shared[place, column] = between[0, 1] ** 2 / (between[0, 0] * between[1, 1])
    for found, scores in (
        (sap(latents[FITTED], factors[FITTED], latents[HELD], factors[HELD]), right),
        (sap_continuous(latents, factors), shared),
    ):
        ranked = np.sort(scores, axis=0)
        assert found == pytest.approx(np.mean(ranked[-1] - ranked[-2]), abs=1e-6)


@pytest.mark.parametrize("make", [dead_and_constant, two_classes_and_unequal_ones, shifted_and_scaled, copied_latents])
def test_the_histogram_trees_agree_with_scikit_learns(make, monkeypatch):
    latents, factors = (table[:, :5] for table in make(np.random.default_rng(5)))
    factors = factors[:, :2]  # more would take seconds
    importances, right = [], []
    for factor in factors.T:
        trees = GradientBoostingClassifier(random_state=0).fit(latents[FITTED], factor[FITTED])
        importances.append(trees.feature_importances_)
        right.append(np.mean(trees.predict(latents[HELD]) == factor[HELD]))
    table = np.stack(importances, axis=1)
    pure = 1 - entropy(table + 1e-11, base=2, axis=1)
    # Our own trees, where there are more than two classes.
    monkeypatch.setattr("dcign.metrics.predictors.EXACT_CELLS", 0)
    found = dci(latents[FITTED], factors[FITTED], latents[HELD], factors[HELD], np.random.default_rng(0))
    assert HISTOGRAM in found.estimator
    assert found.disentanglement == pytest.approx(np.average(pure, weights=table.sum(axis=1)), abs=0.01)
    assert found.informativeness == pytest.approx(np.mean(right), abs=0.02)  # theirs differs as much by seed
