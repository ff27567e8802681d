"""How much of a table of coefficients latents explain."""

import numpy as np
import pytest

from dcign.errors import TrainingError
from dcign.evaluate.coefficients import as_amounts, explained_by_ridge, within_batches


def test_only_differences_within_a_batch_count():
    values = np.random.default_rng(0).normal(size=(3, 5, 2))
    moved = values + np.array([10.0, -5.0, 3.0])[:, None, None]
    np.testing.assert_allclose(within_batches(moved), within_batches(values))
    assert within_batches(values).shape == (15, 2)
    np.testing.assert_allclose(within_batches(values).reshape(3, 5, 2).mean(axis=1), 0, atol=1e-12)


def test_latents_explain_the_columns_that_they_hold_and_no_others():
    rng = np.random.default_rng(1)
    values, held = rng.normal(size=(2, 2000, 4))
    mixed = 10 * rng.normal(size=(3, 3))
    latents, seen = values[:, :3] @ mixed, held[:, :3] @ mixed
    found = explained_by_ridge(latents, values, seen, held)
    assert found == pytest.approx(3 / 4, abs=0.02)
    noise, other = rng.normal(size=(2, 2000, 3))
    assert explained_by_ridge(noise, values, other, held) == pytest.approx(0, abs=0.01)
    assert explained_by_ridge(np.zeros((2000, 2)), values, np.zeros((2000, 2)), held) == 0


def test_a_column_of_classes_counts_once_and_has_no_order():
    rng = np.random.default_rng(2)
    cuts = rng.integers(0, 5, (100, 20))
    amounts = rng.normal(3, 7, (100, 20))
    train, test = as_amounts(np.stack([cuts, amounts], axis=2), np.stack([cuts[:9], amounts[:9]], axis=2))
    assert train.shape == (100, 20, 6)
    assert test.shape == (9, 20, 6)
    spread = train.var(axis=1).mean(axis=0)
    assert spread[:5].sum() == pytest.approx(1)
    assert spread[5] == pytest.approx(1)
    assert ((train[..., :5] > 0).sum(axis=2) == 1).all()


def test_columns_that_do_not_differ_within_batches_are_left_out():
    person = np.repeat(np.random.default_rng(3).normal(size=(4, 1, 2)), 20, axis=1)
    own = np.random.default_rng(4).normal(size=(4, 20, 1))
    train, _ = as_amounts(np.concatenate([person, own], axis=2), np.concatenate([person, own], axis=2))
    assert train.shape == (4, 20, 1)
    with pytest.raises(TrainingError, match="expected coefficients that differ within batches, found none: render"):
        as_amounts(person, person)
