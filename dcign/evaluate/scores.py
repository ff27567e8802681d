"""The scores of each factor in an evaluation: its latent, its leakage, swaps, re-rendering and invariance."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcign.arrays import Bool
from dcign.evaluate.codes import Codes
from dcign.evaluate.disentanglement import halves
from dcign.evaluate.leakage import Leakage, measure_leakage
from dcign.evaluate.reconstruction import Reconstruction
from dcign.evaluate.rerendering import measure_sweep
from dcign.evaluate.swaps import swap_errors
from dcign.inputs.source import LabelledBatches
from dcign.metrics import best_latent, invariance_ratio, linear_leakage, read_monotone_latent
from dcign.metrics.tables import unmeasurable
from dcign.progress import PartProgress, no_fraction_progress
from dcign.trained.calibration import FactorCalibration, calibrate
from dcign.trained.codec import Codec


@dataclass(frozen=True, eq=False)
class EncodedSplits:
    """The test and the sweep split, and the codes of training images (fitted), of iid (held) and of test (tested)."""

    test: LabelledBatches
    sweep: LabelledBatches
    fitted: Codes
    held: Codes
    tested: Codes

    def unmeasurable(self) -> str:
        """Return why the tables of codes and labels cannot be measured, as one sentence, or "" if they can."""
        held = self.held.flat_factors
        return unmeasurable(self.fitted.flat_factors) or unmeasurable(held) or unmeasurable(held[halves(len(held))[1]])


def own_calibrations(codec: Codec, fitted: Codes) -> tuple[FactorCalibration, ...]:
    """Calibrate each factor's own latent: the one with its index, or the best one without assigned latents."""
    mu, factors = fitted.flat_mu, fitted.flat_factors.T
    assigned = codec.configuration.recipe.assigned
    own = range(len(factors)) if assigned else [best_latent(mu, values) for values in factors]
    found = zip(codec.description.factors, own, factors, strict=True)
    return tuple(calibrate(name, latent, mu[:, latent], values) for name, latent, values in found)


def table_scores(
    splits: EncodedSplits, own: Sequence[int], rng: np.random.Generator | None = None
) -> list[dict[str, Any]]:  # JSON
    """Score how well each factor's own latent (F,) tells it, from the tables of codes and labels alone.

    rng draws the intervals; without one there are none.
    """
    fitted, held = splits.fitted, splits.held
    tables = fitted.flat_mu, fitted.flat_factors, held.flat_mu, held.flat_factors
    assigned, best = read_monotone_latent(*tables, range(len(own))), read_monotone_latent(*tables)
    linear = linear_leakage(*tables, tuple(own))
    return [
        {
            **dataclasses.asdict(reading),
            "leakage_linear_r2": float(linear[index]),  # of a linear regression on the means of all other latents
            "r2_assigned": assigned[index].r2,  # of the latent with the factor's index
            "best_latent": best[index].latent,  # on training identities
            "r2_best": best[index].r2,
        }
        for index, reading in enumerate(read_monotone_latent(*tables, own, rng))
    ]


def leakage_scores(leaks: Sequence[Leakage]) -> list[dict[str, float]]:
    """Name the R^2 of probes of all other latents: sampled, the means of those that are alive, the means of all."""
    return [
        {"leakage_r2": leak.sampled, "leakage_active_r2": leak.active, "leakage_all_r2": leak.everything}
        for leak in leaks
    ]


def picture_scores(
    codec: Codec,
    splits: EncodedSplits,
    fits: Sequence[FactorCalibration],
    alive: Bool,
    plain: Reconstruction,
    meter: PartProgress | None = None,
) -> list[dict[str, Any]]:  # JSON
    """Score swaps, re-rendering and invariance of each factor, by the latent of its calibration in fits (F,)."""
    own = [fit.latent for fit in fits]
    intrinsic = np.setdiff1d(np.arange(splits.held.mu.shape[-1]), own)
    scores = []
    for index, (factor, fit) in enumerate(zip(codec.description.factors, fits, strict=True)):
        swapping, sweeping = (
            no_fraction_progress if meter is None else meter.part(f"{stage} {factor}")
            for stage in ("swapping", "sweeping")
        )
        swap = swap_errors(codec, splits.test, splits.tested, plain, index, fit.latent, swapping)
        informative = intrinsic[alive[intrinsic]]
        rerendering, curve = measure_sweep(codec, splits.sweep, index, fit, informative, sweeping)
        varying = splits.tested.mu[splits.tested.kind == index]
        scores.append(
            {
                "swap_ratio": swap.ratio,
                "copy_ratio": swap.copy_ratio,
                "invariance_ratio": invariance_ratio(varying, splits.held.flat_mu, intrinsic.tolist()),
                "rerender": dataclasses.asdict(rerendering),
                "invariance_curve": dataclasses.asdict(curve),
            }
        )
    return scores


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

    evaluation.json has the same keys; errors are in the factor's own units. Tables that are too small to measure leave
    out the scores that need them.
    """
    own = tuple(fit.latent for fit in fits)
    tables: list[dict[str, Any]] = [{"latent": latent} for latent in own]  # JSON
    leaks: list[dict[str, float]] = [{} for _ in own]
    probing = meter.part("probing")
    if not splits.unmeasurable():
        tables = table_scores(splits, own, rng)
        leaks = leakage_scores(measure_leakage(splits.fitted, splits.held, own, alive, probing))
    pictures = picture_scores(codec, splits, fits, alive, plain, meter)
    found = zip(codec.description.factors, tables, leaks, pictures, strict=True)
    return {factor: {**table, **leak, **picture} for factor, table, leak, picture in found}
