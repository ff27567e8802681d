"""The scores of each factor in an evaluation: its latent, its leakage, swaps, re-rendering and invariance."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcign.arrays import Bool
from dcign.evaluate.codes import Codes
from dcign.evaluate.leakage import measure_leakage
from dcign.evaluate.reconstruction import Reconstruction
from dcign.evaluate.rerendering import measure_sweep
from dcign.evaluate.swaps import swap_errors
from dcign.inputs.source import LabelledBatches
from dcign.metrics import invariance_ratio, linear_leakage, read_monotone_latent
from dcign.progress import PartProgress
from dcign.trained.calibration import FactorCalibration
from dcign.trained.codec import Codec


@dataclass(frozen=True, eq=False)
class EncodedSplits:
    """The test and the sweep split, and the codes of training images (fitted), of iid (held) and of test (tested)."""

    test: LabelledBatches
    sweep: LabelledBatches
    fitted: Codes
    held: Codes
    tested: Codes


def measure_factors(
    codec: Codec,
    splits: EncodedSplits,
    fits: Sequence[FactorCalibration],
    alive: Bool,
    plain: Reconstruction,
    rng: np.random.Generator,
    meter: PartProgress,
) -> dict[str, dict[str, Any]]:  # JSON
    """Score each factor, by name, by the latent of its calibration in fits (F,); alive (Z,) marks the latents alive.

    evaluation.json has the same keys; errors are in the factor's own units.
    """
    fitted, held, tested = splits.fitted, splits.held, splits.tested
    tables = fitted.flat_mu, fitted.flat_factors, held.flat_mu, held.flat_factors
    own = tuple(fit.latent for fit in fits)
    assigned, best = read_monotone_latent(*tables, range(len(own))), read_monotone_latent(*tables)
    readings = read_monotone_latent(*tables, own, rng)
    leaks = measure_leakage(fitted, held, own, alive, meter.part("probing"))
    linear = linear_leakage(*tables, own)
    intrinsic = np.setdiff1d(np.arange(held.mu.shape[-1]), own)
    informative = intrinsic[alive[intrinsic]]
    scores = {}
    for index, (factor, fit) in enumerate(zip(codec.description.factors, fits, strict=True)):
        swapping = meter.part(f"swapping {factor}")
        swap = swap_errors(codec, splits.test, tested, plain, index, fit.latent, swapping)
        sweeping = meter.part(f"sweeping {factor}")
        rerendering, curve = measure_sweep(codec, splits.sweep, index, fit, informative, sweeping)
        scores[factor] = {
            **dataclasses.asdict(readings[index]),
            # R^2 of a probe of all other latents: sampled, the means of those that are alive, the means of all.
            "leakage_r2": leaks[index].sampled,
            "leakage_active_r2": leaks[index].active,
            "leakage_all_r2": leaks[index].everything,
            "leakage_linear_r2": float(linear[index]),  # of a linear regression on the means of all other latents
            "swap_ratio": swap.ratio,
            "copy_ratio": swap.copy_ratio,
            "invariance_ratio": invariance_ratio(tested.mu[tested.kind == index], held.flat_mu, intrinsic.tolist()),
            "r2_assigned": assigned[index].r2,  # of the latent with the factor's index
            "best_latent": best[index].latent,  # on training identities
            "r2_best": best[index].r2,
            "rerender": dataclasses.asdict(rerendering),
            "invariance_curve": dataclasses.asdict(curve),
        }
    return scores
