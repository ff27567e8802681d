"""Regression metrics, calibration, leakage and MIG, on codes whose quality is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.isotonic import IsotonicRegression

from dcign.evaluate.codes import Codes, thinning
from dcign.evaluate.leakage import measure_leakage
from dcign.metrics import (
    best_latent,
    fit_monotone,
    mutual_information_gap,
    psnr_decibels,
    r_squared,
    read_monotone_latent,
    spearman,
)
from dcign.trained.calibration import calibrate, from_json, to_json

RANGES = np.array([[-86, 86], [-23, 23], [-80, 80]], dtype=float)


def codes(rotation=0.0, noise=0.0, own=True, seed=0, batches=40):
    """Codes (B, 20, 6) whose first three latents are the factors, rotated into the last three by an angle."""
    rng = np.random.default_rng(seed)
    factors = rng.uniform(RANGES[:, 0], RANGES[:, 1], (batches, 20, 3))
    first = factors / RANGES[:, 1] if own else rng.uniform(-1, 1, factors.shape)
    rest = rng.normal(0, 0.5, (batches, 20, 3))
    turn, lean = np.cos(rotation), np.sin(rotation)
    mu = np.concatenate([turn * first + lean * rest, turn * rest - lean * first], axis=2)
    mu += noise * rng.normal(size=mu.shape)
    logvar = np.full(mu.shape, 2 * np.log(0.05))
    return Codes(mu.astype(np.float32), logvar.astype(np.float32), factors.astype(np.float32), np.full(batches, -1))


OWN, PLAIN, NO_CLASSES = [(0,), (1,), (2,)], (False, False, False), ((), (), ())


def all_alive(count=6):
    return np.ones(count, dtype=bool)


def test_a_perfect_prediction_scores_one_and_the_mean_zero():
    truth = np.arange(10.0)
    assert r_squared(truth, truth) == 1
    assert r_squared(truth, np.full(10, truth.mean())) == 0
    assert r_squared(truth, truth[::-1]) < 0


@pytest.mark.parametrize("narrow", [np.float16, np.float32])
def test_labels_of_a_narrow_float_type_score_as_in_float64(narrow):
    rng = np.random.default_rng(0)
    scale = 40 if narrow is np.float16 else 1e19  # whose squares, or their sum, overflow in the narrow type
    truth = (scale * rng.uniform(-2, 2, (1000, 1))).astype(narrow)
    noise = rng.normal(size=(1000, 1)).astype(narrow)
    assert r_squared(truth, truth[::-1]) == pytest.approx(r_squared(truth.astype(float), truth[::-1].astype(float)))
    found, wide = (
        read_monotone_latent(noise, values, noise, values)[0] for values in (truth, truth.astype(np.float64))
    )
    assert found.r2 == pytest.approx(wide.r2, abs=1e-4)
    assert found.r2 < 0.1


def test_the_rank_correlation_is_scipys():
    rng = np.random.default_rng(0)
    first = rng.normal(size=200).round(1)
    second = first + rng.normal(size=200).round(1)
    assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert spearman(first, np.zeros(200)) == 0


def test_a_tenth_of_the_range_is_twenty_decibels_and_only_the_mask_counts():
    error = np.full((2, 8, 8, 1), 0.1)
    error[:, :4] = 0.9
    mask = np.zeros((2, 8, 8))
    mask[:, 4:] = 1
    np.testing.assert_allclose(psnr_decibels(error, mask), 20)
    np.testing.assert_allclose(psnr_decibels(np.full((2, 8, 8, 3), 0.01)), 40)


def test_a_monotone_map_finds_degrees_whatever_the_latents_units_and_sign():
    angles = np.random.default_rng(0).uniform(-80, 80, 4000)
    for sign in (1, -1):
        latent = sign * np.sinh(angles / 40)
        fit = calibrate("azimuth", 0, latent, angles)
        np.testing.assert_allclose(fit.value(latent), angles, atol=1)
        np.testing.assert_allclose(fit.value(fit.code(np.linspace(-75, 75, 9))), np.linspace(-75, 75, 9), atol=1)
        assert r_squared(angles, fit.linear(latent)) < 0.98


def test_the_monotone_map_is_the_isotonic_fit():
    rng = np.random.default_rng(1)
    inputs = rng.uniform(-1, 1, 3000)
    outputs = inputs**3 + 0.2 * rng.normal(size=3000)
    fit = IsotonicRegression(out_of_bounds="clip").fit(inputs, outputs)
    np.testing.assert_allclose(fit_monotone(inputs, outputs)(inputs), fit.predict(inputs), atol=0.02)


def test_a_calibration_survives_json():
    rng = np.random.default_rng(2)
    fit = calibrate("light_azimuth", 2, rng.normal(size=500), rng.normal(size=500))
    again = from_json(to_json(fit))
    values = np.linspace(-3, 3, 50)
    assert (again.factor, again.latent) == ("light_azimuth", 2)
    np.testing.assert_array_equal(again.value(values), fit.value(values))
    np.testing.assert_array_equal(again.linear(values), fit.linear(values))


def test_perfect_codes_leak_nothing_and_have_a_gap():
    train, test = codes(seed=0), codes(seed=1)
    for leak in measure_leakage(train, test, OWN, PLAIN, NO_CLASSES, all_alive()):
        assert max(leak.sampled, leak.active, leak.everything) < 0.05
    assert mutual_information_gap(test.flat_mu, test.flat_factors) > 0.8
    assert [best_latent(train.flat_mu, column) for column in train.flat_factors.T] == [0, 1, 2]


def test_rotated_codes_leak_and_have_no_gap():
    train, test = codes(rotation=np.pi / 4, seed=0), codes(rotation=np.pi / 4, seed=1)
    for leak in measure_leakage(train, test, OWN, PLAIN, NO_CLASSES, all_alive()):
        assert min(leak.sampled, leak.active, leak.everything) > 0.3
    assert mutual_information_gap(test.flat_mu, test.flat_factors) < 0.2


def test_a_factor_in_the_square_of_another_latent_is_found():
    """Where a straight line finds nothing, the probe does."""
    train, test = codes(seed=0), codes(seed=1)
    for made in (train, test):
        made.mu[..., 5] = np.square(made.factors[..., 0] / 86)
    swapped = measure_leakage(train, test, [(1,), (0,), (2,)], PLAIN, NO_CLASSES, all_alive())
    assert swapped[1].active > 0.9  # elevation's latents: all but 0 ...
    leak = measure_leakage(train, test, OWN, PLAIN, NO_CLASSES, all_alive())[0]
    assert leak.active < 0.1  # ... while the square alone has lost the sign


def test_noise_has_neither_leak_nor_gap():
    train, test = codes(own=False, seed=0), codes(own=False, seed=1)
    for leak in measure_leakage(train, test, OWN, PLAIN, NO_CLASSES, all_alive()):
        assert max(leak.sampled, leak.active, leak.everything) < 0.05
    assert mutual_information_gap(test.flat_mu, test.flat_factors) < 0.05


def test_what_is_not_alive_is_not_asked():
    train, test = codes(rotation=np.pi / 4, seed=0), codes(rotation=np.pi / 4, seed=1)
    alive = np.array([True, True, True, False, False, False])
    for leak in measure_leakage(train, test, OWN, PLAIN, NO_CLASSES, alive):
        assert leak.active < 0.05 < 0.3 < leak.everything


def test_thinning_keeps_every_batch_while_it_can():
    def kept(images):
        return tuple(map(len, thinning(30, 20, images)))

    assert kept(150) == (30, 5)
    assert kept(10**6) == (30, 20)
    assert kept(10) == (10, 1)
    assert thinning(30, 20, 10)[0].tolist() == sorted({*thinning(30, 20, 10)[0].tolist()})
