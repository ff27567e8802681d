"""Calibration: maps between latents and factors, fitted on training identities.

A latent that stands for elevation has units of its own and is not linear in elevation. An isotonic fit maps it to
degrees, and another one degrees to the latent: the mean angle of a latent, and the mean latent of an angle. Of a noisy
latent, these are not each other's inverse. An isotonic fit has steps; lines between their middles make it strictly
monotone. A circular factor has two latents, whose mean passes along a closed curve while the factor makes a turn. A
factor of classes has a block of latents: a linear discriminant reads the class, and a class is written as its mean.

Maps on a line are constant beyond their ends. `range` gives the factor's values at the ends.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import ArrayLike

from dcign.arrays import Floating
from dcign.errors import TrainingError
from dcign.metrics.categorical import Discriminant, class_r_squared, fit_classes, indicators
from dcign.metrics.circular import TURN, ClosedCurve, circular_r_squared, fit_curve
from dcign.metrics.regression import MonotoneMap, fit_line, fit_monotone, r_squared
from dcign.run import json_files
from dcign.run.json_files import open_result, refuse_format, write_result

FORMAT = "dcign-calibration"
FORMAT_VERSION = 1
FILE = "calibration.json"
LEAST_POINTS = 3  # of a closed curve
Number = Annotated[float, Meta(ge=-1e9, le=1e9)]  # no code and no factor is larger
Latent = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1)]


class Calibration(ABC):
    """The latents of a factor, the map from them to the factor, and the map back.

    Coordinates are values of these latents, or along as many other directions of the code: (N, k). classes: names of
    the classes whose indices the values are, or none.
    """

    factor: str
    circular: bool = False
    classes: tuple[str, ...]

    @property
    @abstractmethod
    def own(self) -> tuple[int, ...]:
        """The factor's latents: (k,)."""

    @property
    @abstractmethod
    def range(self) -> tuple[float, float]:
        """The lowest and highest value of the factor in the fit."""

    @abstractmethod
    def at(self, coordinates: Floating) -> Floating:
        """Return the factor's values at coordinates: (N, k) -> (N,)."""

    @abstractmethod
    def coordinates(self, values: Floating) -> Floating:
        """Return the coordinates of values of the factor: (N,) -> (N, k)."""

    def r_squared(self, truth: Floating, coordinates: Floating) -> float:
        """Return the share of the variance of the factor's values (N,) that coordinates (N, k) explain."""
        return r_squared(truth, self.at(coordinates))

    def read(self, mu: Floating) -> Floating:
        """Return the factor's values read from codes: (N, Z) -> (N,)."""
        return self.at(mu[:, self.own])

    def written(self, mu: Floating, values: ArrayLike) -> Floating:
        """Return copies of codes with the factor set to values: (N, Z), a number or (N,) -> (N, Z)."""
        changed = np.array(mu)
        changed[:, self.own] = self.coordinates(np.atleast_1d(np.asarray(values, np.float64)))
        return changed


@dataclass(frozen=True, eq=False)
class FactorCalibration(Calibration):
    """The latent of a factor, the map from latent to factor, and the map from factor to latent."""

    factor: Name
    latent: Latent
    slope: Number  # of the least-squares line from latent to factor
    offset: Number  # that line at latent 0
    value: MonotoneMap  # the mean value of a latent
    code: MonotoneMap  # the mean latent of a value
    classes = ()

    def linear(self, codes: Floating) -> Floating:
        """Predict the factor by the line: latent (N,) -> factor (N,)."""
        return self.offset + self.slope * codes

    @property
    def own(self) -> tuple[int, ...]:
        """The factor's latent: (1,)."""
        return (self.latent,)

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and highest value of the factor in the fit."""
        return float(self.code.inputs[0]), float(self.code.inputs[-1])

    def at(self, coordinates: Floating) -> Floating:
        """Return the factor's values: (N, 1) -> (N,)."""
        return self.value(coordinates[:, 0])

    def coordinates(self, values: Floating) -> Floating:
        """Return the latent of values of the factor: (N,) -> (N, 1)."""
        return self.code(values)[:, None]


@dataclass(frozen=True, eq=False)
class CircularCalibration(Calibration):
    """The two latents of a circular factor, and the closed curve of their means over a turn, from -180 degrees on."""

    factor: Name
    latents: tuple[Latent, Latent]
    curve: ClosedCurve
    circular = True
    classes = ()

    @property
    def own(self) -> tuple[int, ...]:
        """The factor's latents: (2,)."""
        return self.latents

    @property
    def range(self) -> tuple[float, float]:
        """The whole turn."""
        return -TURN / 2, TURN / 2

    def at(self, coordinates: Floating) -> Floating:
        """Return the factor's values, -180 to below 180 degrees: (N, 2) -> (N,)."""
        return self.curve.angle(coordinates)

    def coordinates(self, values: Floating) -> Floating:
        """Return the latents of values of the factor, of any number of turns: (N,) -> (N, 2)."""
        return self.curve.at(values)

    def r_squared(self, truth: Floating, coordinates: Floating) -> float:
        """Return `dcign.metrics.circular.circular_r_squared`."""
        return circular_r_squared(truth, self.at(coordinates))


