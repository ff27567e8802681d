"""The scores of each factor in an evaluation: its latent, its leakage, swaps, re-rendering and invariance."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcign.arrays import Bool, Floating, Int64, IntP
from dcign.evaluate.codes import Codes
from dcign.evaluate.disentanglement import halves
from dcign.evaluate.leakage import Leakage, measure_leakage
from dcign.evaluate.pictures.reconstruction import Reconstruction
from dcign.evaluate.pictures.rerendering import measure_sweep
from dcign.evaluate.pictures.swaps import swap_errors
from dcign.evaluate.sweeps import has_sweep
from dcign.inputs.source import LabelledBatches
from dcign.metrics import best_latent, invariance_ratio, linear_leakage, read_monotone_latent
from dcign.metrics.categorical import best_class_latents, indicators, read_classes
from dcign.metrics.circular import best_pair, factor_columns, per_column, per_factor, read_circle
from dcign.metrics.tables import Blocks, blocks_around, factor_types, unmeasurable
from dcign.progress import PartProgress, no_fraction_progress
from dcign.trained.calibration import Calibration, calibrate_coordinates
from dcign.trained.codec import Codec


@dataclass(frozen=True, eq=False)
class EncodedSplits:
    """The test and the sweep split, and the codes of training images (fitted), of iid (held) and of test (tested)."""

    test: LabelledBatches
    sweep: LabelledBatches
    fitted: Codes
    held: Codes
    tested: Codes

    def seen_classes(self, codec: Codec) -> tuple[tuple[int, ...], ...]:
        """Return the classes of each factor that some images of both tables show, and not all: (F,)."""
        tables, found = (self.fitted.flat_factors, self.held.flat_factors), []
        for factor, count in enumerate(codec.description.class_counts):
            shares = np.stack([indicators(table[:, factor], range(count)).mean(axis=0) for table in tables])
            found.append(tuple(np.flatnonzero(((shares > 0) & (shares < 1)).all(axis=0)).tolist()))
        return tuple(found)

    def unmeasurable(self) -> str:
        """Return why the tables of codes and labels cannot be measured, as one sentence, or "" if they can."""
        held = self.held.flat_factors
        return unmeasurable(self.fitted.flat_factors) or unmeasurable(held) or unmeasurable(held[halves(len(held))[1]])


def own_calibrations(codec: Codec, fitted: Codes) -> tuple[Calibration, ...]:
    """Calibrate each factor's own latents: those of its block, or the best ones without assigned latents."""
    mu, factors = fitted.flat_mu, fitted.flat_factors.T
    assigned, description = codec.configuration.recipe.assigned, codec.description
    found = []
    for index, (block, values) in enumerate(zip(codec.layout.factors, factors, strict=True)):
        named = description.classes[index] if description.classes else ()
        turns = block.name in description.circular
        latents = block.latents if assigned else best_latents(mu, values, turns, len(named))
        found.append(calibrate_coordinates(block.name, latents, mu[:, list(latents)], values, named))
    return tuple(found)


def circular_factors(codec: Codec) -> tuple[bool, ...]:
    """Return which factors are circular: (F,)."""
    return tuple(name in codec.description.circular for name in codec.description.factors)


def metric_types(codec: Codec) -> tuple[str, ...]:
    """Return what metrics take each factor for: a number, a class or an angle, (F,)."""
    return factor_types(circular_factors(codec), codec.description.class_counts)


def other_latents(codec: Codec, fits: Sequence[Calibration]) -> IntP:
    """Return the latents that are no factor's own: those of the person, where latents are assigned."""
    return np.setdiff1d(np.arange(codec.layout.size), [latent for fit in fits for latent in fit.own])


def latent_blocks(codec: Codec, fits: Sequence[Calibration]) -> Blocks:
    """Return the latents that count as one: the blocks of the code or, without assigned latents, each factor's own."""
    if codec.configuration.recipe.assigned:
        return [block.latents for block in codec.layout.blocks]
    return blocks_around([fit.own for fit in fits], codec.layout.size)


def best_latents(mu: Floating, values: Floating, circular: bool, classes: int = 0) -> tuple[int, ...]:
    """Return the latent that predicts a factor best, or the two for a circular one or for classes: (N, Z), (N,)."""
    if classes:
        return best_class_latents(mu, values, classes)
    return best_pair(mu, values) if circular else (best_latent(mu, values),)


def table_scores(
    codec: Codec, splits: EncodedSplits, fits: Sequence[Calibration], rng: np.random.Generator | None = None
) -> list[dict[str, Any]]:  # JSON
    """Score how well each factor's own latents tell it, from the tables of codes and labels alone.

    rng draws the intervals; without one there are none.
    """
    fitted, held = splits.fitted, splits.held
    circular, own, classes = circular_factors(codec), [fit.own for fit in fits], splits.seen_classes(codec)
    columns, asked = (factor_columns(codes.flat_factors, circular, classes) for codes in (fitted, held))
    leaks = linear_leakage(fitted.flat_mu, columns, held.flat_mu, asked, per_column(own, circular, classes))
    linear = per_factor(leaks, asked, circular, classes)
    found = []
    for index, (fit, block) in enumerate(zip(fits, codec.layout.factors, strict=True)):
        count = codec.description.class_counts[index]
        best = best_latents(fitted.flat_mu, fitted.flat_factors[:, index], fit.circular, count)
        found.append(
            {
                **_read(splits, index, fit.own, count, rng),
                "leakage_linear_r2": float(linear[index]),  # of a linear regression on the means of all other latents
                "r2_assigned": _read(splits, index, block.latents, count)["r2"],  # of the factor's block
                "best_latent": best[0],  # on training identities
                "r2_best": _read(splits, index, best, count)["r2"],
            }
        )
    return found


