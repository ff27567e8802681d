"""Predictor-based metrics, of models that predict factors from latents: DCI, SAP and explicitness.

DCI and SAP are as disentanglement_lib computes them (Eastwood and Williams 2018, Kumar et al. 2018): importances in
scikit-learn's gradient boosted trees, and accuracies of linear support vector machines of one latent each.

DCI has two estimators. `dci` uses scikit-learn's trees ("exact") for tables of at most EXACT_CELLS rows x latents, and
for factors of two classes. For larger tables, where those take minutes, it grows the trees of `boosting.py`, which
search for splits between at most 1024 bins per latent ("histogram"). `dci_continuous` always uses the latter.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Bool, Floating, Int64
from dcign.metrics.boosting import BoostedClassifier, BoostedRegressor, fit_boosted_classifier, fit_boosted_regressor
from dcign.metrics.circular import as_angles, as_vectors, circular_r_squared
from dcign.metrics.information import weighted_purity
from dcign.metrics.regression import r_squared
from dcign.metrics.tables import (
    ANGLE,
    CLASS,
    NUMBER,
    Blocks,
    Types,
    checked_blocks,
    latents_and_factors,
    standardised,
    train_and_test,
    train_and_test_classes,
    types_of,
)

if TYPE_CHECKING:
    from sklearn.ensemble import GradientBoostingClassifier  # scikit-learn is slow to import: editing does without it

EXACT, HISTOGRAM = "exact", "histogram"  # the estimators of DCI
EXACT_CELLS = 20_000  # rows x latents, for which scikit-learn needs seconds at most
PENALTY = 0.01  # C of the support vector machines of SAP
CONSTANT = 1e-12  # latents of a smaller variance predict nothing


@dataclass(frozen=True, eq=False)
class DCI:
    """Scores of the trees on the rows fitted and on unseen rows, and their importances (G, F).

    Scores are accuracies; of `dci_continuous`, R^2. estimator is EXACT, HISTOGRAM, or "exact and histogram" if some
    factors have two classes and others more: see this module.
    """

    informativeness_train: float
    informativeness: float
    importances: Floating
    estimator: str

    @property
    def disentanglement(self) -> float:
        """1 - the entropy of each latent's importances over the factors, weighted by the latent's importance: 0..1."""
        return weighted_purity(self.importances)

    @property
    def completeness(self) -> float:
        """1 - the entropy of each factor's importances over the latents, weighted by the factor's importance: 0..1."""
        return weighted_purity(self.importances.T)

    def disentanglement_of(self, chosen: Sequence[int]) -> float:
        """Return the disentanglement of some latents or blocks alone: 0..1.

        For the factors' own latents it leaves out those of the identity, which is no factor of the table: the trees
        spread the little importance of such latents over all factors, however pure the latents are.
        """
        return weighted_purity(self.importances[sorted(set(chosen))])

    def grouped(self, blocks: Blocks) -> DCI:
        """Return the same for blocks of latents: a block's importance is the sum of its latents' importances."""
        members = checked_blocks(blocks, len(self.importances))
        summed = np.stack([self.importances[block].sum(axis=0) for block in members])
        return dataclasses.replace(self, importances=summed)


def dci(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    rng: np.random.Generator,
    blocks: Blocks | None = None,
) -> DCI:
    """Fit boosted trees to the classes of each factor: (N, Z), (N, F) fitted on, (M, Z), (M, F) measured on.

    rng breaks ties between equally good splits. The result's `estimator` says which trees were grown.
    """
    tables = train_and_test_classes(train_latents, train_factors, test_latents, test_factors)
    found = _fit_each(tables, (CLASS,) * tables[1].shape[1], rng)
    return found if blocks is None else found.grouped(blocks)


def dci_continuous(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    rng: np.random.Generator,
    blocks: Blocks | None = None,
    types: Types | None = None,
) -> DCI:
    """Fit boosted regression trees, for real factors, as Eastwood and Williams do; otherwise as `dci`.

    Informativeness is R^2, at least 0. rng breaks ties between equally good splits. types (F,): number, class or angle;
    None: all are numbers. Trees classify a class, whose score is the accuracy, and regress an angle's cosine and sine.
    """
    codes, truth, held, held_truth = train_and_test(train_latents, train_factors, test_latents, test_factors)
    found = _fit_each(
        (codes, truth.astype(np.float64), held, held_truth.astype(np.float64)),
        (NUMBER,) * truth.shape[1] if types is None else types_of(truth, types=types),
        rng,
    )
    return found if blocks is None else found.grouped(blocks)


def sap(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    blocks: Blocks | None = None,
) -> float:
    """Return SAP: the accuracy of the best block less that of the second best, the mean over factors.

    (N, Z), (N, F) fitted on, (M, Z), (M, F) measured on -> 0..1.
    """
    return sap_of(predicted_right(train_latents, train_factors, test_latents, test_factors, blocks=blocks))


def sap_continuous(latents: ArrayLike, factors: ArrayLike) -> float:
    """Return SAP by squared correlation in place of accuracy, for real factors: (N, Z), (N, F) -> 0..1."""
    codes, truth = latents_and_factors(latents, factors)
    centred, values = codes - codes.mean(axis=0), truth - truth.astype(np.float64).mean(axis=0)
    shared = np.square(centred.T @ values)
    spread = np.square(centred).sum(axis=0)[:, None] * np.square(values).sum(axis=0)
    variance = np.square(centred).sum(axis=0) / max(len(codes) - 1, 1)
    alive = (variance > CONSTANT)[:, None] & (spread > 0)
    return sap_of(np.where(alive, shared / np.where(spread > 0, spread, 1), 0)[None])


def predicted_right(*tables: ArrayLike, blocks: Blocks | None = None) -> Bool:
    """Return for which rows of the last two of the four tables each block's machine is right: (M, G, F)."""
    codes, truth, held, held_truth = train_and_test_classes(*tables)
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=PENALTY, class_weight="balanced", random_state=0)
    right = [
        [
            fitted_classifier(machine, codes[:, block], known).predict(held[:, block]) == asked
            for known, asked in zip(truth.T, held_truth.T, strict=True)
        ]
        for block in checked_blocks(blocks, codes.shape[1])
    ]
    return np.moveaxis(np.array(right), 2, 0)


