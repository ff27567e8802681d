"""Factors of classes, such as a shape: a linear discriminant reads the class from latents, and accuracy judges it.

Values are indices of K classes. R^2 is that of the K indicators of the classes, 1 for the true class and 0 for the
others, predicted by the probabilities of the classes: 0 for the constant shares, 1 if all is certain and right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating
from dcign.metrics.bootstrap import bootstrap_all
from dcign.metrics.regression import least_squares, linear_prediction

RIDGE = 1e-3  # of the mean variance within classes, added to each latent's
SCORES = ("r2", "r2_linear", "accuracy")


def indicators(values: Floating, classes: Sequence[int]) -> Floating:
    """Return the indicators of classes: indices (N,), and those of K classes -> (N, K) of 0 and 1."""
    return np.asarray(np.rint(values)[:, None] == np.asarray(classes), np.float64)


def class_r_squared(truth: Floating, predicted: Floating) -> float:
    """Return 1 - squared error of the indicators / that of the constant shares: truth, predicted (N, K)."""
    spread = float(np.square(truth - truth.mean(axis=0)).sum())
    return 1 - float(np.square(truth - predicted).sum()) / spread if spread > 0 else 0.0


def accuracy(truth: Floating, predicted: Floating) -> float:
    """Return the share of rows whose largest prediction is the true class: truth, predicted (N, K)."""
    return float((truth.argmax(axis=1) == predicted.argmax(axis=1)).mean())


def same_class(truth: Floating, read: Floating) -> float:
    """Return the share of rows whose class was read right: indices of classes, (N,), (N,)."""
    return float((np.rint(truth) == np.rint(read)).mean())


@dataclass(frozen=True, eq=False)
class Discriminant:
    """Normal distributions of one covariance, one per class: means (K, k); log probabilities are linear.

    weights (K, k), offsets (K,): log p(class | x) = weights x + offsets, up to a constant.
    """

    means: Floating
    weights: Floating
    offsets: Floating

    def probabilities(self, coordinates: Floating) -> Floating:
        """Return the probability of each class: (N, k) -> (N, K)."""
        logs = np.asarray(coordinates, np.float64) @ self.weights.T + self.offsets
        odds = np.exp(logs - logs.max(axis=1, keepdims=True))
        found: Floating = odds / odds.sum(axis=1, keepdims=True)
        return found


def fit_classes(coordinates: Floating, values: Floating, count: int) -> Discriminant:
    """Fit Fisher's linear discriminant: (N, k), indices (N,) of `count` classes. A class without rows has the mean."""
    points, members = np.asarray(coordinates, np.float64), indicators(values, range(count))
    rows = members.sum(axis=0)
    means = np.where(rows[:, None] > 0, members.T @ points / np.maximum(rows, 1)[:, None], points.mean(axis=0))
    within = points - members @ means
    covariance = within.T @ within / len(points)
    floor = RIDGE * max(float(np.trace(covariance)) / len(covariance), float(points.var()) * RIDGE, 1e-12)
    weights = np.linalg.solve(covariance + floor * np.eye(len(covariance)), means.T).T
    shares = (rows + 1e-3) / (rows + 1e-3).sum()
    return Discriminant(means, weights, np.log(shares) - (weights * means).sum(axis=1) / 2)


def best_class_latents(mu: Floating, values: Floating, count: int) -> tuple[int, ...]:
    """Return the latents whose means differ most between classes: one for two classes, else two. (N, Z), (N,)."""
    codes, members = mu.astype(np.float64), indicators(values, range(count))
    codes = codes - codes.mean(axis=0)
    means = members.T @ codes / np.maximum(members.sum(axis=0), 1)[:, None]
    between = (np.square(means) * members.sum(axis=0)[:, None]).sum(axis=0)
    total = np.square(codes).sum(axis=0)
    share = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    return tuple(sorted(np.argsort(-share, kind="stable")[: min(2, count - 1, mu.shape[1])].tolist()))


@dataclass(frozen=True)
class ClassReading:
    """How well latents tell a factor of classes on unseen rows.

    r2 is that of the discriminant's probabilities, r2_linear that of a linear regression of the indicators; accuracy
    is the discriminant's, accuracy_of_most_frequent that of always naming the most frequent class.
    """

    latents: tuple[int, ...]
    r2: float
    r2_linear: float
    accuracy: float
    accuracy_of_most_frequent: float
    intervals: dict[str, tuple[float, float]]


def read_classes(
    train_latents: Floating,
    train_values: Floating,
    test_latents: Floating,
    test_values: Floating,
    latents: Sequence[int],
    count: int,
    rng: np.random.Generator | None = None,
    groups: ArrayLike | None = None,
) -> ClassReading:
    """Tell a class from latents: (N, Z), (N,) fitted on, (M, Z), (M,) measured on.

    rng draws the intervals; groups (M,): rows that it draws together.
    """
    fitted, held = train_latents[:, list(latents)], test_latents[:, list(latents)]
    told = fit_classes(fitted, train_values, count).probabilities(held)
    weights = least_squares(fitted.astype(np.float64), indicators(train_values, range(count)))
    arrays = [indicators(test_values, range(count)), told, linear_prediction(held.astype(np.float64), weights)]
    drawn = () if rng is None else bootstrap_all(_scores, arrays, rng, groups=groups)
    intervals = {name: (each.low, each.high) for name, each in zip(SCORES, drawn, strict=False)}
    most = int(indicators(train_values, range(count)).sum(axis=0).argmax())
    frequent = float((np.rint(test_values) == most).mean())
    return ClassReading(tuple(latents), *_scores(*arrays), frequent, intervals)


def _scores(truth: Floating, told: Floating, line: Floating) -> tuple[float, float, float]:
    """Return SCORES of the two predictions; all arrays (M, K)."""
    return class_r_squared(truth, told), class_r_squared(truth, line), accuracy(truth, told)
