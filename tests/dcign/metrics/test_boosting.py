"""Laws of the boosted trees of DCI, and that they are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.ensemble import GradientBoostingClassifier

from dcign.metrics import boosting
from tests.support.known_codes import rng, world


def test_the_classification_trees_are_scikit_learns():
    latents, factors = world("rotated", seed=3)
    latents[:, 4] = latents[:, 4].round(1)
    truth = factors[:500, 0] + 3
    ours = boosting.fit_boosted_classifier(latents[:500], truth, rng())
    theirs = GradientBoostingClassifier(random_state=0).fit(latents[:500], truth)
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=0.01)
    same = ours.predict(latents[500:]) == theirs.predict(latents[500:])
    assert same.mean() > 0.97
    apart = softmax(ours.scores(latents[500:]), axis=1) - theirs.predict_proba(latents[500:])
    assert np.abs(apart).mean() < 0.01


def test_latents_that_split_equally_well_share_the_importance():
    latents, factors = world()
    twice = np.repeat(latents[:300, :1], 2, axis=1)
    first, second = boosting.fit_boosted_classifier(twice, factors[:300, 0], rng()).feature_importances_
    assert 0.35 < first < 0.65
    assert first + second == pytest.approx(1)


def test_a_leaf_whose_classes_are_certain_is_left_alone():
    assert not boosting._newton(np.zeros(3), np.ones(3), 4, np.zeros(3, int)).any()


def test_trees_with_few_bins_are_close(monkeypatch):
    latents, factors = world("rotated", seed=3)
    exact = boosting.fit_boosted_classifier(latents, factors[:, 1], rng()).feature_importances_
    monkeypatch.setattr(boosting, "BINS", 200)
    np.testing.assert_allclose(
        boosting.fit_boosted_classifier(latents, factors[:, 1], rng()).feature_importances_, exact, atol=0.03
    )


def test_trees_that_nothing_can_split_have_no_importance():
    found = boosting.fit_boosted_classifier(np.ones((60, 3)), np.arange(60) % 3, rng())
    assert not found.feature_importances_.any()
    assert set(found.predict(np.ones((5, 3)))) == {0}