def sap_of(scores: Floating | Bool) -> float:
    """Return the best block's mean score less the second best's, the mean over factors: (M, G, F) -> 0..1."""
    mean = scores.mean(axis=0)
    ranked = np.sort(np.concatenate([np.zeros((1, mean.shape[1])), mean]), axis=0)
    return float(np.mean(ranked[-1] - ranked[-2]))


def explicitness(
    train_latents: ArrayLike, train_factors: ArrayLike, test_latents: ArrayLike, test_factors: ArrayLike
) -> float:
    """Return the mean area under the ROC curve of logistic regressions on all latents, over factors and their classes.

    (N, Z), (N, F) fitted on, (M, Z), (M, F) measured on -> 0..1, .5 by chance; latents are standardised (Ridgeway and
    Mozer 2018).
    """
    codes, truth, held, held_truth = train_and_test_classes(train_latents, train_factors, test_latents, test_factors)
    inputs, asked = standardised(codes), standardised(held, codes)
    from sklearn.linear_model import LogisticRegression

    areas = []
    for known, measured in zip(truth.T, held_truth.T, strict=True):
        model = fitted_classifier(LogisticRegression(), inputs, known)
        areas.append(_mean_area(model.predict_proba(asked), model.classes_, measured))
    return float(np.mean(areas))


