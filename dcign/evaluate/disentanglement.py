"""The literature's figures of disentanglement, of one table of codes and one of labels, as evaluation.json has them."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, Int64
from dcign.metrics.boosting import BINS as CUTS
from dcign.metrics.boosting import STAGES
from dcign.metrics.bootstrap import Interval, bootstrap, bootstrap_all
from dcign.metrics.constancy import beta_vae_score, factor_vae_score, interventional_robustness
from dcign.metrics.explicit import explicitness
from dcign.metrics.importance import DCI, dci, dci_continuous
from dcign.metrics.information import binned, entropy, gap, information, modularity_of
from dcign.metrics.separation import classified, separation
from dcign.metrics.tables import BINS, Blocks, blocks_around, classes
from dcign.progress import FractionProgress, no_fraction_progress

FITTED, MEASURED = 10_000, 5_000  # images, where there are as many; else two thirds and a third
DEAD = 0.05  # standard deviation below which a latent has no vote in the FactorVAE score, as in disentanglement_lib
ROUNDS = 50  # of the bootstrap

Figures = dict[str, dict[str, float]]  # name -> value and, where it is cheap, low and high: the 95 % interval


@dataclass(frozen=True)
class Disentanglement:
    """metrics: the figures of "latents", each by itself, and of "blocks", where all that are no factor's are one.

    dci: the disentanglement of DCI by "classes", 20 of each factor, and by "values", each over all "latents", over
    "blocks", and over the "factors" own latents alone.
    """

    metrics: dict[str, Figures]
    dci: dict[str, dict[str, float]]


def measure_disentanglement(
    mu: Floating,
    factors: Floating,
    ranges: Floating,
    own: Sequence[int],
    rng: np.random.Generator,
    progress: FractionProgress = no_fraction_progress,
) -> Disentanglement:
    """Measure codes mu (N, Z) by factors (N, F), cut into 20 bins of ranges (F, 2); own (F,) the factors' latents."""
    truth, blocks = classes(factors, ranges), blocks_around(own, mu.shape[1])
    fitted = slice(min(FITTED, 2 * len(mu) // 3))
    measured = slice(fitted.stop, fitted.stop + MEASURED)
    tables = mu[fitted], truth[fitted], mu[measured], truth[measured]
    latents = _figures(mu, truth, tables, None, rng)
    progress(0.1)
    grouped = _figures(mu, truth, tables, blocks, rng)
    progress(0.2)
    trees = dci(*tables, rng)
    latents |= _of_trees(trees) | {"explicitness": {"value": explicitness(*tables)}}
    progress(0.95)
    of_values = dci_continuous(mu[fitted], factors[fitted], mu[measured], factors[measured], rng)
    progress(1.0)
    return Disentanglement(
        {"latents": latents, "blocks": grouped | _of_trees(trees.grouped(blocks))},
        {name: _readings(found, blocks, own) for name, found in (("classes", trees), ("values", of_values))},
    )


def tree_operations(images: int, latents: int, factors: int) -> float:
    """Return what the trees of DCI, which take nearly all the time, cost in about as many floating-point operations."""
    return 500.0 * STAGES * BINS * factors * latents * (min(FITTED, 2 * images // 3) + 7 * CUTS)


def _figures(
    mu: Floating,
    truth: Int64,
    tables: tuple[Floating, Int64, Floating, Int64],
    blocks: Blocks | None,
    rng: np.random.Generator,
) -> Figures:
    bins, members, _ = binned(mu, truth, blocks)

    def informed(code: Int64, factor: Int64) -> tuple[float, float]:
        found = information(code, members, factor)
        return gap(found, entropy(factor)), modularity_of(found)

    def robust(codes: Floating, factor: Int64) -> float:
        return interventional_robustness(codes, factor, blocks)

    gaps, modular = bootstrap_all(informed, [bins, truth], rng, ROUNDS)
    return {
        "mig": _told(gaps),
        "modularity": _told(modular),
        "sap": _told(bootstrap(separation, [classified(*tables, blocks)], rng, ROUNDS)),
        "irs": _told(bootstrap(robust, [mu, truth], rng, ROUNDS)),
        "factor_vae": {"value": factor_vae_score(mu, truth, rng, blocks, DEAD)},
        "beta_vae": {"value": beta_vae_score(mu, truth, rng, blocks)},
    }


def _of_trees(trees: DCI) -> Figures:
    return {
        "dci_disentanglement": {"value": trees.disentanglement},
        "dci_completeness": {"value": trees.completeness},
        "dci_informativeness": {"value": trees.informativeness},
    }


def _readings(trees: DCI, blocks: Blocks, own: Sequence[int]) -> dict[str, float]:
    return {
        "latents": trees.disentanglement,
        "blocks": trees.grouped(blocks).disentanglement,
        "factors": trees.disentanglement_of(own),
        "informativeness": trees.informativeness,
    }


def _told(interval: Interval) -> dict[str, float]:
    return dataclasses.asdict(interval)
