"""From a latent to the angle it stands for, and back: monotone maps, fitted on training identities.

A latent that is azimuth is azimuth in units of its own, and not linearly: an isotonic fit gives it degrees.
The map back, from degrees to the latent, is a fit of its own, as a monotone step has no inverse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dcign.errors import TrainingError
from dcign.metrics.monotone import MonotoneMap, fit_monotone

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class FactorCalibration:
    """Which latent carries a factor, and how: the map to the factor's value, and the map back to the code."""

    factor: str
    latent: int
    value: MonotoneMap
    code: MonotoneMap
    slope: float  # of the least-squares line from latent to factor ...
    offset: float  # ... and its value at 0

    def linear(self, codes: Array) -> Array:
        """Return the straight line's prediction of the factor: (N,) -> (N,)."""
        return self.offset + self.slope * codes


def calibrate(factor: str, latent: int, codes: Array, values: Array) -> FactorCalibration:
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


def factor_values(mu: Array, calibrations: Sequence[FactorCalibration]) -> Array:
    """Say what codes stand for, in the factors' units: mu (N, Z) -> (N, F), in the order of the calibrations."""
    return np.stack([fit.value(mu[:, fit.latent]) for fit in calibrations], axis=1)


def with_factors(mu: Array, calibrations: Sequence[FactorCalibration], **values: ArrayLike) -> Array:
    """Set factors, by name and in their units, a number or (N,) each, in copies of codes: (N, Z) -> (N, Z)."""
    places = {fit.factor: fit for fit in calibrations}
    changed = np.array(mu)
    for name, wanted in values.items():
        if name not in places:
            raise TrainingError(f"there is no factor {name!r}: choose {', '.join(places)}")
        fit = places[name]
        changed[:, fit.latent] = fit.code(np.broadcast_to(np.asarray(wanted, np.float64), len(changed)))
    return changed


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


def from_json(found: dict[str, dict[str, list[float]]]) -> FactorCalibration:
    """Read what `to_json` gave."""
    maps = {
        name: MonotoneMap(**{side: np.array(knots) for side, knots in found[name].items()})
        for name in ("value", "code")
    }
    plain = {name: value for name, value in found.items() if name not in maps}
    return FactorCalibration(**plain, **maps)  # type: ignore[arg-type]  # plain values, as to_json wrote them
