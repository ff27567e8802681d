"""Factors on a circle, such as an azimuth that goes all the way round: errors that wrap, R^2, and closed curves.

Angles are in degrees. While such a factor makes a turn, the mean of its two latents passes along a closed curve, which
need not be round. An angle is read as the nearest point of the curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating
from dcign.metrics.bootstrap import bootstrap_all
from dcign.metrics.categorical import indicators
from dcign.metrics.regression import least_squares, linear_prediction

T = TypeVar("T")
Classes = Sequence[Sequence[int]]

TURN = 360.0
POINTS = 72  # of a closed curve: 5 degrees apart
HARMONICS = 4  # of its Fourier series
SCORES = ("r2", "r2_linear", "mean_absolute_error")  # of a circular factor


def wrapped(angles: Floating) -> Floating:
    """Return angles from -180 to below 180: any shape."""
    turned: Floating = (angles + TURN / 2) % TURN - TURN / 2
    return turned


def near(angles: Floating, others: Floating) -> Floating:
    """Return angles less or more turns, so that each is within half a turn of the other: any shapes that broadcast."""
    return others + wrapped(angles - others)


def as_vectors(angles: Floating) -> Floating:
    """Return cosines and sines: (...) -> (..., 2)."""
    radians = np.radians(np.asarray(angles, np.float64))
    return np.stack([np.cos(radians), np.sin(radians)], axis=-1)


def as_angles(vectors: Floating) -> Floating:
    """Return the angles of vectors, -180 to 180: (N, 2) -> (N,)."""
    angles: Floating = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0]))
    return angles


def circular_r_squared(truth: Floating, predicted: Floating) -> float:
    """Return 1 - mean squared angular error / that of the best constant: (N,), (N,) -> at most 1.

    An angular error is the shorter way round, at most 180. For angles that are uniform on the circle, the best constant
    has a root mean square error of 103.9.
    """
    spread = spread_on_circle(truth)
    return float(1 - np.square(wrapped(predicted - truth)).mean() / spread) if spread > 0 else 0.0


def spread_on_circle(angles: Floating) -> float:
    """Return the mean squared angular error of the best constant: (N,), degrees^2.

    The circle is cut between each two neighbours. The variance on the line is never below the error on the circle, and
    is equal to it at the best cut (Hotz and Huckemann 2015).
    """
    ordered = np.sort(wrapped(np.asarray(angles, np.float64)))
    count = len(ordered)
    cuts = np.arange(count)  # the first so many angles are moved on by a turn
    moved = np.concatenate([[0.0], np.cumsum(2 * TURN * ordered + TURN**2)[:-1]])
    means = ordered.mean() + TURN * cuts / count
    return float(max(0.0, ((np.square(ordered).sum() + moved) / count - np.square(means)).min()))


@dataclass(frozen=True, eq=False)
class ClosedCurve:
    """A closed curve (K, 2), passed once in a turn: a point for each of K angles from -180, evenly spaced."""

    points: Floating

    def angle(self, coordinates: Floating) -> Floating:
        """Return the angle of the nearest point of the curve, -180 to below 180: (N, 2) -> (N,)."""
        steps = np.roll(self.points, -1, axis=0) - self.points  # (K, 2), sides of a polygon
        lengths = np.square(steps).sum(axis=1)
        from_start = np.asarray(coordinates, np.float64)[:, None] - self.points  # (N, K, 2)
        along = np.divide(
            (from_start * steps).sum(axis=2), lengths, out=np.zeros(from_start.shape[:2]), where=lengths > 0
        )
        along = along.clip(0, 1)
        nearest = np.square(from_start - along[..., None] * steps).sum(axis=2).argmin(axis=1)
        passed = nearest + np.take_along_axis(along, nearest[:, None], axis=1)[:, 0]
        return wrapped(TURN / len(self.points) * passed - TURN / 2)

    def at(self, angles: Floating) -> Floating:
        """Return the points of angles, of any number of turns: (N,) -> (N, 2)."""
        known = np.linspace(-TURN / 2, TURN / 2, len(self.points), endpoint=False)
        columns = [np.interp(wrapped(angles), known, values, period=TURN) for values in self.points.T]
        return np.stack(columns, axis=1)


def fit_curve(coordinates: Floating, angles: Floating) -> ClosedCurve:
    """Fit the mean of coordinates at each angle, a Fourier series: (N, 2), (N,)."""
    weights = least_squares(_harmonics(angles), np.asarray(coordinates, np.float64))
    known = np.linspace(-TURN / 2, TURN / 2, POINTS, endpoint=False)
    return ClosedCurve(linear_prediction(_harmonics(known), weights))


def linear_angles(train: Floating, angles: Floating, test: Floating) -> Floating:
    """Return the angles of a linear regression of cosine and sine: (N, 2), (N,) fitted on, (M, 2) -> (M,)."""
    weights = least_squares(np.asarray(train, np.float64), as_vectors(angles))
    return as_angles(linear_prediction(np.asarray(test, np.float64), weights))


@dataclass(frozen=True)
class CircleReading:
    """How well two latents predict a circular factor on unseen rows.

    r2 is `circular_r_squared` of the closed curve, r2_linear that of a linear regression of cosine and sine.
    """

    latents: tuple[int, int]
    r2: float
    r2_linear: float
    mean_absolute_error: float  # degrees
    intervals: dict[str, tuple[float, float]]


def read_circle(
    train_latents: Floating,
    train_angles: Floating,
    test_latents: Floating,
    test_angles: Floating,
    latents: tuple[int, int],
    rng: np.random.Generator | None = None,
    groups: ArrayLike | None = None,
) -> CircleReading:
    """Predict an angle from two latents: (N, Z), (N,) fitted on, (M, Z), (M,) measured on.

    rng draws the intervals; groups (M,): rows that it draws together.
    """
    fitted, held = train_latents[:, latents], test_latents[:, latents]
    read = fit_curve(fitted, train_angles).angle(held)
    arrays = [test_angles.astype(np.float64), read, linear_angles(fitted, train_angles, held)]
    drawn = () if rng is None else bootstrap_all(_scores, arrays, rng, groups=groups)
    intervals = {name: (each.low, each.high) for name, each in zip(SCORES, drawn, strict=False)}
    return CircleReading(latents, *_scores(*arrays), intervals)


def best_pair(mu: Floating, angles: Floating) -> tuple[int, int]:
    """Return the two latents from which a linear regression predicts cosine and sine best: (N, Z), (N,)."""
    codes, truth = mu.astype(np.float64), as_vectors(angles)
    codes, truth = codes - codes.mean(axis=0), truth - truth.mean(axis=0)
    inner, outer = codes.T @ codes, codes.T @ truth
    pairs = np.stack(np.triu_indices(len(inner), 1), axis=1)
    small = inner[pairs[:, :, None], pairs[:, None, :]]  # (P, 2, 2)
    shared = outer[pairs]  # (P, 2, 2): latents, then cosine and sine
    explained = np.einsum("pij,pik,pkj->p", shared, np.linalg.pinv(small, hermitian=True), shared)
    first, second = pairs[int(explained.argmax())]
    return int(first), int(second)


def factor_columns(factors: Floating, circular: Sequence[bool], classes: Classes = ()) -> Floating:
    """Return what a regression predicts: (N, F) -> (N, C).

    This is each factor, but cosine and sine of a circular one, and indicators of classes. classes (F,): the indices of
    the classes that get one, none for a number or an angle; by default no factor has any.
    """
    columns = [
        indicators(values, named) if named else as_vectors(values) if turns else values[:, None]
        for values, turns, named in zip(factors.T, circular, classes or [()] * len(circular), strict=True)
    ]
    return np.concatenate(columns, axis=1)


def per_column(values: Sequence[T], circular: Sequence[bool], classes: Classes = ()) -> list[T]:
    """Repeat what belongs to a factor for each of its columns: (F,) -> (C,)."""
    each = zip(values, circular, classes or [()] * len(circular), strict=True)
    return [value for value, turns, named in each for _ in range(len(named) or (2 if turns else 1))]


def per_factor(r2: Floating, columns: Floating, circular: Sequence[bool], classes: Classes = ()) -> Floating:
    """Return the R^2 of each factor, given those (C,) of its columns (M, C): (F,).

    That of a circular factor is of cosine and sine together, 1 - the sum of their squared errors / that of their
    variances, and that of classes of all their indicators.
    """
    owners = np.array(per_column(range(len(circular)), circular, classes))
    spread = columns.astype(np.float64).var(axis=0)
    unexplained = np.bincount(owners, (1 - r2) * spread)
    total = np.bincount(owners, spread)
    single = np.bincount(owners)[owners] == 1
    found: Floating = 1 - np.divide(unexplained, total, out=np.ones_like(total), where=total > 0)
    found[owners[single]] = r2[single]  # unchanged by rounding
    return found


def _harmonics(angles: Floating) -> Floating:
    """Return the cosines and sines of 1 to HARMONICS times each angle: (N,) -> (N, 2 HARMONICS)."""
    return np.concatenate([as_vectors(times * angles) for times in range(1, HARMONICS + 1)], axis=1)


def _scores(truth: Floating, mapped: Floating, line: Floating) -> tuple[float, float, float]:
    """Return SCORES of the two predictions; all arrays (M,)."""
    error = float(np.abs(wrapped(mapped - truth)).mean())
    return circular_r_squared(truth, mapped), circular_r_squared(truth, line), error
