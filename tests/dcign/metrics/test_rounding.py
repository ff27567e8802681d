"""Columns that are constant up to rounding: they tell nothing, and no spread of 1e-17 is divided by."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.evaluate.coefficients import explained_by_ridge, within_batches
from dcign.metrics import (
    factor_vae_score,
    interventional_robustness,
    linear_leakage,
    mutual_information,
    mutual_information_gap,
    r_squared,
)
from dcign.metrics.regression import fit_line
from dcign.metrics.tables import deviations

ROWS = 1000


@pytest.fixture
def factors():
    return np.random.default_rng(0).uniform(-1, 1, (ROWS, 2))


@pytest.fixture
def noise():
    return np.random.default_rng(1).normal(size=ROWS)


def constant(value=0.1):
    """A column whose standard deviation is not 0, but 1e-17."""
    column = np.full(ROWS, value)
    assert column.std() > 0
    return column


def test_a_constant_column_has_no_deviation(noise):
    column = constant()
    column[0] = np.nextafter(0.1, 1)
    found = deviations(np.stack([noise, constant(), column], axis=1))
    assert found[0] == pytest.approx(noise.std())
    assert found[1:].tolist() == [0, 0]


def test_a_latent_that_is_constant_in_either_table_leaks_nothing(factors, noise):
    train, test = (np.stack([noise, constant(value)], axis=1) for value in (0.1, 0.1001))
    np.testing.assert_allclose(linear_leakage(train, factors, test, factors, [(), ()]), 0, atol=0.05)
    assert explained_by_ridge(train, factors, test, factors) == pytest.approx(0, abs=0.05)


def test_a_latent_that_is_constant_within_batches_has_no_differences():
    batches = np.repeat([[[0.1]], [[0.7]]], 20, axis=1)
    assert within_batches(batches).tolist() == [[0]] * 40


def test_a_line_from_a_constant_latent_is_flat_and_a_constant_factor_has_no_variance(factors, noise):
    assert fit_line(constant(), factors[:, 0]) == (0, factors[:, 0].mean())
    assert r_squared(constant(), noise) == 0


def test_a_constant_latent_has_no_vote_and_is_not_robust(factors):
    codes = factors * [1, 0]
    codes[:, 1] = 0.1
    drawn = (factor_vae_score(table, factors, np.random.default_rng(0)) for table in (codes, codes[:, :1]))
    assert next(drawn) == next(drawn)
    assert interventional_robustness(codes[:, 1:], factors) == 0


def test_a_latent_whose_values_differ_by_one_rounding_is_in_one_bin(factors):
    column = np.full(ROWS, 0.1)
    column[::2] = np.nextafter(0.1, 1)
    latents = np.stack([factors[:, 0], column], axis=1)
    assert mutual_information(latents, factors)[1].tolist() == [0, 0]
    assert mutual_information_gap(latents, factors) > 0.4
