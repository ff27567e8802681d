"""Explicitness: can a linear classifier tell each factor from all latents together?"""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from dcign.arrays import Floating, Int64
from dcign.metrics.fitting import fitted
from dcign.metrics.tables import standardised, two_tables


def explicitness(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike
) -> float:
    """Mean over factors and their classes of a logistic regression's area under the ROC curve, .5 by chance.

    (N, Z), (N, F) fitted on, (M, Z), (M, F) measured on -> 0..1; latents standardised (Ridgeway and Mozer 2018).
    """
    codes, truth, held, held_truth = two_tables(train_latents, train_factors, test_latents, test_factors)
    inputs, asked = standardised(codes), standardised(held, codes)
    areas = []
    for known, measured in zip(truth.T, held_truth.T, strict=True):
        model = fitted(LogisticRegression(), inputs, known)
        areas.append(_mean_area(model.predict_proba(asked), model.classes_, measured))
    return float(np.mean(areas))


def _mean_area(chances: Floating, named: Int64, truth: Int64) -> float:
    """Mean area under the curves of the classes (C,) that some rows have and others not: (N, C), (N,) -> 0..1."""
    areas = []
    for chance, found in zip(chances.T, named, strict=True):
        member = truth == found
        if member.any() and not member.all():
            areas.append(float(roc_auc_score(member, chance)))
    return float(np.mean(areas)) if areas else 0.5
