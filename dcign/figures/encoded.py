"""The codes of unseen people, which several figures share, and the directions from which their factors are read.

A direction of the code stands for a factor: the factor is read from it, and set along it. A latent is such a direction,
the unit vector of its axis, and so are the two latents of a circular factor. dcign/evaluate/directions.py has others,
for codes without assigned latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, UInt8
from dcign.evaluate.codes import Codes
from dcign.evaluate.directions import FILE as DIRECTIONS
from dcign.evaluate.directions import Direction, load_directions
from dcign.evaluate.sweeps import Sweep, at_rest, has_sweep, sweep_of
from dcign.inputs.source import LabelledBatches
from dcign.metrics import r_squared
from dcign.metrics.circular import circular_r_squared, near, wrapped
from dcign.progress import PartProgress
from dcign.trained.calibration import Calibration
from dcign.trained.trained_run import TrainedRun


@dataclass(frozen=True, eq=False)
class FactorDirection:
    """A calibrated direction with a name for captions."""

    name: str
    axis: Direction

    def turned(self, mu: Floating, values: Floating) -> Floating:
        """Set the factor of one code (Z,) to each of these values (N,), and keep the rest: (N, Z)."""
        return self.axis.moved(np.repeat(mu[None], len(values), axis=0), values)

    def read(self, sweep: Sweep, mu: Floating) -> Reading:
        """Read the factor from the codes (L, n, Z) of its sweep."""
        inferred = self.axis.value(mu.reshape(-1, mu.shape[-1])).reshape(mu.shape[:2])
        fit = self.axis.calibration
        if fit.circular:
            inferred = near(inferred, sweep.levels[:, None])
        return Reading(self.name, sweep.levels, inferred, fit.circular, bool(fit.classes), fit.factor)


@dataclass(frozen=True, eq=False)
class Reading:
    """A factor read from a direction on a sweep: levels (L,), inferred (L, n) for n people.

    Of a circular factor, inferred is within half a turn of the level. of_classes: whether values are indices of
    classes; factor: its name.
    """

    name: str  # of the direction
    levels: Floating
    inferred: Floating
    circular: bool = False
    of_classes: bool = False
    factor: str = ""

    @property
    def score(self) -> float:
        """R^2 of inferred against true, all people together; of classes the share that is right."""
        if self.of_classes:
            return float((self.inferred == self._truth).mean())
        score = circular_r_squared if self.circular else r_squared
        return score(self._truth.ravel(), self.inferred.ravel())

    def words(self, unit: str) -> str:
        """Return the score and the error in two lines; unit: the text that follows a value."""
        if self.of_classes:
            return f"right {self.score:.1%}\n1 of {len(self.levels)} by chance"
        return f"R² {self.score:.3f}\nmean error {self.error:.1f}{unit}"

    @property
    def error(self) -> float:
        """Mean absolute error, in the factor's unit."""
        return float(np.abs(self.inferred - self._truth).mean())

    @property
    def blind_error(self) -> float:
        """Mean absolute error of a constant guess, the middle of the sweep."""
        error = self._truth - np.median(self.levels)
        return float(np.abs(wrapped(error) if self.circular else error).mean())

    @property
    def _truth(self) -> Floating:
        return np.broadcast_to(self.levels[:, None], self.inferred.shape)


def evaluated_directions(run: TrainedRun) -> tuple[FactorDirection, ...]:
    """Return the directions that the evaluation measures: for each factor its own latent, or the best one."""
    best = "" if run.configuration.recipe.assigned else "best "
    return tuple(
        FactorDirection(f"{best}{_latents(fit)}", Direction.of_latents(fit, run.layout.size))
        for fit in run.calibrations
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
        FactorDirection(f"most varying {_latents(each.max_variance.calibration)}", each.max_variance) for each in found
    )
    return tuple(most), tuple(FactorDirection("regression direction", each.regression) for each in found)


def _latents(fit: Calibration) -> str:
    if len(fit.own) > 2:
        return f"latents {fit.own[0]} to {fit.own[-1]}"
    return f"latent{'s' if len(fit.own) > 1 else ''} {' and '.join(map(str, fit.own))}"


@dataclass(frozen=True, eq=False)
class EncodedSweeps:
    """The sweeps encoded by one run: for each factor its sweep and codes (L, n, Z).

    Factors without a sweep have less than two levels, and no codes.
    people: the pictures (n, S, S, C) of the same people with every factor at rest.
    """

    run: TrainedRun
    directions: tuple[FactorDirection, ...]  # one per factor: those that the evaluation measures
    baselines: tuple[tuple[FactorDirection, ...], ...]  # others, each with one direction per factor
    sweeps: tuple[Sweep, ...]
    codes: tuple[Floating, ...]
    people: UInt8
    people_codes: Floating  # (n, Z)

    def readings(self, directions: Sequence[FactorDirection]) -> tuple[Reading, ...]:
        """Read each factor that has a sweep from its direction."""
        return tuple(directions[index].read(self.sweeps[index], self.codes[index]) for index in self.swept)

    @property
    def swept(self) -> tuple[int, ...]:
        """The numbers of the factors that have a sweep."""
        return tuple(index for index, sweep in enumerate(self.sweeps) if len(sweep.levels) > 1)

    def median_person(self) -> int:
        """Return the number of the person with the median reconstruction error."""
        error = self.run.codec.decode(self.people_codes) - self.people.astype(np.float32) / 255
        return int(np.argsort(np.square(error).mean(axis=(1, 2, 3)))[len(error) // 2])


def count_sweep_images(sweep: LabelledBatches) -> float:
    """Return about how many images `encode_sweeps` encodes, as an amount of work."""
    return float(sweep.images.shape[0] * sweep.images.shape[1])


def encode_sweeps(run: TrainedRun, sweep: LabelledBatches, meter: PartProgress, stage: str) -> EncodedSweeps:
    """Encode every sweep of the split, and report progress as `stage`."""
    factors = len(run.factors)
    sweeps = tuple(
        sweep_of(sweep, factor) if has_sweep(sweep.factors, factor) else Sweep(np.empty(0), sweep.images[:0])
        for factor in range(factors)
    )
    codes: list[Floating] = []
    for found in sweeps:
        if len(found.levels) < 2:
            codes.append(np.empty((0, 0, run.layout.size)))
            continue
        progress = meter.part(stage, len(found.levels) / sum(len(each.levels) for each in sweeps))
        levels, people = found.images.shape[:2]
        mu = run.codec.encode(found.images.reshape(-1, *found.images.shape[2:]), progress)[0]
        codes.append(mu.reshape(levels, people, -1))
    people = at_rest(sweep)
    at_rest_codes = run.codec.encode(people)[0]
    return EncodedSweeps(
        run, evaluated_directions(run), baseline_directions(run), sweeps, tuple(codes), people, at_rest_codes
    )


@dataclass(frozen=True, eq=False)
class EncodedImages:
    """The iid split, in which every factor is random in every image, and its codes."""

    batches: LabelledBatches
    codes: Codes

    @property
    def images(self) -> UInt8:
        """All images: (N, S, S, C)."""
        return self.batches.images.reshape(-1, *self.batches.images.shape[2:])
