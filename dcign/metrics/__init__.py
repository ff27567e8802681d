"""Metrics of disentanglement, of regression and of images, as plain functions on arrays.

In: latents (N, Z) and factors (N, F), one row per image. Out: numbers and arrays. Never imports a stage.

docs/metrics.md explains each metric. Metrics that need classes take factors of an integer type as they are, and cut
real factors into 20 equal bins of their range. `blocks` are groups of latents that count as one latent; each latent is
in one block. Functions that draw at random take an `rng`.
"""

from __future__ import annotations

from dcign.metrics.bootstrap import Interval, bootstrap, bootstrap_all
from dcign.metrics.capacity import LossCapacity, loss_capacity
from dcign.metrics.images import (
    detail_sums,
    explained_share,
    inside_outline,
    multiscale_similarity,
    psnr_decibels,
    structural_similarity,
)
from dcign.metrics.infomec import InfoMEC, infomec
from dcign.metrics.information import (
    modularity,
    mutual_information,
    mutual_information_disentanglement,
    mutual_information_gap,
)
from dcign.metrics.interventions import beta_vae_score, factor_vae_score, interventional_robustness, invariance_ratio
from dcign.metrics.leakage import linear_leakage, nonlinear_leakage
from dcign.metrics.predictors import DCI, dci, dci_continuous, explicitness, sap, sap_continuous
from dcign.metrics.regression import (
    MonotoneLatent,
    MonotoneMap,
    best_latent,
    fit_monotone,
    r_squared,
    read_monotone_latent,
    spearman,
)
from dcign.metrics.tables import BINS, blocks_around, classes

__all__ = [
    "BINS", "DCI", "InfoMEC", "Interval", "LossCapacity", "MonotoneLatent", "MonotoneMap", "best_latent",
    "beta_vae_score", "blocks_around", "bootstrap", "bootstrap_all", "classes", "dci", "dci_continuous", "detail_sums",
    "explained_share", "explicitness", "factor_vae_score", "fit_monotone", "infomec", "inside_outline",
    "interventional_robustness", "invariance_ratio", "linear_leakage", "loss_capacity", "modularity",
    "multiscale_similarity", "mutual_information", "mutual_information_disentanglement", "mutual_information_gap",
    "nonlinear_leakage", "psnr_decibels", "r_squared", "read_monotone_latent", "sap", "sap_continuous", "spearman",
    "structural_similarity",
]  # fmt: skip
