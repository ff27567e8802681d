"""DCI of real factors, and over some of the latents alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor

from dcign.errors import TrainingError
from dcign.metrics import DCI, blocks_around, boosting, dci_continuous
from dcign.metrics.predictors import HISTOGRAM

ROWS = slice(700), slice(700, 1000)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def monotone(rng):
    """Three factors in degrees, one monotone latent each, slightly noisy, and four latents of noise."""
    factors = rng.uniform(-80, 80, (1000, 3))
    own = np.sinh(factors / 60) + 0.02 * rng.normal(size=factors.shape)
    return np.concatenate([own, rng.normal(size=(1000, 4))], axis=1), factors


def measured(latents, factors, rng, **options):
    return dci_continuous(latents[ROWS[0]], factors[ROWS[0]], latents[ROWS[1]], factors[ROWS[1]], rng, **options)


def test_the_regression_trees_are_scikit_learns(monotone, rng):
    latents, factors = monotone
    latents, values = latents.round(2), factors[:, 0] + 0.3 * factors[:, 1]
    ours = boosting.fit_boosted_regressor(latents[:500], values[:500], rng)
    theirs = GradientBoostingRegressor(random_state=0).fit(latents[:500], values[:500])
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=0.005)
    np.testing.assert_allclose(ours.predict(latents[500:]), theirs.predict(latents[500:]), atol=3)


def test_monotone_latents_are_disentangled_and_rotated_ones_are_not(monotone, rng):
    latents, factors = monotone
    found = measured(latents, factors, rng)
    assert found.estimator == HISTOGRAM
    assert min(found.disentanglement, found.completeness, found.informativeness) > 0.97
    turned = np.linalg.qr(rng.normal(size=(7, 7)))[0]
    mixed = measured(latents @ turned, factors, rng)
    assert max(mixed.disentanglement, mixed.completeness) < 0.7
    noise = measured(rng.normal(size=latents.shape), factors, rng)
    assert noise.informativeness < 0.05


def test_units_and_offsets_of_latents_and_factors_do_not_matter(monotone, rng):
    latents, factors = monotone
    found = measured(latents, factors, np.random.default_rng(0))
    scaled = measured(-3 * latents + 5, 1e4 * factors + 1e6, np.random.default_rng(0))
    assert scaled.disentanglement == pytest.approx(found.disentanglement, abs=2e-3)
    assert scaled.informativeness == pytest.approx(found.informativeness, abs=2e-3)


def test_a_constant_factor_is_refused_and_a_constant_latent_has_no_importance(monotone, rng):
    latents, factors = monotone
    with pytest.raises(TrainingError, match="found one value of factor 1 in all 700 rows: measure"):
        measured(latents, np.c_[factors[:, 0], np.ones(1000)], rng)
    latents[:, 5] = 4.0
    assert not measured(latents, factors, rng).importances[5].any()
    with pytest.raises(TrainingError, match="found 7 latents and 3 factors against 6 and 3"):
        dci_continuous(latents, factors, latents[:, :6], factors, rng)


def test_over_the_factors_alone_what_is_spread_over_the_others_does_not_count():
    importances = np.array([[0.8, 0, 0], [0, 0.8, 0], [0, 0, 0.8], [0.1, 0.1, 0.1], [0.1, 0.1, 0.1]])
    found = DCI(1.0, 1.0, importances, HISTOGRAM)
    assert found.disentanglement == pytest.approx(0.8)
    assert found.grouped(blocks_around([0, 1, 2], 5)).disentanglement == pytest.approx(0.8)
    assert found.disentanglement_of([0, 1, 2]) == pytest.approx(1)
    assert found.disentanglement_of([0, 0, 3]) == pytest.approx(0.8 / 1.1)  # a latent named twice counts once
    assert found.disentanglement_of([3]) == pytest.approx(0, abs=1e-9)
