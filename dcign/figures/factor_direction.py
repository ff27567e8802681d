"""A direction of the code that stands for a factor: the factor is read from it, and set along it.

A latent is such a direction, the unit vector of its axis; dcign/evaluate/directions.py has others, for codes without
assigned latents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating
from dcign.evaluate.directions import FILE as DIRECTIONS
from dcign.evaluate.directions import Direction, load_directions
from dcign.evaluate.sweeps import Sweep
from dcign.metrics import r_squared
from dcign.trained.trained_run import TrainedRun


@dataclass(frozen=True, eq=False)
class FactorDirection:
    """A calibrated direction with a name for captions."""

    name: str
    axis: Direction

    def turned(self, mu: Floating, values: Floating) -> Floating:
        """Set the factor of one code (Z,) to each of these values (N,), and keep the rest: (N, Z)."""
        return self.axis.moved(np.repeat(mu[None], len(values), axis=0), values)


@dataclass(frozen=True, eq=False)
class Reading:
    """A factor read from a direction on a sweep: levels (L,), inferred (L, n) for n people."""

    name: str  # of the direction
    levels: Floating
    inferred: Floating

    @property
    def r2(self) -> float:
        """R^2 of inferred against true, all people together."""
        return r_squared(self._truth.ravel(), self.inferred.ravel())

    @property
    def error(self) -> float:
        """Mean absolute error, in the factor's unit."""
        return float(np.abs(self.inferred - self._truth).mean())

    @property
    def blind_error(self) -> float:
        """Mean absolute error of a constant guess, the middle of the sweep."""
        return float(np.abs(self._truth - np.median(self.levels)).mean())

    @property
    def _truth(self) -> Floating:
        return np.broadcast_to(self.levels[:, None], self.inferred.shape)


def evaluated_directions(run: TrainedRun) -> tuple[FactorDirection, ...]:
    """Return the directions that the evaluation measures: for each factor its own latent, or the best one."""
    recipe = run.configuration.recipe
    best, axes = "" if recipe.assigned else "best ", np.eye(recipe.latents)
    return tuple(
        FactorDirection(f"{best}latent {fit.latent}", Direction(axes[fit.latent], fit)) for fit in run.calibrations
    )


def baseline_directions(run: TrainedRun) -> tuple[tuple[FactorDirection, ...], ...]:
    """Return two baselines for a code without assigned latents, each with one direction per factor.

    They are the latent that varies most in a factor's batches (the paper), and the direction of the linear regression
    (its reviewer). Empty if latents are assigned, or if the evaluation is of a version that did not write them.
    """
    if run.configuration.recipe.assigned or not (run.folder / DIRECTIONS).is_file():
        return ()
    found = load_directions(run.folder)
    most = (
        FactorDirection(f"most varying latent {each.max_variance.calibration.latent}", each.max_variance)
        for each in found
    )
    return tuple(most), tuple(FactorDirection("regression direction", each.regression) for each in found)


def read_sweep(direction: FactorDirection, sweep: Sweep, mu: Floating) -> Reading:
    """Read a direction on the codes (L, n, Z) of a sweep."""
    return Reading(
        direction.name, sweep.levels, direction.axis.value(mu.reshape(-1, mu.shape[-1])).reshape(mu.shape[:2])
    )
