"""A factor as a direction in the code, for networks that were not trained to have one latent per factor.

The two baselines of the paper's figure 5b: the latent that varies most in a factor's batches, and the direction of the
linear regression of the factor on all latents. A code's coordinate along each direction is calibrated to the factor,
as a latent is. So a code can be moved to a value of the factor. Both are fitted on training identities.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating
from dcign.errors import TrainingError
from dcign.evaluate.codes import Codes, encode_split
from dcign.inputs.source import LabelledBatches
from dcign.metrics.regression import least_squares, r_squared
from dcign.run.json_files import open_result, refuse_format, write_result
from dcign.trained.calibration import FactorCalibration, calibrate, from_json, to_json
from dcign.trained.codec import Codec

FILE = "directions.json"
FORMAT = "dcign-directions"
FORMAT_VERSION = 1


@dataclass(frozen=True, eq=False)
class Direction:
    """A unit vector (Z,), and the calibration of the coordinate along it. Its latent is the vector's largest entry."""

    unit: Floating
    calibration: FactorCalibration

    def coordinate(self, mu: Floating) -> Floating:
        """Return the coordinates of codes along the direction: mu @ unit, (N, Z) -> (N,)."""
        if mu.ndim != 2 or mu.shape[1] != len(self.unit):
            raise TrainingError(
                f"expected codes (N, {len(self.unit)}), found shape {mu.shape}: pass codes of the network that the "
                "direction was fitted on."
            )
        along: Floating = mu @ self.unit
        return along

    def value(self, mu: Floating) -> Floating:
        """Return the factor's values read from codes, in its units: (N, Z) -> (N,)."""
        return self.calibration.value(self.coordinate(mu))

    def moved(self, mu: Floating, values: ArrayLike) -> Floating:
        """Return codes moved along the direction to values of the factor, a number or (N,): (N, Z) -> (N, Z)."""
        wanted = self.calibration.code(np.broadcast_to(np.asarray(values, np.float64), len(mu)))
        changed: Floating = mu + (wanted - self.coordinate(mu))[:, None] * self.unit
        return changed.astype(mu.dtype)


@dataclass(frozen=True, eq=False)
class Baselines:
    """The two baselines of one factor."""

    max_variance: Direction
    regression: Direction

    def score(self, mu: Floating, truth: Floating) -> dict[str, float]:
        """Return the latent that varies most, and the R^2 of both monotone maps: (N, Z), (N,)."""
        return {
            "max_variance_latent": self.max_variance.calibration.latent,
            "r2_max_variance": r_squared(truth, self.max_variance.value(mu)),
            "r2_regression": r_squared(truth, self.regression.value(mu)),
        }


def measure_baselines(codec: Codec, varying: Sequence[LabelledBatches], fitted: Codes) -> tuple[Baselines, ...]:
    """Fit both baselines of each factor, on training batches in which it varies and on codes of images of all kinds."""
    return tuple(
        fit_baselines(name, encode_split(codec, batches).mu, fitted.flat_mu, values)
        for name, batches, values in zip(codec.description.factors, varying, fitted.flat_factors.T, strict=True)
    )


def fit_baselines(factor: str, batches: Floating, mu: Floating, values: Floating) -> Baselines:
    """Fit both baselines of one factor, on training identities.

    batches (B, n, Z): mu of batches in which only the factor varies; mu (N, Z), values (N,): of images of all kinds.
    """
    latent = max_variance_latent(batches)
    return Baselines(latent_direction(factor, latent, mu, values), regression_direction(factor, mu, values))


def max_variance_latent(batches: Floating) -> int:
    """Return the index of the latent with the largest mean variance within batches: (B, n, Z)."""
    if batches.ndim != 3 or 0 in batches.shape or batches.shape[1] < 2:
        raise TrainingError(
            f"expected codes (B, n, Z) of two images or more per batch, found {batches.shape}: pass whole batches."
        )
    return int(batches.astype(np.float64).var(axis=1).mean(axis=0).argmax())


def latent_direction(factor: str, latent: int, mu: Floating, values: Floating) -> Direction:
    """Return one latent's axis as a direction: mu (N, Z), values (N,)."""
    unit = np.zeros(mu.shape[1])
    unit[latent] = 1.0
    return _calibrated(factor, unit, mu, values)


def regression_direction(factor: str, mu: Floating, values: Floating) -> Direction:
    """Return the direction of the linear regression of a factor on all latents: mu (N, Z), values (N,).

    Of all moves of the same length, one along it changes the prediction most. If no latent predicts the factor, it is
    the first axis.
    """
    weights = least_squares(mu.astype(np.float64), values[:, None])[:-1, 0]
    length = float(np.linalg.norm(weights))
    return _calibrated(factor, weights / length if length > 0 else np.eye(mu.shape[1])[0], mu, values)


def save_directions(folder: str | Path, baselines: Sequence[Baselines]) -> None:
    """Write directions.json into a run's folder."""
    found = {"format": FORMAT, "version": FORMAT_VERSION, "factors": [to_json(each) for each in baselines]}
    write_result(Path(folder) / FILE, (json.dumps(found) + "\n").encode())


def load_directions(folder: str | Path) -> tuple[Baselines, ...]:
    """Return the baselines that the run's evaluation wrote, in the data set's order of factors.

    Raises TrainingError if there are none, or if the file is damaged.
    """
    with open_result(Path(folder) / FILE) as found:
        refuse_format(found, FORMAT, FORMAT_VERSION)
        try:
            pairs = [(_from_json(each["max_variance"]), _from_json(each["regression"])) for each in found["factors"]]
        except (KeyError, TypeError) as error:
            raise ValueError(f"its factors are damaged: {error}") from None
    return tuple(Baselines(*pair) for pair in pairs)


def _calibrated(factor: str, unit: Floating, mu: Floating, values: Floating) -> Direction:
    return Direction(unit, calibrate(factor, int(np.abs(unit).argmax()), mu @ unit, values))


def _from_json(found: dict[str, Any]) -> Direction:  # JSON
    unit = np.array(found["unit"], np.float64)
    length = math.sqrt(float(np.square(unit).sum()))
    if unit.ndim != 1 or not abs(length - 1) < 1e-3:  # also refuses NaN
        raise ValueError(f"expected a unit vector, found shape {unit.shape} and length {length:g}")
    return Direction(unit, from_json(found["calibration"]))
