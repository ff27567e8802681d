"""Calibration: monotone maps between a latent and its factor, fitted on training identities.

A latent that stands for azimuth has units of its own and is not linear in azimuth. An isotonic fit maps it to degrees.
An isotonic fit is a step function and has no inverse. So the map from degrees to the latent is fitted separately.

Both maps are constant beyond their ends. `FactorCalibration.range` gives the factor's values at the ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating
from dcign.errors import TrainingError
from dcign.metrics.regression import MonotoneMap, fit_line, fit_monotone
from dcign.run.json_files import read_json, write_result

FORMAT = "dcign-calibration"
FORMAT_VERSION = 1
FILE = "calibration.json"
LARGEST = 1e9  # bound on numbers in the file; no code and no factor is larger


@dataclass(frozen=True, eq=False)
class FactorCalibration:
    """The latent of a factor, the map from latent to factor, and the map from factor to latent."""

    factor: str
    latent: int
    value: MonotoneMap
    code: MonotoneMap
    slope: float  # slope of the least-squares line from latent to factor
    offset: float  # that line at latent 0

    def linear(self, codes: Floating) -> Floating:
        """Predict the factor by the line: latent (N,) -> factor (N,)."""
        return self.offset + self.slope * codes

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and highest value of the factor in the fit."""
        return float(self.code.inputs[0]), float(self.code.inputs[-1])


def calibrate(factor: str, latent: int, codes: Floating, values: Floating) -> FactorCalibration:
    """Fit both maps and the line between a latent's values (N,) and a factor's values (N,)."""
    slope, offset = fit_line(codes, values)
    return FactorCalibration(
        factor=factor,
        latent=latent,
        value=fit_monotone(codes, values),
        code=fit_monotone(values, codes),
        slope=slope,
        offset=offset,
    )


def factor_values(mu: Floating, calibrations: Sequence[FactorCalibration]) -> Floating:
    """Read the factors from codes mu (N, Z): (N, F), in the factors' units and in the order of the calibrations."""
    return np.stack([fit.value(mu[:, fit.latent]) for fit in calibrations], axis=1)


def with_factors(mu: Floating, calibrations: Sequence[FactorCalibration], /, **values: ArrayLike) -> Floating:
    """Set factors in copies of codes: (N, Z) -> (N, Z).

    Each factor is given by name, as a number or (N,) in its unit.

    Raises TrainingError for an unknown factor, for a value that is not finite, and for two factors that share a latent,
    which happens in networks without assigned latents: the second factor would overwrite the first.
    """
    places = {fit.factor: fit for fit in calibrations}
    changed = np.array(mu, np.result_type(mu, np.float32))
    set_by: dict[int, str] = {}
    for name, wanted in values.items():
        if name not in places:
            raise TrainingError(f"expected a factor of the run, found {name!r}: choose from {', '.join(places)}.")
        fit = places[name]
        if fit.latent in set_by:
            raise TrainingError(
                f"expected factors with latents of their own, found {set_by[fit.latent]} and {name}, both on latent "
                f"{fit.latent}: "
                "set one of them."
            )
        set_by[fit.latent] = name
        numbers = np.broadcast_to(np.asarray(wanted, np.float64), len(changed))
        if not np.isfinite(numbers).all():
            raise TrainingError(
                f"expected a finite number or (N,) of them for {name}, found other values: give values in its unit."
            )
        changed[:, fit.latent] = fit.code(numbers)
    return changed


def write_calibrations(folder: str | Path, calibrations: Iterable[FactorCalibration]) -> Path:
    """Write calibration.json into a folder, in the data set's order of factors."""
    content = {"format": FORMAT, "version": FORMAT_VERSION, "factors": [to_json(fit) for fit in calibrations]}
    path = Path(folder) / FILE
    write_result(path, (json.dumps(content, indent=2) + "\n").encode())
    return path


