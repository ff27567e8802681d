"""Angles that go all the way round: their errors, R^2, and how they are read from two latents."""

import numpy as np
import pytest
from scipy.stats import circmean

from dcign.metrics.circular import (
    ClosedCurve,
    as_angles,
    as_vectors,
    best_pair,
    circular_r_squared,
    factor_columns,
    fit_curve,
    linear_angles,
    near,
    per_column,
    per_factor,
    read_circle,
    spread_on_circle,
    wrapped,
)
from dcign.metrics.regression import r_squared


def angles(count=3000, seed=0):
    return np.random.default_rng(seed).uniform(-180, 180, count)


def latents_of(values, seed=1, noise=0.02):
    """Four latents: noise, and a turned, squeezed, shifted and uneven circle in the second and fourth."""
    rng = np.random.default_rng(seed)
    uneven = values + 20 * np.sin(np.radians(values)) + 40
    circle = as_vectors(-uneven) * [1.5, 0.6] @ [[0.8, 0.6], [-0.6, 0.8]] + [0.3, -1.0]
    codes = rng.normal(0, 1, (len(values), 4))
    codes[:, [1, 3]] = circle + rng.normal(0, noise, circle.shape)
    return codes


def test_an_error_is_the_shorter_way_round():
    assert wrapped(np.array([179.0 - -179.0, -359.0, 180.0, 540.0, 10.0])).tolist() == [-2, 1, -180, -180, 10]
    assert near(np.array([-179.0]), np.array([178.0])).tolist() == [181]


def test_vectors_and_angles_are_each_others_inverse():
    values = angles()
    np.testing.assert_allclose(as_angles(as_vectors(values)), values, atol=1e-9)


@pytest.mark.parametrize("centre", [0.0, 90.0, 175.0, -180.0])
def test_the_spread_is_that_of_the_best_of_all_constants(centre):
    values = wrapped(centre + np.random.default_rng(2).normal(0, 70, 200))
    constants = np.arange(-180, 180, 0.05)
    each = np.square(wrapped(values[None] - constants[:, None])).mean(axis=1)
    assert spread_on_circle(values) == pytest.approx(each.min(), rel=1e-5)
    assert spread_on_circle(values) <= each.min() + 1e-9
    narrow = wrapped(centre + np.random.default_rng(2).normal(0, 5, 200))
    mean = circmean(narrow, 180, -180)  # of a narrow spread, the two means nearly agree
    assert spread_on_circle(narrow) == pytest.approx(np.square(wrapped(narrow - mean)).mean(), rel=1e-4)


def test_r_squared_does_not_depend_on_where_the_circle_is_cut():
    truth = angles()
    read = wrapped(truth + np.random.default_rng(3).normal(0, 20, len(truth)))
    found = circular_r_squared(truth, read)
    assert found == pytest.approx(1 - 20**2 / (180**2 / 3), abs=0.01)
    assert circular_r_squared(wrapped(truth + 77), wrapped(read + 77)) == pytest.approx(found)
    assert r_squared(truth, read) < found - 0.1  # on the line, a read across the cut is an error of nearly 360
    assert circular_r_squared(truth, truth) == 1
    assert circular_r_squared(truth, np.zeros_like(truth)) == pytest.approx(0, abs=0.03)
    assert circular_r_squared(truth, angles(seed=9)) == pytest.approx(0, abs=0.03)
    assert circular_r_squared(np.full(5, 30.0), np.full(5, 30.0)) == 0


def test_two_latents_are_read_as_an_angle_however_the_curve_lies_in_them():
    train, test = angles(seed=4), angles(seed=5)
    curve = fit_curve(latents_of(train)[:, [1, 3]], train)
    held = latents_of(test, seed=6)[:, [1, 3]]
    assert np.abs(wrapped(curve.angle(held) - test)).mean() < 3
    assert np.abs(wrapped(linear_angles(latents_of(train)[:, [1, 3]], train, held) - test)).mean() > 5


def test_a_crescent_is_read_though_its_middle_is_outside():
    values = angles()
    radians = np.radians(values)
    crescent = np.stack([np.cos(radians) + np.cos(2 * radians), 2 * np.sin(radians)], axis=1)
    noisy = crescent + np.random.default_rng(8).normal(0, 0.02, crescent.shape)
    assert np.abs(wrapped(fit_curve(noisy, values).angle(noisy) - values)).mean() < 3
    assert np.abs(wrapped(linear_angles(noisy, values, noisy) - values)).mean() > 10


def test_a_curve_has_no_seam_and_its_points_are_read_back():
    values = angles()
    curve = fit_curve(latents_of(values)[:, [1, 3]], values)
    asked = np.array([-180.0, -179.9, -100.0, 0.0, 50.0, 179.9])
    np.testing.assert_allclose(wrapped(curve.angle(curve.at(asked)) - asked), 0, atol=1e-6)
    np.testing.assert_allclose(curve.at(asked + 720), curve.at(asked), atol=1e-9)
    assert np.abs(curve.at(asked[:1]) - curve.at(asked[-1:])).max() < 0.01


def test_a_curve_that_is_a_point_reads_some_angle():
    found = ClosedCurve(np.zeros((72, 2))).angle(np.ones((3, 2)))
    assert found.tolist() == [-180] * 3


def test_the_best_pair_of_latents_is_the_circles():
    values = angles()
    assert best_pair(latents_of(values), values) == (1, 3)


def test_reading_a_circle_scores_unseen_rows_with_intervals():
    train, test = angles(seed=4), angles(seed=5)
    tables = latents_of(train), train, latents_of(test, seed=6), test
    found = read_circle(*tables, (1, 3), np.random.default_rng(0))
    assert found.latents == (1, 3)
    assert found.r2 > 0.999 > found.r2_linear > 0.9
    low, high = found.intervals["r2"]
    assert low < found.r2 < high
    assert read_circle(*tables, (0, 2)).r2 < 0
    assert read_circle(*tables, (0, 2)).intervals == {}


def test_a_probe_predicts_cosine_and_sine_which_count_as_one_factor():
    factors = np.stack([angles(500), np.linspace(-3, 3, 500)], axis=1)
    circular = (True, False)
    columns = factor_columns(factors, circular)
    np.testing.assert_allclose(columns[:, :2], as_vectors(factors[:, 0]))
    np.testing.assert_array_equal(columns[:, 2], factors[:, 1])
    assert per_column(["a", "b"], circular) == ["a", "a", "b"]
    predicted = columns + np.random.default_rng(7).normal(0, 0.3, columns.shape)
    each = np.array([r_squared(*pair) for pair in zip(columns.T, predicted.T, strict=True)])
    both = 1 - np.square(columns - predicted)[:, :2].sum() / np.square(columns - columns.mean(axis=0))[:, :2].sum()
    found = per_factor(each, columns, circular)
    assert found[0] == pytest.approx(both)
    assert found[1] == each[2]
