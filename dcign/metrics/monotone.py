"""Monotone maps from one number to another, fitted."""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression

from dcign.arrays import Floating
from dcign.metrics.regression import spearman

KNOTS = 200  # kept of a fit: enough for a tenth of a degree, few enough for a JSON file


@dataclass(frozen=True, eq=False)
class MonotoneMap:
    """Piecewise linear through knots, constant beyond them: inputs (K,) ascending, outputs (K,)."""

    inputs: Floating
    outputs: Floating

    def __call__(self, values: Floating) -> Floating:
        """(N,) -> (N,)."""
        mapped: Floating = np.interp(values, self.inputs, self.outputs)
        return mapped


def fit_monotone(inputs: Floating, outputs: Floating) -> MonotoneMap:
    """Fit the monotone map, rising or falling as the ranks say, with the least squared error: (N,), (N,)."""
    rises = spearman(inputs, outputs) >= 0
    fit = IsotonicRegression(increasing=bool(rises), out_of_bounds="clip").fit(inputs, outputs)
    knots, values = fit.X_thresholds_.astype(np.float64), fit.y_thresholds_.astype(np.float64)
    if len(knots) > KNOTS:
        # Evenly through the data, and its two ends.
        at = np.unique(np.quantile(inputs.astype(np.float64), np.linspace(0, 1, KNOTS)))
        knots, values = at, np.interp(at, knots, values)
    return MonotoneMap(knots, values)