@dataclass(frozen=True, eq=False)
class ClassCalibration(Calibration):
    """The latents of a factor of classes, and the discriminant that tells the class."""

    factor: Name
    latents: Annotated[tuple[Latent, ...], Meta(min_length=1)]
    classes: Annotated[tuple[Name, ...], Meta(min_length=2)]
    discriminant: Discriminant

    @property
    def own(self) -> tuple[int, ...]:
        """The factor's latents: (k,)."""
        return self.latents

    @property
    def range(self) -> tuple[float, float]:
        """The first and the last index."""
        return 0.0, len(self.classes) - 1.0

    def at(self, coordinates: Floating) -> Floating:
        """Return the index of the most probable class: (N, k) -> (N,)."""
        found: Floating = self.discriminant.probabilities(coordinates).argmax(axis=1).astype(np.float64)
        return found

    def coordinates(self, values: Floating) -> Floating:
        """Return the mean of each class; indices are rounded and clipped: (N,) -> (N, k)."""
        found: Floating = self.discriminant.means[np.rint(values).clip(*self.range).astype(np.intp)]
        return found

    def r_squared(self, truth: Floating, coordinates: Floating) -> float:
        """Return `dcign.metrics.categorical.class_r_squared` of the probabilities."""
        told = self.discriminant.probabilities(coordinates)
        return class_r_squared(indicators(truth, range(len(self.classes))), told)


def calibrate(factor: str, latent: int, codes: Floating, values: Floating) -> FactorCalibration:
    """Fit both maps and the line between a latent's values (N,) and a factor's values (N,)."""
    slope, offset = fit_line(codes, values)
    maps = (fit_monotone(*pair).without_plateaus() for pair in ((codes, values), (values, codes)))
    return FactorCalibration(factor, latent, slope, offset, *maps)


def calibrate_circle(
    factor: str, latents: tuple[int, int], coordinates: Floating, values: Floating
) -> CircularCalibration:
    """Fit the curve of two latents (N, 2) over the values of a circular factor (N,), degrees."""
    return CircularCalibration(factor, latents, fit_curve(coordinates, values))


def calibrate_coordinates(
    factor: str, latents: Sequence[int], coordinates: Floating, values: Floating, classes: tuple[str, ...] = ()
) -> Calibration:
    """Fit the maps between coordinates (N, k) and a factor's values (N,): of classes, or on the circle if k is 2."""
    if classes:
        return ClassCalibration(factor, tuple(latents), classes, fit_classes(coordinates, values, len(classes)))
    if len(latents) == 1:
        return calibrate(factor, latents[0], coordinates[:, 0], values)
    return calibrate_circle(factor, (latents[0], latents[1]), coordinates, values)


def factor_values(mu: Floating, calibrations: Sequence[Calibration]) -> Floating:
    """Read the factors from codes mu (N, Z): (N, F), in the factors' units and in the order of the calibrations."""
    return np.stack([fit.read(mu) for fit in calibrations], axis=1)


def with_factors(mu: Floating, calibrations: Sequence[Calibration], /, **values: ArrayLike) -> Floating:
    """Set factors in copies of codes: (N, Z) -> (N, Z).

    Each factor is given by name, as a number or (N,) in its unit.

    Raises TrainingError for an unknown factor, for a value that is not finite, and for two factors that share a latent,
    which happens in networks without assigned latents: the second factor would overwrite the first.
    """
    changed = np.array(mu, np.result_type(mu, np.float32))
    set_by: dict[int, str] = {}
    for name, wanted in values.items():
        fit = calibration_of(name, calibrations)
        for latent in fit.own:
            if latent in set_by:
                raise TrainingError(
                    f"expected factors with latents of their own, found {set_by[latent]} and {name}, both on latent "
                    f"{latent}: set one of them."
                )
            set_by[latent] = name
        numbers = np.broadcast_to(np.asarray(wanted, np.float64), len(changed))
        if not np.isfinite(numbers).all():
            raise TrainingError(
                f"expected a finite number or (N,) of them for {name}, found other values: give values in its unit."
            )
        changed = fit.written(changed, numbers)
    return changed


