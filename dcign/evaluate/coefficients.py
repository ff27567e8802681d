"""How much of a table of coefficients latents explain, by a ridge regression that is measured on unseen rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import RidgeCV

from dcign.arrays import Floating
from dcign.errors import TrainingError
from dcign.metrics.tables import deviations

PENALTIES = np.logspace(-2, 4, 13)  # of which cross-validation on the rows fitted chooses one
LEAST_SPREAD = 1e-6  # standard deviation within batches below which a column is constant
MOST_CLASSES = 32  # of a column of whole numbers, which is a class and no amount


def within_batches(values: ArrayLike) -> Floating:
    """Return differences from the mean of each batch: (B, n, K) -> (B n, K)."""
    table = np.asarray(values, np.float64)
    table = table - table[:, :1]  # so that equal values differ by 0, not by the rounding of their mean
    differences: Floating = (table - table.mean(axis=1, keepdims=True)).reshape(-1, table.shape[-1])
    return differences


def as_amounts(train: ArrayLike, test: ArrayLike) -> tuple[Floating, Floating]:
    """Return columns that a regression can predict: (B, n, K), (C, n, K) -> (B, n, L), (C, n, L).

    A column of at most 32 different whole numbers names a class, such as a haircut. It becomes a column of 0 and 1 for
    each class, which together have the weight of one column. All have variance 1 within the batches of `train`. Columns
    that are constant there are left out.
    """
    fitted, measured = np.asarray(train, np.float64), np.asarray(test, np.float64)
    columns: list[tuple[Floating, Floating]] = []
    for values, asked in zip(np.moveaxis(fitted, 2, 0), np.moveaxis(measured, 2, 0), strict=True):
        known = np.unique(values)
        classes = len(known) <= MOST_CLASSES and bool((known == known.round()).all())
        pair = [
            (each[..., None] == known).astype(np.float64) if classes else each[..., None] for each in (values, asked)
        ]
        spread = np.sqrt(pair[0].var(axis=1).mean(axis=0).sum())
        if spread > LEAST_SPREAD:
            columns.append((pair[0] / spread, pair[1] / spread))
    if not columns:
        raise TrainingError("expected coefficients that differ within batches, found none: render the data set again.")
    first, second = (np.concatenate(each, axis=2) for each in zip(*columns, strict=True))
    return first, second


def explained_by_ridge(
    train_latents: Floating, train_values: Floating, test_latents: Floating, test_values: Floating
) -> float:
    """Return the R^2 of a ridge regression, of all columns together: (N, Z), (N, K) fitted on, (M, Z), (M, K) -> <= 1.

    The tables hold differences from a mean, so there is no offset: predicting 0 scores 0.
    """
    scale = deviations(train_latents)
    scale = np.where(scale > 0, scale, np.inf)
    model = RidgeCV(PENALTIES, fit_intercept=False).fit(train_latents / scale, train_values)
    predicted = model.predict(test_latents / scale).reshape(test_values.shape)
    return float(1 - np.square(test_values - predicted).sum() / np.square(test_values).sum())
