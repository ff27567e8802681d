"""Directions: an entangled code's factor, by the paper's rule and by linear regression."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dcign.errors import TrainingError
from dcign.evaluate.directions import (
    FILE,
    Baselines,
    Direction,
    fit_baselines,
    load_directions,
    max_variance_latents,
    regression_direction,
    save_directions,
)
from dcign.trained.calibration import calibrate

LATENTS = 5


@pytest.fixture
def entangled(rng):
    """A factor along a slanted direction of five latents, and noise across it: unit (Z,), mu (N, Z), values (N,)."""
    unit = np.array([0.6, 0.0, -0.8, 0.0, 0.0])
    values = rng.uniform(-80, 80, 2000)
    across = rng.normal(size=(2000, LATENTS))
    across -= (across @ unit)[:, None] * unit
    return unit, across + np.sinh(values / 60)[:, None] * unit + 3, values


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_the_regression_finds_a_slanted_direction_and_predicts_the_factor_along_it(entangled):
    unit, mu, values = entangled
    found = regression_direction("azimuth", mu, values)
    assert np.linalg.norm(found.axes) == pytest.approx(1)
    assert found.axes[0] @ unit == pytest.approx(1, abs=1e-3)
    assert np.abs(found.value(mu) - values).mean() < 1
    assert found.calibration.latent == 2  # where the direction is largest
    assert found.calibration.slope > 0


def test_a_moved_code_has_the_value_asked_for_and_changes_along_the_direction_alone(entangled):
    _, mu, values = entangled
    found = regression_direction("azimuth", mu, values)
    moved = found.moved(mu[:50], 30.0)
    np.testing.assert_allclose(found.value(moved), 30, atol=0.5)
    change = moved - mu[:50]
    np.testing.assert_allclose(change, (change @ found.axes.T) @ found.axes, atol=1e-9)
    each = np.linspace(-70, 70, 50)
    np.testing.assert_allclose(found.value(found.moved(mu[:50], each)), each, atol=1.5)
    assert found.moved(mu[:1].astype(np.float32), 0).dtype == np.float32


def test_codes_of_another_network_are_refused(entangled):
    _, mu, values = entangled
    found = regression_direction("azimuth", mu, values)
    for use in (found.coordinates, found.value, lambda codes: found.moved(codes, 30.0)):
        with pytest.raises(TrainingError, match=r"expected codes \(N, 5\), found shape \(2000, 4\): pass codes"):
            use(mu[:, :4])


def test_a_single_latent_as_a_direction_is_that_latent(entangled):
    _, mu, values = entangled
    found = Direction.of_latents(calibrate("azimuth", 2, mu[:, 2], values), LATENTS)
    np.testing.assert_array_equal(found.axes, np.eye(LATENTS)[[2]])
    np.testing.assert_allclose(found.coordinates(mu), mu[:, [2]])
    moved = found.moved(mu, 10)
    np.testing.assert_array_equal(np.delete(moved, 2, axis=1), np.delete(mu, 2, axis=1))
    assert len(np.unique(moved[:, 2].round(9))) == 1


def test_the_paper_s_latent_varies_most_within_batches_whatever_it_does_between_them(rng):
    batches = rng.normal(size=(30, 20, LATENTS)) * [0.1, 0.2, 0.9, 0.3, 0.1]
    batches[..., 0] += 50 * rng.normal(size=(30, 1))  # differs from batch to batch, still within each
    assert max_variance_latents(batches) == (2,)
    with pytest.raises(TrainingError, match=r"\(B, n, Z\) of two images or more per batch, found \(30, 1, 5\)"):
        max_variance_latents(batches[:, :1])


def test_codes_without_information_still_give_a_direction():
    found = regression_direction("azimuth", np.zeros((30, LATENTS)), np.linspace(-1, 1, 30))
    assert np.linalg.norm(found.axes) == 1
    assert np.isfinite(found.moved(np.zeros((3, LATENTS)), 0.5)).all()


def test_directions_are_read_as_they_were_written(entangled, rng, tmp_path):
    _, mu, values = entangled
    baselines = fit_baselines("azimuth", rng.normal(size=(4, 20, LATENTS)), mu, values)
    save_directions(tmp_path, [baselines])
    (read,) = load_directions(tmp_path)
    assert isinstance(read, Baselines)
    for kind in ("max_variance", "regression"):
        before, after = getattr(baselines, kind), getattr(read, kind)
        np.testing.assert_array_equal(before.axes, after.axes)
        np.testing.assert_array_equal(before.value(mu), after.value(mu))
        np.testing.assert_array_equal(before.moved(mu, 12), after.moved(mu, 12))


@pytest.mark.parametrize(
    "damage",
    [
        lambda found: found.update(version=9),
        lambda found: found.pop("factors"),
        lambda found: found["factors"][0]["regression"].update(unit=[1, 2]),
        lambda found: found["factors"][0]["regression"].update(unit="north"),
        lambda found: found["factors"][0]["max_variance"].update(unit=[float("nan")]),
        lambda found: found["factors"][0].pop("max_variance"),
        lambda found: found.update(factors=3),
    ],
)
def test_damaged_directions_end_in_one_sentence(damage, entangled, rng, tmp_path):
    _, mu, values = entangled
    save_directions(tmp_path, [fit_baselines("azimuth", rng.normal(size=(4, 20, LATENTS)), mu, values)])
    found = json.loads((tmp_path / FILE).read_text())
    damage(found)
    (tmp_path / FILE).write_text(json.dumps(found))
    with pytest.raises(TrainingError, match=r"cannot read .*directions\.json .*: evaluate the run again"):
        load_directions(tmp_path)
    (tmp_path / FILE).unlink()
    with pytest.raises(TrainingError, match="found none: run dcign evaluate"):
        load_directions(tmp_path)
