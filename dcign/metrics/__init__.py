"""Figures of merit as plain functions on arrays: latents (N, Z) and factors (N, F), a row an image.

What each means is in docs/training.md. Where a figure needs classes, factors of an integer type are classes as they
are, and real ones are cut into 20 equal bins of their range. `blocks` are the latents that count as one, each latent
or block once: `blocks_around(own, Z)` makes one of all latents that belong to no factor. What draws takes an `rng`.
"""

from dcign.metrics.bootstrap import Interval, bootstrap, bootstrap_all
from dcign.metrics.constancy import beta_vae_score, factor_vae_score, interventional_robustness, invariance_ratio
from dcign.metrics.dial import MonotoneLatent, best_latent, read_monotone_latent
from dcign.metrics.explicit import explicitness
from dcign.metrics.importance import DCI, dci, dci_continuous
from dcign.metrics.information import modularity, mutual_information, mutual_information_gap
from dcign.metrics.leaks import linear_leakage, nonlinear_leakage
from dcign.metrics.monotone import MonotoneMap, fit_monotone
from dcign.metrics.pictures import psnr_decibels, structural_similarity
from dcign.metrics.regression import r_squared, spearman
from dcign.metrics.separation import sap, sap_continuous
from dcign.metrics.tables import BINS, blocks_around, classes

__all__ = [
    "BINS",
    "DCI",
    "Interval",
    "MonotoneLatent",
    "MonotoneMap",
    "best_latent",
    "beta_vae_score",
    "blocks_around",
    "bootstrap",
    "bootstrap_all",
    "classes",
    "dci",
    "dci_continuous",
    "explicitness",
    "factor_vae_score",
    "fit_monotone",
    "interventional_robustness",
    "invariance_ratio",
    "linear_leakage",
    "modularity",
    "mutual_information",
    "mutual_information_gap",
    "nonlinear_leakage",
    "psnr_decibels",
    "r_squared",
    "read_monotone_latent",
    "sap",
    "sap_continuous",
    "spearman",
    "structural_similarity",
]