@dataclass(frozen=True, eq=False)
class _AngleTrees:
    """Trees of the cosine and of the sine of an angle."""

    cosine: BoostedRegressor
    sine: BoostedRegressor

    @property
    def feature_importances_(self) -> Floating:
        """The mean of both: (Z,)."""
        mean: Floating = (self.cosine.feature_importances_ + self.sine.feature_importances_) / 2
        return mean

    def predict(self, codes: Floating) -> Floating:
        """(N, Z) -> (N,), degrees."""
        return as_angles(np.stack([self.cosine.predict(codes), self.sine.predict(codes)], axis=1))


def _fit_angle(codes: Floating, angles: Floating, rng: np.random.Generator) -> _AngleTrees:
    return _AngleTrees(*(fit_boosted_regressor(codes, part, rng) for part in as_vectors(angles).T))


def _fit_class(codes: Floating, named: Floating, rng: np.random.Generator) -> Any:  # scikit-learn's, or ours
    return _fit_classifier(codes, np.rint(named).astype(np.int64), rng)


# Of each type of factor: what fits trees, and the score of their predictions.
TREES: dict[str, tuple[Callable[..., Any], Callable[[Any, Any], float]]] = {
    NUMBER: (fit_boosted_regressor, lambda asked, predicted: max(0.0, r_squared(asked, predicted))),
    CLASS: (_fit_class, lambda asked, predicted: float(np.mean(predicted == asked))),
    ANGLE: (_fit_angle, lambda asked, predicted: max(0.0, circular_r_squared(asked, predicted))),
}


def _fit_each(tables: Any, types: Types, rng: np.random.Generator) -> DCI:  # Any: tables of classes or of values
    """Fit trees to each factor of the first two tables; score them there and on the other two."""
    codes, truth, held, held_truth = tables
    importances, train_scores, test_scores, estimators = [], [], [], set()
    for each, known, asked in zip(types, truth.T, held_truth.T, strict=True):
        fit, score = TREES[each]
        trees = fit(codes, known, rng)
        importances.append(trees.feature_importances_)
        train_scores.append(score(known, trees.predict(codes)))
        test_scores.append(score(asked, trees.predict(held)))
        estimators.add(HISTOGRAM if isinstance(trees, BoostedClassifier | BoostedRegressor) else EXACT)
    return DCI(
        informativeness_train=float(np.mean(train_scores)),
        informativeness=float(np.mean(test_scores)),
        importances=np.stack(importances, axis=1),
        estimator=" and ".join(sorted(estimators)),
    )


def _fit_classifier(
    codes: Floating, truth: Int64, rng: np.random.Generator
) -> BoostedClassifier | GradientBoostingClassifier:
    from sklearn.ensemble import GradientBoostingClassifier

    if codes.size > EXACT_CELLS and len(np.unique(truth)) > 2:
        return fit_boosted_classifier(codes, truth, rng)
    return fitted_classifier(GradientBoostingClassifier(random_state=int(rng.integers(2**31))), codes, truth)


def fitted_classifier(classifier: Any, inputs: Floating, truth: Int64) -> Any:  # scikit-learn's, which has no types
    """Return the classifier, fitted to (N, Z), (N,), without warnings that the metrics' definitions make expected.

    scikit-learn's checks of parameters and values are off, because they take up to a fifth of the time of small trees,
    and the tables were checked here.
    """
    from sklearn import config_context
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(), config_context(skip_parameter_validation=True, assume_finite=True):
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of iterations is part of a definition
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # 20 bins of few rows
        return classifier.fit(inputs, truth)


def _mean_area(chances: Floating, named: Int64, truth: Int64) -> float:
    """Average the areas of the classes (C,) that some rows have and others do not: (N, C), (N,) -> 0..1."""
    from sklearn.metrics import roc_auc_score

    areas = []
    for chance, found in zip(chances.T, named, strict=True):
        member = truth == found
        if member.any() and not member.all():
            areas.append(float(roc_auc_score(member, chance)))
    return float(np.mean(areas)) if areas else 0.5