def calibration_of(factor: str, calibrations: Sequence[Calibration]) -> Calibration:
    """Return the calibration of the factor with this name. Raises TrainingError if there is none."""
    known = {fit.factor: fit for fit in calibrations}
    if factor not in known:
        raise TrainingError(f"expected a factor of the run, found {factor!r}: choose from {', '.join(known)}.")
    return known[factor]


def write_calibrations(folder: str | Path, calibrations: Iterable[Calibration]) -> Path:
    """Write calibration.json into a folder, in the data set's order of factors."""
    content = {"format": FORMAT, "version": FORMAT_VERSION, "factors": [to_json(fit) for fit in calibrations]}
    path = Path(folder) / FILE
    write_result(path, (json.dumps(content, indent=2) + "\n").encode())
    return path


def read_calibrations(folder: str | Path, factors: Sequence[str], latents: int) -> tuple[Calibration, ...]:
    """Read a folder's calibration.json and check it against the network's factors and its number of latents.

    Raises TrainingError if there is none, if it is damaged, or if it belongs to another network.
    """
    with open_result(Path(folder) / FILE) as found:
        if not isinstance(found, dict) or not isinstance(found.get("factors"), list):
            raise ValueError("expected a list of factors, found none")
        # Calibrations of the first version have no format.
        refuse_format({"format": FORMAT, "version": FORMAT_VERSION} | found, FORMAT, FORMAT_VERSION)
        fits = tuple(from_json(each) for each in found["factors"])
        if [fit.factor for fit in fits] != list(factors):
            raise ValueError(f"its factors are {[fit.factor for fit in fits]}, the network's {list(factors)}")
        for fit in fits:
            if max(fit.own) >= latents:
                raise ValueError(f"{fit.factor} is latent {max(fit.own)}, and the network has {latents}")
    return fits


def to_json(fit: Any) -> Any:  # JSON
    """Return a dataclass, such as a calibration, as values for JSON; arrays become lists."""
    return msgspec.to_builtins(fit, enc_hook=lambda array: array.tolist())


def from_json(found: Any) -> Calibration:  # unchecked JSON
    """Read what `to_json` returned. Raises ValueError, which names the fault, for anything else."""
    if isinstance(found, dict) and "classes" in found:
        return _read_classes(found)
    if isinstance(found, dict) and "latents" in found:
        return _read_circular(found)
    fit: FactorCalibration = json_files.from_json(found, FactorCalibration, _read_array)
    for name, side in (("value", fit.value), ("code", fit.code)):
        if not len(side.inputs) == len(side.outputs) > 0:
            raise ValueError(f"the {name} of {fit.factor} has {len(side.inputs)} inputs, {len(side.outputs)} outputs")
        if not (np.diff(side.inputs) > 0).all():
            raise ValueError(f"the inputs of the {name} of {fit.factor} do not ascend")
        steps = np.diff(side.outputs)
        if not ((steps >= 0).all() or (steps <= 0).all()):
            raise ValueError(f"the outputs of the {name} of {fit.factor} both rise and fall")
    return replace(fit, value=fit.value.without_plateaus(), code=fit.code.without_plateaus())  # as in earlier files


def _read_circular(found: Any) -> CircularCalibration:  # unchecked JSON
    fit: CircularCalibration = json_files.from_json(found, CircularCalibration, _read_points)
    if len(fit.curve.points) < LEAST_POINTS:
        raise ValueError(f"the curve of {fit.factor} has {len(fit.curve.points)} points, too few for a turn")
    return fit


def _read_classes(found: Any) -> ClassCalibration:  # unchecked JSON
    fit: ClassCalibration = json_files.from_json(found, ClassCalibration, _read_table)
    told, shape = fit.discriminant, (len(fit.classes), len(fit.latents))
    if told.means.shape != shape or told.weights.shape != shape or told.offsets.shape != shape[:1]:
        raise ValueError(f"the classes of {fit.factor} have other numbers than {shape[0]} times {shape[1]}")
    return fit


def _read_table(_: type, found: Any) -> Floating:  # JSON
    """Read a list of numbers, or a list of equally long lists of numbers."""
    nested = isinstance(found, list) and bool(found) and isinstance(found[0], list)
    rows = json_files.from_json(found, list[list[Number]] if nested else list[Number])
    if nested and len({len(row) for row in rows}) > 1:
        raise ValueError("expected rows of one length, found others")
    return np.array(rows, np.float64)


def _read_points(_: type, found: Any) -> Floating:  # JSON
    return np.array(json_files.from_json(found, list[tuple[Number, Number]]), np.float64)


def _read_array(_: type, found: Any) -> Floating:  # JSON
    return np.array(json_files.from_json(found, list[Number]), np.float64)
