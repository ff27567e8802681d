"""From a latent to the angle it stands for, and back: monotone maps, fitted on training identities.

A latent that is azimuth is azimuth in units of its own, and not linearly: an isotonic fit gives it degrees.
The map back, from degrees to the latent, is a fit of its own, as a monotone step has no inverse.

Both maps are constant beyond their ends: a code further out than any of training reads as the last angle of
training, and an angle further out is given the last code. `FactorCalibration.range` says where that begins.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating
from dcign.errors import TrainingError
from dcign.metrics.monotone import MonotoneMap, fit_monotone
from dcign.run.json_files import read_json, write_result

FORMAT = "dcign-calibration"
FORMAT_VERSION = 1
FILE = "calibration.json"
LARGEST = 1e9  # of a number in the file: no code, and no factor in any unit, is larger


@dataclass(frozen=True, eq=False)
class FactorCalibration:
    """Which latent carries a factor, and how: the map to the factor's value, and the map back to the code."""

    factor: str
    latent: int
    value: MonotoneMap
    code: MonotoneMap
    slope: float  # of the least-squares line from latent to factor ...
    offset: float  # ... and its value at 0

    def linear(self, codes: Floating) -> Floating:
        """Return the straight line's prediction of the factor: (N,) -> (N,)."""
        return self.offset + self.slope * codes

    @property
    def range(self) -> tuple[float, float]:
        """Return the lowest and highest value of the factor among the training images that were fitted."""
        return float(self.code.inputs[0]), float(self.code.inputs[-1])


def calibrate(factor: str, latent: int, codes: Floating, values: Floating) -> FactorCalibration:
    """Fit both maps and the line between one latent's codes (N,) and a factor's values (N,)."""
    spread = float(np.var(codes))
    slope = float(np.cov(codes, values, bias=True)[0, 1]) / spread if spread > 0 else 0.0
    return FactorCalibration(
        factor=factor,
        latent=latent,
        value=fit_monotone(codes, values),
        code=fit_monotone(values, codes),
        slope=slope,
        offset=float(values.mean() - slope * codes.mean()),
    )


def factor_values(mu: Floating, calibrations: Sequence[FactorCalibration]) -> Floating:
    """Say what codes stand for, in the factors' units: mu (N, Z) -> (N, F), in the order of the calibrations."""
    return np.stack([fit.value(mu[:, fit.latent]) for fit in calibrations], axis=1)


def with_factors(mu: Floating, calibrations: Sequence[FactorCalibration], /, **values: ArrayLike) -> Floating:
    """Set factors, by name and in their units, a number or (N,) each, in copies of codes: (N, Z) -> (N, Z).

    Raises TrainingError for a factor that is not there, a value that is no number, and for two that share a latent, as
    they may in a network whose latents were not assigned: the second would undo the first.
    """
    places = {fit.factor: fit for fit in calibrations}
    changed = np.array(mu, np.result_type(mu, np.float32))
    set_by: dict[int, str] = {}
    for name, wanted in values.items():
        if name not in places:
            raise TrainingError(f"there is no factor {name!r}: choose {', '.join(places)}")
        fit = places[name]
        if fit.latent in set_by:
            raise TrainingError(
                f"{set_by[fit.latent]} and {name} are both read from latent {fit.latent} of this network, so they "
                "cannot be set together: set one of them"
            )
        set_by[fit.latent] = name
        numbers = np.broadcast_to(np.asarray(wanted, np.float64), len(changed))
        if not np.isfinite(numbers).all():
            raise TrainingError(f"{name} has values that are no finite numbers: wanted one or (N,), in its units")
        changed[:, fit.latent] = fit.code(numbers)
    return changed


def write_calibrations(folder: str | Path, calibrations: Iterable[FactorCalibration]) -> Path:
    """Write calibration.json into a folder, in the data set's order of factors."""
    content = {"format": FORMAT, "version": FORMAT_VERSION, "factors": [to_json(fit) for fit in calibrations]}
    path = Path(folder) / FILE
    write_result(path, (json.dumps(content, indent=2) + "\n").encode())
    return path


def read_calibrations(folder: str | Path, factors: Sequence[str], latents: int) -> tuple[FactorCalibration, ...]:
    """Read a folder's calibration.json: of these factors, in this order, in a code of so many latents.

    Raises TrainingError, in one sentence, if there is none, or if it is damaged or another network's.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise TrainingError(f"expected {FILE} in {folder}, found none: run dcign evaluate {folder} first.")
    try:
        found = read_json(path)
        # The first calibrations had no format.
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
    """Return JSON-able values; `from_json` reads them."""
    maps = {"value": calibration.value, "code": calibration.code}
    knots = {name: {"inputs": m.inputs.tolist(), "outputs": m.outputs.tolist()} for name, m in maps.items()}
    return {
        "factor": calibration.factor,
        "latent": calibration.latent,
        "slope": calibration.slope,
        "offset": calibration.offset,
        **knots,
    }


def from_json(found: Any) -> FactorCalibration:  # JSON, of which nothing is known
    """Read what `to_json` gave; raises ValueError, saying what is wrong, for anything else."""
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
