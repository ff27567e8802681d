"""Regression metrics: R^2, rank correlation, and factors predicted from one latent each by a monotone map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating
from dcign.errors import TrainingError
from dcign.metrics.bootstrap import bootstrap_all
from dcign.metrics.tables import as_floats, deviations, refuse_latents, train_and_test

SCORES = ("r2", "r2_linear", "spearman", "mean_absolute_error")  # of MonotoneLatent
KNOTS = 200  # of a monotone map: enough for a tenth of a degree, few enough for a JSON file


def r_squared(truth: Floating, predicted: Floating) -> float:
    """Return 1 - squared error / variance: (N,), (N,) -> at most 1, below 0 if worse than the mean."""
    wanted, found = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)  # squares of narrow types overflow
    spread = np.square(wanted - wanted.mean()).sum()
    return float(1 - np.square(wanted - found).sum() / spread) if deviations(wanted) > 0 else 0.0


def spearman(first: Floating, second: Floating) -> float:
    """Return the correlation of the ranks: (N,), (N,) -> -1..1; 0 if either is constant."""
    from scipy.stats import rankdata  # slow to import

    ranks, others = rankdata(first), rankdata(second)
    if np.ptp(ranks) == 0 or np.ptp(others) == 0:
        return 0.0
    return float(np.corrcoef(ranks, others)[0, 1])


def least_squares(inputs: Floating, outputs: Floating) -> Floating:
    """Return the weights of the best linear prediction, the offset in the last row: (N, Z), (N, F) -> (Z + 1, F)."""
    weights: Floating = np.linalg.lstsq(_with_ones(inputs), outputs, rcond=None)[0]
    return weights


def linear_prediction(inputs: Floating, weights: Floating) -> Floating:
    """Apply the weights of `least_squares`: (N, Z), (Z + 1, F) -> (N, F)."""
    predicted: Floating = _with_ones(inputs) @ weights
    return predicted


def fit_line(inputs: Floating, outputs: Floating) -> tuple[float, float]:
    """Return slope and offset of the least-squares line: (N,), (N,). The slope is 0 for constant inputs."""
    spread = float(np.var(inputs))
    slope = float(np.cov(inputs, outputs, bias=True)[0, 1]) / spread if deviations(inputs) > 0 else 0.0
    return slope, float(outputs.mean() - slope * inputs.mean())


@dataclass(frozen=True, eq=False)
class MonotoneMap:
    """Piecewise linear through knots, constant beyond them: inputs (K,) ascending, outputs (K,)."""

    inputs: Floating
    outputs: Floating

    def __call__(self, values: Floating) -> Floating:
        """(N,) -> (N,)."""
        mapped: Floating = np.interp(values, self.inputs, self.outputs)
        return mapped

    def without_plateaus(self) -> MonotoneMap:
        """Return the strictly monotone map with one knot per different output: at its middle, or at the map's end.

        A constant map has a knot at each end, or one of a single input.
        """
        first = np.flatnonzero(np.diff(self.outputs, prepend=np.nan) != 0)
        last = np.append(first[1:], len(self.outputs)) - 1
        if len(first) == 1:
            ends = [0, -1] if self.inputs[0] < self.inputs[-1] else [0]
            return MonotoneMap(self.inputs[ends], self.outputs[ends])
        middles = (self.inputs[first] + self.inputs[last]) / 2
        middles[[0, -1]] = self.inputs[[0, -1]]
        return MonotoneMap(middles, self.outputs[first])


def fit_monotone(inputs: Floating, outputs: Floating) -> MonotoneMap:
    """Fit the monotone map of least squared error: (N,), (N,). It rises or falls as the rank correlation does."""
    from sklearn.isotonic import IsotonicRegression  # slow to import

    rises = spearman(inputs, outputs) >= 0
    fit = IsotonicRegression(increasing=bool(rises), out_of_bounds="clip").fit(inputs, outputs)
    knots, values = fit.X_thresholds_.astype(np.float64), fit.y_thresholds_.astype(np.float64)
    if len(knots) > KNOTS:
        # Quantiles of the inputs, with both ends.
        at = np.unique(np.quantile(inputs.astype(np.float64), np.linspace(0, 1, KNOTS)))
        knots, values = at, np.interp(at, knots, values)
    return MonotoneMap(knots, values)


@dataclass(frozen=True)
class MonotoneLatent:
    """How well a latent predicts a factor on unseen rows; mean_absolute_error is in the factor's own units.

    r2 and mean_absolute_error are of a monotone map, r2_linear is of a straight line. intervals holds 95 % bootstrap
    intervals by the names of the scores, and is empty if none were drawn.
    """

    latent: int
    r2: float
    r2_linear: float
    spearman: float
    mean_absolute_error: float
    intervals: dict[str, tuple[float, float]]


def read_monotone_latent(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    own: ArrayLike | None = None,
    rng: np.random.Generator | None = None,
    groups: ArrayLike | None = None,
) -> tuple[MonotoneLatent, ...]:
    """Predict each factor from one latent, by a monotone map and by a straight line.

    Parameters
    ----------
    train_latents, train_factors
        The tables that the maps are fitted on: (N, Z), (N, F). Tables of float32 are fitted in float32, others in
        float64.
    test_latents, test_factors
        The tables that the predictions are scored on: (M, Z), (M, F).
    own
        The latent of each factor, (F,). None takes the latent whose monotone map is best on the first two tables.
    rng
        Draws the bootstrap of the intervals, over the rows of the last two tables. None leaves the intervals out.
    groups
        Rows of the last two tables that the bootstrap draws together, (M,), as in `bootstrap`.

    Returns
    -------
    One result per factor, in the factors' order.
    """
    train_and_test(train_latents, train_factors, test_latents, test_factors)
    codes, truth, held, held_truth = map(as_floats, (train_latents, train_factors, test_latents, test_factors))
    latents = [best_latent(codes, values) for values in truth.T] if own is None else np.asarray(own).tolist()
    if len(latents) != truth.shape[1]:
        raise TrainingError(f"expected a latent for each of {truth.shape[1]} factors, found {latents}: change own.")
    refuse_latents(latents, codes.shape[1])
    return tuple(
        _read(latent, codes[:, latent], values, held[:, latent], asked, rng, groups)
        for latent, values, asked in zip(latents, truth.T, held_truth.T, strict=True)
    )


def best_latent(mu: Floating, values: Floating) -> int:
    """Return the index of the latent whose monotone map predicts the factor best: (N, Z), (N,)."""
    scores = [r_squared(values, fit_monotone(column, values)(column)) for column in mu.T]
    return int(np.argmax(scores))


def _read(
    latent: int,
    codes: Floating,
    values: Floating,
    held: Floating,
    truth: Floating,
    rng: np.random.Generator | None,
    groups: ArrayLike | None,
) -> MonotoneLatent:
    """Fit the maps on codes and values (N,), and score them on held and truth (M,)."""
    slope, offset = fit_line(codes, values)
    arrays = [held, truth, fit_monotone(codes, values)(held), offset + slope * held]
    drawn = () if rng is None else bootstrap_all(_scores, arrays, rng, groups=groups)
    intervals = {name: (each.low, each.high) for name, each in zip(SCORES, drawn, strict=False)}
    return MonotoneLatent(int(latent), *_scores(*arrays), intervals)


def _scores(codes: Floating, truth: Floating, mapped: Floating, line: Floating) -> tuple[float, float, float, float]:
    """Return SCORES of the two predictions; all arrays (M,)."""
    error = float(np.abs(mapped - truth).mean())
    return r_squared(truth, mapped), r_squared(truth, line), spearman(codes, truth), error


def _with_ones(inputs: Floating) -> Floating:
    return np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
