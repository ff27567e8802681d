"""The metrics of an evaluation: their keys, names, formats, and meaning in a sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric: heading at a terminal, key in evaluation.json, format, name and meaning on a page."""

    heading: str
    key: str  # dots separate the keys of nested tables
    form: str
    name: str
    meaning: str
    better: str = ""  # "more" or "less"


# Per factor: how well its latent tells it, and how much of it leaks into the other latents.
READING_TERMS = (
    Metric("latent", "latent", "d", "latent",
         "the latent that the metrics below describe"),
    Metric("R2", "r2", ".3f", "R²",
         "share of the factor's variance that its latent explains through a monotone map", "more"),
    Metric("linear", "r2_linear", ".3f", "R², straight line",
         "the same through a straight line", "more"),
    Metric("Spearman", "spearman", ".3f", "Spearman",
         "rank correlation of latent and factor; the network chooses its sign"),
    Metric("error", "mean_absolute_error", ".1f", "mean error",
         "mean absolute error of the factor read from its latent, in the factor's unit", "less"),
)  # fmt: skip
LEAKAGE_TERMS = (
    Metric("leak z", "leakage_r2", ".2f", "leakage, sampled latents",
         "R² of a neural probe that predicts the factor from all other latents, sampled as the decoder "
         "gets them", "less"),
    Metric("leak mu", "leakage_active_r2", ".2f", "leakage, alive means",
         "the same from the posterior means of the other latents that are alive", "less"),
    Metric("all mu", "leakage_all_r2", ".2f", "leakage, all means",
         "the same from all other means, each scaled to unit variance, which magnifies traces in latents "
         "that the decoder ignores", "less"),
    Metric("linear", "leakage_linear_r2", ".2f", "leakage, straight line",
         "the same from all other means by a linear probe", "less"),
)  # fmt: skip
# Per factor: swaps, and how much the other latents change while the factor varies.
PICTURE_TERMS = (
    Metric("swap", "swap_ratio", ".2f", "swap / reconstruction",
         "squared error with the factor taken from another picture of the same person, divided by that of "
         "plain reconstruction; 1 is perfect", "less"),
    Metric("copy", "copy_ratio", ".2f", "copy / reconstruction",
         "the same ratio for a decoder that returns its input unchanged"),
)  # fmt: skip
STILL_TERMS = (
    Metric("still", "invariance_ratio", ".3f", "variance / people",
         "variance of the other latents while only this factor varies, divided by their variance among people", "less"),
)  # fmt: skip
FACTOR_TERMS = (*READING_TERMS, *LEAKAGE_TERMS, *PICTURE_TERMS, *STILL_TERMS)
# Per factor, where the evaluation has measured it on the sweep split.
RERENDER_TERMS = (
    Metric("rerender", "rerender.psnr_db", ".1f", "re-rendering, dB",
         "PSNR of one picture decoded at every level of the sweep, against the renderer's truth", "more"),
    Metric("rebuilt", "rerender.reconstruction_psnr_db", ".1f", "reconstruction, dB",
         "PSNR of plain reconstructions of the same pictures, which re-rendering can reach", "more"),
    Metric("SSIM", "rerender.ssim", ".3f", "re-rendering, SSIM",
         "structural similarity of the re-rendered pictures and the truth", "more"),
)  # fmt: skip
# Of the whole code; each is between 0 and 1, and higher is better.
METRIC_TERMS = (
    Metric("MIG", "mig", ".3f", "MIG",
         "mutual information gap: how much more the best latent tells about a factor than the second best"),
    Metric("DCI D", "dci_disentanglement", ".3f", "DCI disentanglement",
         "does each latent predict only one factor?"),
    Metric("DCI C", "dci_completeness", ".3f", "DCI completeness",
         "is each factor predicted by only one latent?"),
    Metric("DCI I", "dci_informativeness", ".3f", "DCI informativeness",
         "how well do all latents together predict the factors?"),
    Metric("SAP", "sap", ".3f", "SAP",
         "separated attribute predictability: how much better the best latent predicts a factor than the second"),
    Metric("modular", "modularity", ".3f", "modularity",
         "does each latent share information with only one factor?"),
    Metric("explicit", "explicitness", ".3f", "explicitness",
         "does a logistic regression on the whole code predict each factor's class?"),
    Metric("IRS", "irs", ".3f", "IRS",
         "interventional robustness: does a latent stay constant while other factors change?"),
    Metric("FactorVAE", "factor_vae", ".3f", "FactorVAE",
         "how often the latent with the least variance identifies the fixed factor"),
    Metric("BetaVAE", "beta_vae", ".3f", "BetaVAE",
         "how often a linear classifier identifies the fixed factor from differences of codes"),
)  # fmt: skip
# Of the whole code: DCI's disentanglement by trees that predict the factors' values instead of their classes.
DCI_TERMS = (
    Metric("DCI D val", "dci.values.latents", ".3f", "DCI disentanglement, of values",
         "disentanglement by trees that predict the factors' values instead of 20 classes", "more"),
    Metric("DCI D own", "dci.values.factors", ".3f", "DCI disentanglement, own latents",
         "the same for the factors' own latents only", "more"),
)  # fmt: skip
# Per factor, for codes without assigned latents (the key `entangled` of evaluation.json).
BASELINE_TERMS = (
    Metric("", "entangled.r2_max_variance", ".3f", "R², most varying latent",
         "of the latent that varies most while only the factor varies, as in the paper", "more"),
    Metric("", "entangled.r2_regression", ".3f", "R², regression direction",
         "of the linear regression of the factor on the whole code, as the paper's reviewer asked", "more"),
)  # fmt: skip
IDENTITY_TERM = Metric(
    "identity", "identity.right", ".2f", "right identity",
    "how often the other latents match two pictures of a person that differ by 60° in the first factor", "more"
)  # fmt: skip