def _read(
    splits: EncodedSplits,
    factor: int,
    latents: tuple[int, ...],
    classes: int = 0,
    rng: np.random.Generator | None = None,
) -> dict[str, Any]:  # JSON
    """Score how well latents tell a factor on the iid split."""
    train, test = splits.fitted, splits.held
    tables = train.flat_mu, train.flat_factors[:, factor], test.flat_mu, test.flat_factors[:, factor]
    return read_factor(tables, latents, classes, rng)


def read_factor(
    tables: tuple[Floating, Floating, Floating, Floating],
    latents: tuple[int, ...],
    classes: int = 0,
    rng: np.random.Generator | None = None,
    groups: Int64 | None = None,
) -> dict[str, Any]:  # JSON
    """Score how well latents tell a factor: one of `classes`, or a value by a monotone map, or from two an angle.

    tables: codes and values fitted on, (N, Z), (N,), and measured on, (M, Z), (M,); groups (M,): rows that the
    bootstrap draws together.
    """
    codes, values, held, asked = tables
    if classes:
        return {**_named(latents), **dataclasses.asdict(read_classes(*tables, latents, classes, rng, groups))}
    if len(latents) == 1:
        columns = codes, values[:, None], held, asked[:, None]
        return dataclasses.asdict(read_monotone_latent(*columns, latents, rng, groups)[0])
    return {**_named(latents), **dataclasses.asdict(read_circle(*tables, (latents[0], latents[1]), rng, groups))}


def _named(latents: tuple[int, ...]) -> dict[str, Any]:  # JSON
    """Return a factor's own latents as evaluation.json has them: the first and, of a circular one, both."""
    return {"latent": latents[0]} | ({"latents": latents} if len(latents) > 1 else {})


def leakage_scores(leaks: Sequence[Leakage]) -> list[dict[str, float]]:
    """Name the R^2 of probes of all other latents: sampled, the means of those that are alive, the means of all."""
    return [
        {"leakage_r2": leak.sampled, "leakage_active_r2": leak.active, "leakage_all_r2": leak.everything}
        for leak in leaks
    ]


def picture_scores(
    codec: Codec,
    splits: EncodedSplits,
    fits: Sequence[Calibration],
    alive: Bool,
    plain: Reconstruction,
    meter: PartProgress | None = None,
) -> list[dict[str, Any]]:  # JSON
    """Score swaps, re-rendering and invariance of each factor, by the latents of its calibration in fits (F,)."""
    intrinsic = other_latents(codec, fits)
    scores = []
    for index, (factor, fit) in enumerate(zip(codec.description.factors, fits, strict=True)):
        swapping, sweeping = (
            no_fraction_progress if meter is None else meter.part(f"{stage} {factor}")
            for stage in ("swapping", "sweeping")
        )
        swap = swap_errors(codec, splits.test, splits.tested, plain, index, fit.own, swapping)
        varying = splits.tested.mu[splits.tested.kind == index]
        score: dict[str, Any] = {"swap_ratio": swap.ratio, "copy_ratio": swap.copy_ratio}
        score["invariance_ratio"] = invariance_ratio(varying, splits.held.flat_mu, intrinsic.tolist())
        if has_sweep(splits.sweep.factors, index):
            informative = intrinsic[alive[intrinsic]]
            rerendering, curve = measure_sweep(codec, splits.sweep, index, fit, informative, sweeping)
            score |= {"rerender": dataclasses.asdict(rerendering), "invariance_curve": dataclasses.asdict(curve)}
        scores.append(score)
    return scores


def measure_factors(
    codec: Codec,
    splits: EncodedSplits,
    fits: Sequence[Calibration],
    alive: Bool,
    plain: Reconstruction,
    rng: np.random.Generator,
    meter: PartProgress,
) -> dict[str, dict[str, Any]]:  # JSON
    """Score each factor, by name, by the latents of its calibration in fits (F,); alive (Z,) marks the latents alive.

    evaluation.json has the same keys; errors are in the factor's own units. Tables that are too small to measure leave
    out the scores that need them.
    """
    own = [fit.own for fit in fits]
    tables: list[dict[str, Any]] = [_named(latents) for latents in own]  # JSON
    leaks: list[dict[str, float]] = [{} for _ in own]
    probing = meter.part("probing")
    if not splits.unmeasurable():
        tables = table_scores(codec, splits, fits, rng)
        scales = circular_factors(codec), splits.seen_classes(codec)
        found = measure_leakage(splits.fitted, splits.held, own, *scales, alive, probing)
        leaks = leakage_scores(found)
    pictures = picture_scores(codec, splits, fits, alive, plain, meter)
    scores = zip(codec.description.factors, tables, leaks, pictures, strict=True)
    return {factor: {**table, **leak, **picture} for factor, table, leak, picture in scores}
