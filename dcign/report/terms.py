"""What each figure of an evaluation is called, how it is written, and what it says in plain words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOTHING = "–"  # where there is no number


@dataclass(frozen=True)
class Term:
    """One figure: its heading at a terminal, its key in evaluation.json, its format, its name and meaning on a page."""

    heading: str
    key: str  # dots lead into tables
    form: str
    name: str
    meaning: str
    better: str = ""  # "more" or "less"


# Of each factor: how it is read off its latent, what the other latents know of it, ...
READING_TERMS = (
    Term("latent", "latent", "d", "latent",
         "the latent that the figures below are of"),
    Term("R2", "r2", ".3f", "R²",
         "share of the factor's variance that its latent tells, through a monotone curve", "more"),
    Term("linear", "r2_linear", ".3f", "R², straight line",
         "the same through a straight line", "more"),
    Term("Spearman", "spearman", ".3f", "Spearman",
         "rank correlation of latent and factor; its sign is the network's choice"),
    Term("error", "mean_absolute_error", ".1f", "mean error",
         "of the factor read off its latent, in the factor's unit", "less"),
)  # fmt: skip
LEAKAGE_TERMS = (
    Term("leak z", "leakage_r2", ".2f", "leak from sampled latents",
         "R² of a neural probe that guesses the factor from all other latents, with their noise, as the "
         "decoder gets them", "less"),
    Term("leak mu", "leakage_active_r2", ".2f", "leak from alive means",
         "the same from the noiseless means of the other latents that are alive", "less"),
    Term("all mu", "leakage_all_r2", ".2f", "leak from all means",
         "the same from all other means, each scaled to unit variance, which brings out traces in latents "
         "that the decoder ignores", "less"),
    Term("linear", "leakage_linear_r2", ".2f", "leak, straight line",
         "the same from all other means by a straight line", "less"),
)  # fmt: skip
# ... what pictures show of it, and whether the other latents keep still.
PICTURE_TERMS = (
    Term("swap", "swap_ratio", ".2f", "swap / reconstruction",
         "squared error with the factor taken from another picture of the same person, over that of plain "
         "reconstruction: 1 is no loss", "less"),
    Term("copy", "copy_ratio", ".2f", "copy / reconstruction",
         "what not moving at all would score as a swap"),
)  # fmt: skip
STILL_TERMS = (
    Term("still", "invariance_ratio", ".3f", "moved / people",
         "variance of the other latents while only this factor varies, over their variance among people", "less"),
)  # fmt: skip
FACTOR_TERMS = (*READING_TERMS, *LEAKAGE_TERMS, *PICTURE_TERMS, *STILL_TERMS)
# Of each factor too, where the evaluation has measured it on the sweep split.
RERENDER_TERMS = (
    Term("rerender", "rerender.psnr_db", ".1f", "re-rendering, dB",
         "one picture set to every level of the sweep by one number, against the renderer's truth there, "
         "PSNR", "more"),
    Term("rebuilt", "rerender.reconstruction_psnr_db", ".1f", "reconstruction, dB",
         "plain reconstruction of those same pictures: what re-rendering can reach", "more"),
    Term("SSIM", "rerender.ssim", ".3f", "re-rendering, SSIM",
         "structural similarity of the re-rendered pictures to the truth", "more"),
)  # fmt: skip
# Of the whole code; each 0..1, the more the better.
METRIC_TERMS = (
    Term("MIG", "mig", ".3f", "MIG",
         "mutual information gap: how much more the best latent knows of a factor than the second"),
    Term("DCI D", "dci_disentanglement", ".3f", "DCI disentanglement",
         "does each latent predict one factor alone?"),
    Term("DCI C", "dci_completeness", ".3f", "DCI completeness",
         "is each factor predicted by one latent alone?"),
    Term("DCI I", "dci_informativeness", ".3f", "DCI informativeness",
         "are the factors predicted at all, by whatever latents?"),
    Term("SAP", "sap", ".3f", "SAP",
         "separated predictability: how much better the best latent tells a factor's class than the second"),
    Term("modular", "modularity", ".3f", "modularity",
         "does each latent share information with one factor only?"),
    Term("explicit", "explicitness", ".3f", "explicitness",
         "does a logistic regression tell a factor's class from the whole code?"),
    Term("IRS", "irs", ".3f", "IRS",
         "interventional robustness: does a latent stay put when other factors move?"),
    Term("FactorVAE", "factor_vae", ".3f", "FactorVAE",
         "how often the least varying latent names the factor that was held fixed"),
    Term("BetaVAE", "beta_vae", ".3f", "BetaVAE",
         "how often a linear classifier names it from differences of codes"),
)  # fmt: skip
# Of the whole code too: DCI's disentanglement by forests that predict the factors' values, not their classes.
DCI_TERMS = (
    Term("DCI D val", "dci.values.latents", ".3f", "DCI disentanglement, of values",
         "disentanglement by trees that predict the factors' values instead of 20 classes", "more"),
    Term("DCI D own", "dci.values.factors", ".3f", "DCI disentanglement, own latents",
         "and that over the factors' own latents alone", "more"),
)  # fmt: skip
# Of each factor, by evaluation.json's table of codes without assigned latents.
BASELINE_TERMS = (
    Term("", "entangled.r2_max_variance", ".3f", "R², most varying latent",
         "of the latent that varies most while only the factor does, as the paper took it", "more"),
    Term("", "entangled.r2_regression", ".3f", "R², regression direction",
         "of the linear regression of the factor on the whole code, as the paper's reviewer asked", "more"),
)  # fmt: skip
IDENTITY_TERM = Term(
    "identity", "identity.right", ".2f", "right identity",
    "how often a person is known again, by the other latents, across 60° of the first factor", "more"
)  # fmt: skip


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
    text = format(round(value) if form in ("d", ",") else value, form)
    return text if float(text.replace(",", "")) else text.removeprefix("-")  # no -0.00
