"""Factors that are correlated as asked, each still uniform over its range; and what contradicts itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dcign.errors import RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.correlation import Correlation, check_correlations, correlated, parse_correlations
from dcign.render.plan.ranges import Range

FACTORS = ("azimuth", "elevation", "light_azimuth")
ASKED = (Correlation("azimuth", "light_azimuth", 0.8), Correlation("elevation", "azimuth", -0.4))
PLAIN = RenderConfiguration(Splits(train=40, test=8, iid=4, sweep_levels=(5, 3, 4)), size=32, seed=9)
JOINED = replace(PLAIN, correlate=ASKED)


def test_each_factor_stays_uniform_and_pairs_have_the_correlation_asked_for() -> None:
    uniform = np.random.default_rng(0).random((3, 200_000))
    joined = correlated(uniform, FACTORS, ASKED)
    wanted = np.array([[1, -0.4, 0.8], [-0.4, 1, 0], [0.8, 0, 1]])
    np.testing.assert_allclose(np.corrcoef(joined), wanted, atol=0.008)
    np.testing.assert_allclose(np.quantile(joined, [0.1, 0.5, 0.9], axis=1).T, [[0.1, 0.5, 0.9]] * 3, atol=0.005)


def test_without_correlations_nothing_moves() -> None:
    uniform = np.random.default_rng(0).random((3, 1000))
    np.testing.assert_allclose(correlated(uniform, FACTORS, ()), uniform, atol=1e-12)


def test_the_lowest_number_that_a_generator_returns_is_finite() -> None:
    assert np.isfinite(correlated(np.zeros((3, 1)), FACTORS, ASKED)).all()


def test_images_of_iid_and_the_constants_of_batches_are_correlated(model: MorphableModel) -> None:
    coarse = replace(model, levels=())
    iid = np.concatenate([plan_batch(JOINED, coarse, "iid", number).factors for number in range(60)])
    found = np.corrcoef(iid.T)
    assert found[0, 2] == pytest.approx(0.8, abs=0.04)
    assert found[0, 1] == pytest.approx(-0.4, abs=0.08)
    assert found[1, 2] == pytest.approx(0, abs=0.1)
    plans = [plan_batch(JOINED, coarse, "train", number) for number in range(400)]
    constant = np.array([plan.factors[0] for plan in plans if plan.varies == "identity"])
    assert np.corrcoef(constant.T)[0, 2] == pytest.approx(0.8, abs=0.12)
    constant = np.array([plan.factors[0] for plan in plans if plan.varies == "light_azimuth"])
    assert np.corrcoef(constant.T)[0, 1] == pytest.approx(-0.4, abs=0.25)
    for plan in plans[:8]:  # still one thing at a time
        constant_factors = [len(np.unique(column)) == 1 for column in plan.factors.T]
        assert constant_factors == [name != plan.varies for name in FACTORS]


def test_what_varies_alone_runs_through_its_range_whatever_is_constant(model: MorphableModel) -> None:
    coarse = replace(model, levels=())
    for number in (0, 2):
        plain, joined = (plan_batch(each, coarse, "train", number) for each in (PLAIN, JOINED))
        column = FACTORS.index(plain.varies)
        np.testing.assert_array_equal(joined.factors[:, column], plain.factors[:, column])
    plans = [plan_batch(JOINED, coarse, "train", number) for number in range(0, 800, 4)]  # azimuth varies
    first, light = np.array([(plan.factors[0, 0], plan.factors[0, 2]) for plan in plans]).T
    assert abs(np.corrcoef(first, light)[0, 1]) < 0.2


def test_correlated_values_stay_in_their_ranges(model: MorphableModel) -> None:
    extreme = replace(JOINED, azimuth=Range(20, 20.5), correlate=(Correlation("azimuth", "light_azimuth", -0.999),))
    values = np.concatenate([plan_batch(extreme, model, "iid", number).factors[:, 0] for number in range(20)])
    assert values.min() >= 20
    assert values.max() <= 20.5


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["azimuth=0.8"], "expected --correlate FACTOR,FACTOR=R"),
        (["azimuth,elevation"], "expected --correlate FACTOR,FACTOR=R"),
        (["azimuth,elevation=much"], "expected --correlate FACTOR,FACTOR=R"),
        (["azimuth,elevation,light_azimuth=0.3"], "expected --correlate FACTOR,FACTOR=R"),
        (["azimuth,distance=0.3"], "expected two of the factors azimuth, elevation, light_azimuth .* found azimuth"),
        (["azimuth,azimuth=0.3"], "give two different factors"),
        (["azimuth,elevation=1"], "expected a correlation between -1 and 1, found 1"),
        (["azimuth,elevation=-1.5"], "expected a correlation between -1 and 1, found -1.5"),
        (["azimuth,elevation=nan"], "expected a correlation between -1 and 1, found nan"),
        (["azimuth,elevation=.3", "elevation,azimuth=.2"], "expected one --correlate for elevation and azimuth"),
        (["azimuth,elevation=.9", "azimuth,light_azimuth=.9", "elevation,light_azimuth=-.5"], "not positive definite"),
    ],
)
def test_correlations_that_cannot_be_are_refused(words: list[str], sentence: str) -> None:
    with pytest.raises(RenderError, match=sentence):
        check_correlations(parse_correlations(words), FACTORS)


def test_a_configuration_comes_back_with_its_correlations() -> None:
    assert RenderConfiguration.from_dict(JOINED.as_dict()) == JOINED
    assert "correlate" not in PLAIN.as_dict()
    assert JOINED.sha256() != PLAIN.sha256()
