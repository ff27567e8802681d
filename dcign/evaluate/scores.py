"""What an evaluation says of one factor."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dcign.arrays import Floating
from dcign.evaluate.codes import Codes
from dcign.evaluate.rerendering import InvarianceCurve, Rerendering
from dcign.metrics import r_squared, spearman
from dcign.metrics.bootstrap import bootstrap_all
from dcign.trained.calibration import FactorCalibration


@dataclass(frozen=True)
class FactorScore:
    """How well one latent is one factor, in the data set's units where it has any."""

    latent: int  # that the figures below are of
    r2: float  # through a monotone map
    r2_linear: float
    spearman: float
    mae_degrees: float
    leakage_r2: float  # a probe's, from all other latents: sampled ...
    leakage_active_r2: float  # ... the means of those that are alive ...
    leakage_all_r2: float  # ... the means of all
    leakage_linear_r2: float  # a straight line's, from the means of all
    swap_ratio: float
    copy_ratio: float  # what returning the source unchanged would score as a swap
    invariance_ratio: float  # variance of the latents that are no factor's while this factor varies, over people's
    r2_assigned: float  # of the latent in the factor's own place
    best_latent: int  # on training identities
    r2_best: float
    rerender: Rerendering
    invariance_curve: InvarianceCurve
    intervals: dict[str, tuple[float, float]]  # 95 %, of the images drawn, by the names above


def measure_dial(held: Codes, fit: FactorCalibration, place: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return what a FactorScore says of one latent as a dial, with intervals."""
    codes, truth = held.flat_mu[:, fit.latent], held.flat_factors[:, place]
    names = ("r2", "r2_linear", "spearman", "mae_degrees")
    found = bootstrap_all(_dial_figures, [codes, truth, fit.value(codes), fit.linear(codes)], rng)
    figures = {name: each.value for name, each in zip(names, found, strict=True)}
    intervals = {name: (each.low, each.high) for name, each in zip(names, found, strict=True)}
    return {"latent": fit.latent, **figures, "intervals": intervals}


def _dial_figures(
    codes: Floating, truth: Floating, mapped: Floating, line: Floating
) -> tuple[float, float, float, float]:
    error = float(np.abs(mapped - truth).mean())
    return r_squared(truth, mapped), r_squared(truth, line), spearman(codes, truth), error