def read_calibrations(folder: str | Path, factors: Sequence[str], latents: int) -> tuple[FactorCalibration, ...]:
    """Read a folder's calibration.json and check it against the network's factors and its number of latents.

    Raises TrainingError if there is none, if it is damaged, or if it belongs to another network.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise TrainingError(f"expected {FILE} in {folder}, found none: run dcign evaluate {folder} first.")
    try:
        found = read_json(path)
        # Calibrations of the first version have no format.
        if not isinstance(found, dict) or found.get("format", FORMAT) != FORMAT:
            raise ValueError(f"it is no {FORMAT}")
        if found.get("version", FORMAT_VERSION) != FORMAT_VERSION:
            raise ValueError(f"it is not of version {FORMAT_VERSION}")
        if not isinstance(found.get("factors"), list):
            raise ValueError("it has no list of factors")
        fits = tuple(from_json(each) for each in found["factors"])
        if [fit.factor for fit in fits] != list(factors):
            raise ValueError(f"its factors are {_shown([fit.factor for fit in fits])}, the network's {_shown(factors)}")
        for fit in fits:
            if fit.latent >= latents:
                raise ValueError(f"{fit.factor} is latent {fit.latent}, and the network has {latents}")
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise TrainingError(f"cannot read {path} ({reason}): evaluate the run again") from None
    return fits


def to_json(calibration: FactorCalibration) -> dict[str, object]:
    """Return values for JSON, which `from_json` reads."""
    maps = {"value": calibration.value, "code": calibration.code}
    knots = {name: {"inputs": m.inputs.tolist(), "outputs": m.outputs.tolist()} for name, m in maps.items()}
    return {
        "factor": calibration.factor,
        "latent": calibration.latent,
        "slope": calibration.slope,
        "offset": calibration.offset,
        **knots,
    }


def from_json(found: Any) -> FactorCalibration:  # unchecked JSON
    """Read what `to_json` returned. Raises ValueError, which names the fault, for anything else."""
    if not isinstance(found, dict):
        raise ValueError("a factor is no object")
    factor, latent = found.get("factor"), found.get("latent")
    if not isinstance(factor, str) or not factor:
        raise ValueError(f"a factor's name is {_shown(factor)}")
    if type(latent) is not int or latent < 0:
        raise ValueError(f"the latent of {factor} is {_shown(latent)}")
    return FactorCalibration(
        factor=factor,
        latent=latent,
        value=_map(found.get("value"), f"the map to {factor}"),
        code=_map(found.get("code"), f"the map from {factor}"),
        slope=_number(found.get("slope"), f"the slope of {factor}"),
        offset=_number(found.get("offset"), f"the offset of {factor}"),
    )


def _map(found: Any, what: str) -> MonotoneMap:  # JSON
    if not isinstance(found, dict):
        raise ValueError(f"{what} is {_shown(found)}")
    inputs, outputs = (_knots(found.get(side), f"the {side} of {what}") for side in ("inputs", "outputs"))
    if not len(inputs) == len(outputs) > 0:
        raise ValueError(f"{what} has {len(inputs)} inputs and {len(outputs)} outputs")
    if not (np.diff(inputs) > 0).all():
        raise ValueError(f"the inputs of {what} do not ascend")
    steps = np.diff(outputs)
    if not ((steps >= 0).all() or (steps <= 0).all()):
        raise ValueError(f"the outputs of {what} both rise and fall")
    return MonotoneMap(inputs, outputs)


def _knots(found: Any, what: str) -> Floating:  # JSON
    if not isinstance(found, list):
        raise ValueError(f"{what} are {_shown(found)}")
    return np.array([_number(value, f"one of {what}") for value in found])


def _number(found: Any, what: str) -> float:  # JSON
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) <= LARGEST:
        raise ValueError(f"{what} is {_shown(found)}")
    return float(found)


def _shown(value: Any) -> str:  # JSON
    return repr(value)[:60]
