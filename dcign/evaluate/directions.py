"""A factor as a direction in the code, for networks that were not trained to have one latent per factor.

The two baselines of the paper's figure 5b: the latent that varies most in a factor's batches, and the direction of the
linear regression of the factor on all latents. A code's coordinate along each direction is calibrated to the factor,
as a latent is. So a code can be moved to a value of the factor. Both are fitted on training identities.
"""

from __future__ import annotations

import json
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
from dcign.metrics.categorical import indicators
from dcign.metrics.circular import as_vectors
from dcign.metrics.regression import least_squares
from dcign.run.json_files import open_result, refuse_format, write_result
from dcign.trained.calibration import Calibration, calibrate_coordinates, from_json, to_json
from dcign.trained.codec import Codec

FILE = "directions.json"
FORMAT = "dcign-directions"
FORMAT_VERSION = 1


@dataclass(frozen=True, eq=False)
class Direction:
    """Orthogonal unit vectors (k, Z), and the calibration of the coordinates along them.

    There is one, or two for a circular factor, or one less than there are classes. The calibration's latents are the
    vectors' largest entries.
    """

    axes: Floating
    calibration: Calibration

    @classmethod
    def of_latents(cls, fit: Calibration, latents: int) -> Direction:
        """Return the axes of a factor's own latents, out of so many."""
        return cls(np.eye(latents)[list(fit.own)], fit)

    def coordinates(self, mu: Floating) -> Floating:
        """Return the coordinates of codes along the axes: (N, Z) -> (N, k)."""
        if mu.ndim != 2 or mu.shape[1] != self.axes.shape[1]:
            raise TrainingError(
                f"expected codes (N, {self.axes.shape[1]}), found shape {mu.shape}: pass codes of the network that the "
                "direction was fitted on."
            )
        return _along(mu, self.axes)

    def value(self, mu: Floating) -> Floating:
        """Return the factor's values read from codes, in its units: (N, Z) -> (N,)."""
        return self.calibration.at(self.coordinates(mu))

    def moved(self, mu: Floating, values: ArrayLike) -> Floating:
        """Return codes moved along the direction to values of the factor, a number or (N,): (N, Z) -> (N, Z)."""
        wanted = self.calibration.coordinates(np.broadcast_to(np.asarray(values, np.float64), len(mu)))
        steps = wanted - self.coordinates(mu)
        changed: Floating = mu + sum(step[:, None] * axis for step, axis in zip(steps.T, self.axes, strict=True))
        return changed.astype(mu.dtype)


@dataclass(frozen=True, eq=False)
class Baselines:
    """The two baselines of one factor."""

    max_variance: Direction
    regression: Direction

    def score(self, mu: Floating, truth: Floating) -> dict[str, float]:
        """Return the latent that varies most, and the R^2 of both monotone maps: (N, Z), (N,)."""
        most, regression = self.max_variance, self.regression
        return {
            "max_variance_latent": most.calibration.own[0],
            "r2_max_variance": most.calibration.r_squared(truth, most.coordinates(mu)),
            "r2_regression": regression.calibration.r_squared(truth, regression.coordinates(mu)),
        }


def measure_baselines(codec: Codec, varying: Sequence[LabelledBatches], fitted: Codes) -> tuple[Baselines, ...]:
    """Fit both baselines of each factor, on training batches in which it varies and on codes of images of all kinds.

    Returns none if a factor has no such batches.
    """
    if not all(len(batches.images) for batches in varying):
        return ()
    description = codec.description
    classes = description.classes or ((),) * len(description.factors)
    return tuple(
        fit_baselines(
            name, encode_split(codec, batches).mu, fitted.flat_mu, values, name in description.circular, named
        )
        for name, batches, values, named in zip(
            description.factors, varying, fitted.flat_factors.T, classes, strict=True
        )
    )


