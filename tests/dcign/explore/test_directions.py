"""Principal directions, and the codes of people that they are measured against, with decoders that are known."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.explore.directions import principal_directions
from dcign.explore.people_codes import PeopleCodes

RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(3, 5)).astype(np.float32)
AXES, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
ONE = np.eye(3)


def decoder(*gains: float):
    """Return a linear decoder: pixel k shows the k-th of three orthogonal directions of latents 1, 2, 3."""
    return lambda codes: (codes[:, 1:4] @ AXES.T * np.array(gains)).reshape(len(codes), 1, 3, 1)


def test_the_directions_of_a_linear_decoder_are_its_own_strongest_first() -> None:
    found = principal_directions(decoder(1, 3, 2), CODES, (1, 2, 3), ONE)
    for axis, wanted in zip(found.axes, AXES[[1, 2, 0]], strict=True):
        assert abs(axis @ wanted) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(found.shares, np.array([9, 4, 1]) / 14, atol=1e-5)


def test_a_step_along_a_direction_is_one_standard_deviation_of_people() -> None:
    deviations = np.array([0.5, 0.01, 0.1])
    root = AXES.T * deviations @ AXES  # the decoder's own directions, of these standard deviations
    found = principal_directions(decoder(1, 1, 1), CODES, (1, 2, 3), root)
    np.testing.assert_allclose(np.linalg.norm(found.axes, axis=1), [0.5, 0.1], rtol=1e-4)  # the third shows nothing


def test_a_block_that_changes_nothing_has_one_direction_and_no_nan() -> None:
    found = principal_directions(lambda codes: np.zeros((len(codes), 2, 2, 1), np.float32), CODES, (1, 2), np.eye(2))
    assert np.isfinite(found.axes).all()
    assert not found.shares.any()


def test_the_sign_makes_the_largest_entry_positive() -> None:
    axes = principal_directions(decoder(1, 3, 2), CODES, (1, 2, 3), ONE).axes
    assert (axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] > 0).all()


def test_the_root_squared_is_the_covariance_of_the_block() -> None:
    codes = PeopleCodes(RNG.normal(size=(50, 5)) @ RNG.normal(size=(5, 5)), np.zeros((50, 5)))
    root = codes.root((0, 2, 4))
    np.testing.assert_allclose(root @ root, np.cov(codes.mu[:, [0, 2, 4]].T), atol=1e-9)
    assert codes.root((3,)) == pytest.approx(codes.mu[:, 3].std(ddof=1))


def test_latents_without_signal_are_unused() -> None:
    mu = RNG.normal(size=(200, 3)) * [1.0, 0.001, 0.1]
    logvar = np.log(np.array([0.2, 0.2, 0.001])) * np.ones((200, 1))
    assert PeopleCodes(mu, logvar).used.tolist() == [True, False, True]


def test_invented_people_are_spread_as_people_are_within_blocks() -> None:
    codes = PeopleCodes(RNG.normal(size=(300, 4)) * [1, 2, 3, 4] + 5, np.zeros((300, 4)))
    drawn = codes.drawn(2000, [(1, 2)], np.random.default_rng(0))
    np.testing.assert_allclose(drawn[0], codes.mean, rtol=1e-5)
    np.testing.assert_allclose(drawn[:, [1, 2]].std(axis=0), codes.spread[[1, 2]], rtol=0.1)
    assert np.ptp(drawn[:, [0, 3]], axis=0).max() == 0
