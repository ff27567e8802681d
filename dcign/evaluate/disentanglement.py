"""The disentanglement metrics of the literature, of a table of codes and one of labels, as evaluation.json has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Bool, Floating, Int64
from dcign.metrics.boosting import STAGES
from dcign.metrics.bootstrap import bootstrap_all
from dcign.metrics.capacity import loss_capacity
from dcign.metrics.infomec import infomec
from dcign.metrics.information import binned, entropy, gap_of, information, med_of, modularity_of
from dcign.metrics.interventions import beta_vae_score, factor_vae_score, irs_of
from dcign.metrics.predictors import DCI, dci, dci_continuous, explicitness, predicted_right, sap_of
from dcign.metrics.tables import BINS, CLASS, Blocks, Types, blocks_around, checked_blocks, classes, types_of
from dcign.progress import FractionProgress, no_fraction_progress

FITTED, MEASURED = 10_000, 5_000  # images at most; of fewer than 15,000, two thirds and one third
DEAD = 0.05  # standard deviation below which a latent has no vote in the FactorVAE score, as in disentanglement_lib
NARROW = 1 / 20  # part of the largest range up to which InfoMEC leaves a latent out, as in its authors' code
ROUNDS = 50  # of the bootstrap
SEED = 0  # of each score that draws: anybody can repeat it with numpy.random.default_rng(0)

Metrics = dict[str, dict[str, float]]  # name -> value, and, where it is cheap, low and high of the 95 % interval


@dataclass(frozen=True)
class Disentanglement:
    """The parts of evaluation.json that hold the metrics of the literature.

    metrics: of "latents", each latent by itself, and of "blocks", where the latents of each block count as one.
    dci: DCI disentanglement by "classes", 20 per real factor, and by real "values", each over all "latents", over
    "blocks", and over the "factors" own latents alone. dci_estimator: which trees DCI grew for "classes" and for
    "values". All are None if the tables could not be measured.
    """

    metrics: dict[str, Metrics] | None = None
    dci: dict[str, dict[str, float]] | None = None
    dci_estimator: dict[str, str] | None = None


def measure_disentanglement(
    mu: Floating,
    factors: Floating | Int64,
    ranges: Floating | None,
    own: Sequence[int],
    blocks: Blocks | None,
    rng: np.random.Generator | None,
    progress: FractionProgress = no_fraction_progress,
    class_trees: bool = True,
    groups: Int64 | None = None,
    types: Types | None = None,
) -> Disentanglement:
    """Measure codes mu (N, Z) by factors (N, F), cut into 20 bins of ranges (F, 2); own: all latents of the factors.

    blocks: the latents that count as one; None takes all latents but the factors' own. ranges: None takes the ranges of
    the values. types (F,): number, class or angle; None: classes if the factors are of an integer type, else numbers.
    Classes are not cut into bins, and models of real values classify them; of an angle they predict cosine and sine.
    rng draws the intervals; None: values alone. class_trees: whether to grow DCI's trees of classes, which take nearly
    all the time; without them factors of classes have no DCI.
    groups (N,): rows that the bootstrap draws together, such as those of one person; None draws each row by itself.
    """
    types = types_of(factors, types=types)
    truth, blocks = classes(factors, ranges, types), blocks_around(own, mu.shape[1]) if blocks is None else blocks
    fitted, measured = halves(len(mu))
    tables = mu[fitted], truth[fitted], mu[measured], truth[measured]
    rows = _Resampling(rng, groups)
    latents = _metrics(mu, factors, types, truth, tables, None, rows)
    progress(0.1)
    grouped = _metrics(mu, factors, types, truth, tables, blocks, rows)
    progress(0.2)
    latents |= {"explicitness": {"value": explicitness(*tables)}, **_probed(mu, factors, types, fitted, measured, rows)}
    latents.update(_infomec(mu, factors, types, None, rows))
    grouped.update(_infomec(mu, factors, types, blocks, rows))
    del grouped["infoe"]  # of the whole code, as explicitness
    found_trees: dict[str, DCI] = {}
    if class_trees:
        found_trees["classes"] = dci(*tables, np.random.default_rng(SEED))
        latents.update(_dci_metrics(found_trees["classes"]))
        grouped.update(_dci_metrics(found_trees["classes"].grouped(blocks)))
    progress(0.95)
    if class_trees and set(types) == {CLASS}:
        found_trees["values"] = found_trees["classes"]
    elif class_trees or CLASS not in types:
        both = mu[fitted], factors[fitted], mu[measured], factors[measured]
        found_trees["values"] = dci_continuous(*both, np.random.default_rng(SEED), types=types)
    progress(1.0)
    return Disentanglement(
        metrics={"latents": latents, "blocks": grouped},
        dci={
            name: {
                "latents": found.disentanglement,
                "blocks": found.grouped(blocks).disentanglement,
                "factors": found.disentanglement_of(own),
                "informativeness": found.informativeness,
            }
            for name, found in found_trees.items()
        },
        dci_estimator={name: found.estimator for name, found in found_trees.items()},
    )


def halves(images: int) -> tuple[slice, slice]:
    """Return the rows on which metrics are fitted, and those on which they are measured."""
    fitted = slice(min(FITTED, 2 * images // 3))
    return fitted, slice(fitted.stop, fitted.stop + MEASURED)


def unmeasurable_bins(
    factors: Floating | Int64, ranges: Floating | None, types: Types, names: Sequence[str] = ()
) -> str:
    """Return why factors (N, F) cannot be measured once they are cut into bins, as one sentence, or "" if they can.

    An outlier widens the range, so that all other values may lie in one bin. names (F,): of the factors; () numbers
    them. The rest as in `measure_disentanglement`.
    """
    truth = classes(factors, ranges, types)
    for done, rows in zip(("fitted", "measured"), halves(len(truth)), strict=True):
        for index, (values, kind) in enumerate(zip(truth[rows].T, types, strict=True)):
            if values.min() == values.max():
                return (
                    "expected factors that vary in the rows that metrics are fitted on and in those measured, found "
                    f"{names[index] if names else f'factor {index}'} in one "
                    f"{'class' if kind == CLASS else f'of {BINS} bins of its range'} in all {len(values):,} rows "
                    f"{done}: remove outliers of that factor, or leave it out."
                )
    return ""


def label_ranges(factors: Floating) -> Floating:
    """Return the lowest and the highest value of each factor: (N, F) -> (F, 2)."""
    return np.stack([factors.min(axis=0), factors.max(axis=0)], axis=1)


def tree_operations(images: int, latents: int, factors: int) -> float:
    """Estimate the floating-point operations of DCI's trees, which take nearly all the time."""
    return 900.0 * STAGES * BINS * factors * latents * (min(FITTED, 2 * images // 3) + 900)


@dataclass(frozen=True, eq=False)
class _Resampling:
    """What draws the intervals: rng, or None for values alone, and groups (N,) of rows drawn together, or None."""

    rng: np.random.Generator | None
    groups: Int64 | None

    def intervals(
        self, scores: Callable[..., Sequence[float]], arrays: Sequence[NDArray[Any]], part: slice = slice(None)
    ) -> list[dict[str, float]]:
        """Return value, low and high of each score of the arrays, which have the rows of a part of the table."""
        if self.rng is None:
            return [{"value": float(value)} for value in scores(*arrays)]
        groups = None if self.groups is None else self.groups[part]
        return [dataclasses.asdict(each) for each in bootstrap_all(scores, arrays, self.rng, ROUNDS, groups=groups)]


def _metrics(
    mu: Floating,
    factors: Floating | Int64,
    types: Types,
    truth: Int64,
    tables: tuple[Floating, Int64, Floating, Int64],
    blocks: Blocks | None,
    rows: _Resampling,
) -> Metrics:
    bins, members, _ = binned(mu, factors, blocks, types)
    checked = checked_blocks(blocks, mu.shape[1])

    def informed(code: Int64, factor: Int64) -> tuple[float, float, float]:
        found = information(code, members, factor)
        return gap_of(found, entropy(factor)), modularity_of(found), med_of(found)

    def separated(right: Bool) -> tuple[float]:
        return (sap_of(right),)

    def robust(codes: Floating, factor: Int64) -> tuple[float]:
        return (irs_of(codes, factor, checked),)

    gap, modularity, purity = rows.intervals(informed, [bins, truth])
    (separate,) = rows.intervals(separated, [predicted_right(*tables, blocks=blocks)], halves(len(mu))[1])
    return {
        "mig": gap,
        "modularity": modularity,
        "med": purity,
        "sap": separate,
        "irs": rows.intervals(robust, [mu, truth])[0],
        "factor_vae": {"value": factor_vae_score(mu, truth, np.random.default_rng(SEED), blocks, DEAD)},
        "beta_vae": {"value": beta_vae_score(mu, truth, np.random.default_rng(SEED), blocks)},
    }


def _infomec(
    mu: Floating, factors: Floating | Int64, types: Types, blocks: Blocks | None, rows: _Resampling
) -> Metrics:
    found = infomec(mu, factors, np.random.default_rng(SEED), blocks, NARROW, types)
    scores = rows.intervals(found.scores_of, [found.terms, found.losses, found.null_losses])
    return dict(zip(("infom", "infoe", "infoc"), scores, strict=True))


def _probed(
    mu: Floating, factors: Floating | Int64, types: Types, fitted: slice, measured: slice, rows: _Resampling
) -> Metrics:
    tables = mu[fitted], factors[fitted], mu[measured], factors[measured]
    found = loss_capacity(*tables, np.random.default_rng(SEED), types)
    (explicit,) = rows.intervals(
        lambda *drawn: (found.scores_of(*drawn),), [found.errors, found.constant_errors], measured
    )
    return {"dci_explicitness": explicit, "dci_size": {"value": found.size}}


def _dci_metrics(trees: DCI) -> Metrics:
    names = ("disentanglement", "completeness", "informativeness")
    return {f"dci_{name}": {"value": getattr(trees, name)} for name in names}