def fit_baselines(
    factor: str,
    batches: Floating,
    mu: Floating,
    values: Floating,
    circular: bool = False,
    classes: tuple[str, ...] = (),
) -> Baselines:
    """Fit both baselines of one factor, on training identities.

    batches (B, n, Z): mu of batches in which only the factor varies; mu (N, Z), values (N,): of images of all kinds.
    """
    most = max_variance_latents(batches, min(len(classes), mu.shape[1] + 1) - 1 if classes else 2 if circular else 1)
    fitted = _calibrated(factor, np.eye(mu.shape[1])[list(most)], mu, values, classes)
    return Baselines(fitted, regression_direction(factor, mu, values, circular, classes))


def max_variance_latents(batches: Floating, count: int = 1) -> tuple[int, ...]:
    """Return the latents with the largest mean variance within batches, the largest first: (B, n, Z) -> (count,)."""
    if batches.ndim != 3 or 0 in batches.shape or batches.shape[1] < 2:
        raise TrainingError(
            f"expected codes (B, n, Z) of two images or more per batch, found {batches.shape}: pass whole batches."
        )
    spread = batches.astype(np.float64).var(axis=1).mean(axis=0)
    return tuple(np.argsort(-spread, kind="stable")[:count].tolist())


def regression_direction(
    factor: str, mu: Floating, values: Floating, circular: bool = False, classes: tuple[str, ...] = ()
) -> Direction:
    """Return the direction of the linear regression of a factor on all latents: mu (N, Z), values (N,).

    Of all moves of the same length, one along it changes the prediction most. If no latent predicts the factor, it is
    the first axis. A circular factor has the plane of the regressions of cosine and sine, and classes the space of the
    regressions of all indicators but the last, which follows from the others.
    """
    targets = as_vectors(values) if circular else values[:, None]
    if classes:
        targets = indicators(values, range(min(len(classes) - 1, mu.shape[1])))
    weights = least_squares(mu.astype(np.float64), targets)[:-1].T  # (k, Z)
    length = np.array([[np.linalg.norm(each)] for each in weights])
    axes = np.where(length > 0, weights / np.where(length > 0, length, 1), np.eye(mu.shape[1])[: len(weights)])
    if len(axes) > 1:
        axes = np.linalg.qr(axes.T)[0].T
    return _calibrated(factor, axes, mu, values, classes)


def save_directions(folder: str | Path, baselines: Sequence[Baselines]) -> None:
    """Write directions.json into a run's folder."""
    found = {"format": FORMAT, "version": FORMAT_VERSION, "factors": [_to_json(each) for each in baselines]}
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


def _calibrated(
    factor: str, axes: Floating, mu: Floating, values: Floating, classes: tuple[str, ...] = ()
) -> Direction:
    latents = np.abs(axes).argmax(axis=1).tolist()
    return Direction(axes, calibrate_coordinates(factor, latents, _along(mu, axes), values, classes))


def _along(mu: Floating, axes: Floating) -> Floating:
    """Return the coordinates of codes along axes: (N, Z), (k, Z) -> (N, k)."""
    return np.stack([mu @ axis for axis in axes], axis=1)  # one by one: a matrix product rounds differently


def _to_json(baselines: Baselines) -> dict[str, Any]:  # JSON
    """Return both directions. One axis is `unit`, as in older files, and two are `units`."""
    found: dict[str, Any] = {}
    for name in ("max_variance", "regression"):
        direction: Direction = getattr(baselines, name)
        axes = direction.axes.tolist()
        vectors = {"unit": axes[0]} if len(axes) == 1 else {"units": axes}
        found[name] = {**vectors, "calibration": to_json(direction.calibration)}
    return found


def _from_json(found: dict[str, Any]) -> Direction:  # JSON
    axes = np.array(found["units"] if "units" in found else [found["unit"]], np.float64)
    fit = from_json(found["calibration"])
    if axes.ndim != 2 or len(axes) != len(fit.own) or not np.allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-3):
        raise ValueError(f"expected {len(fit.own)} orthogonal unit vectors, found others of shape {axes.shape}")
    return Direction(axes, fit)
