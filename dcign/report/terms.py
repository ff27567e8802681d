"""What each figure of an evaluation is called, how it is written, and what it says in plain words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOTHING = "–"  # where there is no number


@dataclass(frozen=True)
class Term:
    """One figure: its heading, its key in evaluation.json (dots lead into tables), its format, its meaning."""

    heading: str
    key: str
    form: str
    meaning: str = ""
    better: str = ""  # "more" or "less"


# Of each factor.
FACTOR_TERMS = (
    Term("latent", "latent", "d", "the latent that the figures below are of"),
    Term("R2", "r2", ".3f", "share of the factor's variance that its latent tells, through a monotone curve", "more"),
    Term("linear", "r2_linear", ".3f", "the same through a straight line", "more"),
    Term("Spearman", "spearman", ".3f", "rank correlation of latent and factor; the sign is the network's choice"),
    Term("error", "mae_degrees", ".1f", "mean error of the factor read off its latent, in the factor's unit", "less"),
    Term("leak z", "leakage_r2", ".2f", "R² of a neural probe that guesses the factor from all other latents, as the "
         "decoder gets them, with their noise", "less"),
    Term("leak mu", "leakage_active_r2", ".2f", "the same from the noiseless means of the other latents that are alive",
         "less"),
    Term("all mu", "leakage_all_r2", ".2f", "the same from all other means, each scaled to unit variance, which brings "
         "out traces in latents that the decoder ignores", "less"),
    Term("linear", "leakage_linear_r2", ".2f", "the same from all other means by a straight line", "less"),
    Term("swap", "swap_ratio", ".2f", "squared error after taking the factor from another picture of the same person, "
         "over that of plain reconstruction: 1 is no loss", "less"),
    Term("copy", "copy_ratio", ".2f", "what not moving at all would score as a swap"),
    Term("still", "invariance_ratio", ".3f", "variance of the other latents while only this factor varies, over their "
         "variance among people", "less"),
)  # fmt: skip
# Of each factor, and only in newer evaluations: re-rendering over the sweep.
RERENDER_TERMS = (
    Term("rerender", "rerender.psnr_db", ".1f", "one picture set to every angle of the sweep by one number, against "
         "the renderer's truth there, PSNR in dB", "more"),
    Term("rebuilt", "rerender.reconstruction_psnr_db", ".1f", "plain reconstruction of those same pictures, dB: what "
         "re-rendering can reach", "more"),
    Term("SSIM", "rerender.ssim", ".3f", "structural similarity of the re-rendered pictures to the truth", "more"),
)  # fmt: skip
# Of the whole code; each 0..1, the more the better.
METRIC_TERMS = (
    Term(
        "MIG", "mig", ".3f", "mutual information gap: how much more the best latent knows of a factor than the second"
    ),
    Term("DCI D", "dci_disentanglement", ".3f", "disentanglement: does each latent predict one factor alone?"),
    Term("DCI C", "dci_completeness", ".3f", "completeness: is each factor predicted by one latent alone?"),
    Term(
        "DCI I", "dci_informativeness", ".3f", "informativeness: are the factors predicted at all, by whatever latents?"
    ),
    Term(
        "SAP",
        "sap",
        ".3f",
        "separated predictability: how much better the best latent tells the factor's class than the second",
    ),
    Term("modular", "modularity", ".3f", "modularity: does each latent share information with one factor only?"),
    Term(
        "explicit",
        "explicitness",
        ".3f",
        "explicitness: does a logistic regression tell the factor's class from the whole code?",
    ),
    Term("IRS", "irs", ".3f", "interventional robustness: does a latent stay put when other factors move?"),
    Term("FactorVAE", "factor_vae", ".3f", "how often the least varying latent names the factor that was held fixed"),
    Term("BetaVAE", "beta_vae", ".3f", "how often a linear classifier names it from differences of codes"),
)


def value_of(table: Mapping[str, Any], key: str) -> float | None:  # JSON
    """Return the number that a key leads to, None where there is none."""
    found: Any = table
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    plain = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    return found if plain else None


def written(value: float | None, form: str, none: str = NOTHING) -> str:
    """Write a number."""
    if value is None:
        return none
    return format(round(value) if form == "d" else value, form)
