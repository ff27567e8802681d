"""The metrics of an evaluation: their keys, names, formats, and meaning in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dcign.trained.evaluation_file import NOTHING, formatted, half_width, value_of


@dataclass(frozen=True)
class Metric:
    """A metric: heading at a terminal, key in evaluation.json, format, name and meaning on a page."""

    heading: str
    key: str  # dots separate the keys of nested tables
    form: str
    name: str
    meaning: str
    better: str = ""  # "more" or "less"
    chance: tuple[str, ...] = ("shuffled", "untrained")  # the references that it has to clear
    copy: str = ""  # the key of the same figure of the input, returned unchanged
    clears: bool = True  # whether a good figure is better than chance; else chance is the best there is
    either_sign: bool = False  # only its size counts
    bounded: bool = False  # 1 is the most, so that better networks are no longer told apart near it

    def text(self, table: Mapping[str, Any], none: str = NOTHING) -> str:  # JSON
        """Format the metric of a factor's table or of a whole evaluation, or return `none` if it is not there."""
        return formatted(value_of(table, self.key), self.form, none)

    def half_width(self, evaluation: Mapping[str, Any]) -> str:  # JSON
        """Format half the width of the interval of a metric of the whole code, or return "" if it has none."""
        low, high = (value_of(evaluation, f"{self.key.removesuffix('.value')}.{end}") for end in ("low", "high"))
        return half_width(low, high, self.form)

    def of_blocks(self) -> Metric:
        """Return the same metric with all intrinsic latents as one block. If there is none, its key is empty."""
        return replace(self, key=self.key.replace(".latents", ".blocks") if ".latents" in self.key else "")


def _of_code(heading: str, key: str, name: str, meaning: str) -> Metric:
    """Return a metric of the whole code, computed from each latent by itself. It is between 0 and 1."""
    return Metric(heading, f"metrics.latents.{key}.value", ".3f", name, meaning, "more", bounded=True)


SHUFFLED, UNTRAINED = ("shuffled",), ("untrained",)  # where the other reference has no meaning
# Per factor: how well its latent tells it, and how much of it leaks into the other latents.
READING_TERMS = (
    Metric("latent", "latent", "d", "latent", "the latent that the metrics below describe"),
    Metric("R2", "r2", ".3f", "R²",
         "share of the factor's variance that its latent explains through a monotone map", "more"),
    Metric("linear", "r2_linear", ".3f", "R², straight line", "the same through a straight line", "more"),
    Metric("Spearman", "spearman", ".3f", "Spearman",
         "rank correlation of latent and factor; the network chooses its sign", either_sign=True),
    Metric("error", "mean_absolute_error", ".1f", "mean error",
         "mean absolute error of the factor read from its latent, in the factor's unit", "less"),
)  # fmt: skip
# Of factors of classes, beside R^2.
CLASS_TERMS = (
    Metric("right", "accuracy", ".3f", "accuracy", "share of pictures whose class its latents tell", "more",
         bounded=True),
)  # fmt: skip
LEAKAGE_TERMS = (
    Metric("leak z", "leakage_r2", ".2f", "leakage, sampled latents",
         "R² of a neural probe that predicts the factor from all other latents, sampled as the decoder "
         "gets them", "less", SHUFFLED, clears=False),
    Metric("leak mu", "leakage_active_r2", ".2f", "leakage, alive means",
         "the same from the posterior means of the other latents that are alive", "less", SHUFFLED, clears=False),
    Metric("all mu", "leakage_all_r2", ".2f", "leakage, all means",
         "the same from all other means, each scaled to unit variance, which magnifies traces in latents "
         "that the decoder ignores", "less", SHUFFLED, clears=False),
    Metric("linear", "leakage_linear_r2", ".2f", "leakage, straight line",
         "the same from all other means by a linear probe", "less", SHUFFLED, clears=False),
)  # fmt: skip
# Per factor: swaps, and how much the other latents change while the factor varies.
PICTURE_TERMS = (
    Metric("swap", "swap_ratio", ".2f", "swap / reconstruction",
         "squared error with the factor taken from another picture of the same person, divided by that of "
         "plain reconstruction; 1 is perfect", "less", SHUFFLED, "copy_ratio"),
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
         "PSNR of one picture decoded at every level of the sweep, against the renderer's truth", "more", UNTRAINED,
         "rerender.copy_psnr_db"),
    Metric("rebuilt", "rerender.reconstruction_psnr_db", ".1f", "reconstruction, dB",
         "PSNR of plain reconstructions of the same pictures, which re-rendering can reach", "more", UNTRAINED),
    Metric("SSIM", "rerender.ssim", ".3f", "re-rendering, SSIM",
         "structural similarity of the re-rendered pictures and the truth", "more", UNTRAINED, "rerender.copy_ssim"),
)  # fmt: skip
# Of the whole code.
METRIC_TERMS = (
    _of_code("MIG", "mig", "MIG",
             "mutual information gap: how much more the best latent tells about a factor than the second best"),
    _of_code("DCI D", "dci_disentanglement", "DCI disentanglement", "does each latent predict only one factor?"),
    _of_code("DCI C", "dci_completeness", "DCI completeness", "is each factor predicted by only one latent?"),
    _of_code("DCI I", "dci_informativeness", "DCI informativeness",
             "how well do all latents together predict the factors?"),
    replace(_of_code("DCI E", "dci_explicitness", "DCI explicitness",
             "how little a probe's capacity matters: 1 if a linear one is as good as a large one, also if neither "
             "reads anything"), clears=False),
    _of_code("SAP", "sap", "SAP",
             "separated attribute predictability: how much better the best latent predicts a factor than the second"),
    _of_code("modular", "modularity", "modularity", "does each latent share information with only one factor?"),
    _of_code("explicit", "explicitness", "explicitness",
             "does a logistic regression on the whole code predict each factor's class?"),
    _of_code("InfoM", "infom", "InfoM",
             "does each latent that carries information inform about only one factor?"),
    _of_code("InfoE", "infoe", "InfoE", "does a linear model on the whole code predict each factor?"),
    _of_code("InfoC", "infoc", "InfoC", "is each factor told by only one latent?"),
    _of_code("MED", "med", "MED",
             "disentanglement as in DCI, by mutual information instead of trees; noise latents lower it"),
    _of_code("IRS", "irs", "IRS", "interventional robustness: does a latent stay constant while other factors change?"),
    _of_code("FactorVAE", "factor_vae", "FactorVAE",
             "how often the latent with the least variance identifies the fixed factor"),
    _of_code("BetaVAE", "beta_vae", "BetaVAE",
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
# Per part of a person, such as hair, where the data set's batches vary parts (the key `parts` of evaluation.json).
PERSON_TERMS = (
    Metric("own R2", "own_r2", ".3f", "R², own block",
           "share of the part's coefficients that a ridge regression on its own block explains, within batches in "
           "which only the part varies", "more"),
    Metric("whole R2", "whole_r2", ".3f", "R², whole code",
           "the same from the whole code, which the own block can reach: pictures do not show every coefficient"),
    Metric("leak", "leakage_r2", ".3f", "leakage, other blocks", "the same from all other blocks together", "less"),
    Metric("swap", "swap_ratio", ".2f", "swap / reconstruction",
           "squared error with the part taken from another picture of the batch, divided by that of plain "
           "reconstruction; 1 is perfect", "less", copy="copy_ratio"),
    Metric("copy", "copy_ratio", ".2f", "copy / reconstruction",
           "the same ratio for a decoder that returns its input unchanged"),
)  # fmt: skip
# Of reconstructions of the test split.
RECONSTRUCTION_TERMS = (
    Metric("head dB", "reconstruction.psnr_head_db", ".1f", "reconstruction, head, dB",
         "PSNR of reconstructions, inside the head; test split", "more"),
    Metric("frame dB", "reconstruction.psnr_frame_db", ".1f", "reconstruction, frame, dB",
         "PSNR of reconstructions, over the whole frame; test split", "more"),
    Metric("fine", "reconstruction.fine", ".3f", "fine structure explained",
         "share of the detail of near-frontal heads, which a small blur removes, that reconstructions explain: 1 is "
         "all, a constant has 0, and detail in the wrong place counts against it", "more"),
    Metric("SSIM", "reconstruction.ssim", ".3f", "reconstruction, SSIM",
         "structural similarity of reconstructions and originals, inside the head; test split", "more"),
    Metric("MS-SSIM", "reconstruction.ms_ssim", ".3f", "reconstruction, multi-scale SSIM",
         "the same over several scales", "more"),
)  # fmt: skip
# Of recombinations of people, per trait that is somebody else's.
MIX_TERMS = (
    Metric("mixed dB", "psnr_db", ".1f", "recombination, dB",
           "PSNR of pictures decoded from the blocks of several people's codes, against the renderer's picture of the "
           "same mixture", "more", copy="copy_psnr_db"),
    Metric("rebuilt", "reconstruction_psnr_db", ".1f", "reconstruction, dB",
           "PSNR of plain reconstructions of the same pictures, which recombination can reach"),
    Metric("copy", "copy_psnr_db", ".1f", "copy, dB",
           "PSNR of the picture of the person who gives all other traits, returned unchanged"),
    Metric("SSIM", "ssim", ".3f", "recombination, SSIM", "structural similarity of the same", "more"),
    Metric("rebuilt", "reconstruction_ssim", ".3f", "reconstruction, SSIM",
           "structural similarity of plain reconstructions of the same pictures"),
)  # fmt: skip
# Tables of evaluation.json whose entries are traits of people: key, title, metrics.
TRAIT_TABLES = (("parts", "part {}", PERSON_TERMS), ("recombination", "mixtures, {}", MIX_TERMS))
# Of re-renderings with a refiner and without, per factor.
VIEW_TERMS = (
    Metric("view dB", "psnr_db", ".1f", "re-rendering, dB",
           "PSNR of one picture decoded at levels of the sweep, against the renderer's truth", "more"),
    Metric("view SSIM", "ssim", ".3f", "re-rendering, SSIM", "structural similarity of the same", "more"),
    Metric("person", "right", ".2f", "re-rendering, right person",
           "how often the code of a re-rendered picture is nearest to the same person's", "more", bounded=True),
)  # fmt: skip
# Of the whole run.
RUN_TERMS = (
    *METRIC_TERMS,
    *DCI_TERMS,
    Metric("DCI S", "metrics.latents.dci_size.value", ".3f", "DCI size", "number of factors over number of latents"),
    Metric("identity", "identity.right", ".2f", "right identity",
         "how often the other latents match two pictures of a person that differ by 60 in a factor with such a range",
         "more", bounded=True),
    *RECONSTRUCTION_TERMS,
    Metric("alive", "latents.alive", ".0f", "latents alive", "latents with a mean KL above .1 nat"),
    Metric("seconds", "seconds", ".0f", "seconds", "of training, summed over all starts"),
)  # fmt: skip


@dataclass(frozen=True)
class TraitTable:
    """Figures of one trait of people: their table in evaluation.json, the trait's name in it, a title, and metrics.

    The metrics' keys start at the whole evaluation: `parts.hair.own_r2`.
    """

    key: str
    name: str
    title: str
    terms: tuple[Metric, ...]


def trait_tables(evaluations: Iterable[Mapping[str, Any]]) -> tuple[TraitTable, ...]:  # JSON
    """Return a table per part of a person, and one per trait that mixtures exchange, that any evaluation names."""
    known = list(evaluations)
    found: list[TraitTable] = []
    for key, words, terms in TRAIT_TABLES:
        names = dict.fromkeys(name for evaluation in known for name in evaluation.get(key) or {})
        found += [
            TraitTable(key, name, words.format(name), tuple(_within(f"{key}.{name}", term) for term in terms))
            for name in names
            if _is_key(name)
        ]
    return tuple(found)


def part_terms(evaluations: Iterable[Mapping[str, Any]]) -> tuple[Metric, ...]:  # JSON
    """Return the PSNR of each part of the model that any of these evaluations names.

    Names come from the data set's files. One with a dot, which is no key, or with control characters is left out.
    """
    tables = [(evaluation.get("reconstruction") or {}).get("psnr_parts_db") for evaluation in evaluations]
    names = dict.fromkeys(name for table in tables if isinstance(table, Mapping) for name in table)
    return tuple(
        Metric(f"{name} dB", f"reconstruction.psnr_parts_db.{name}", ".1f", f"reconstruction, {name}, dB",
               f"PSNR of reconstructions over the pixels that show the part {name}; test split", "more")
        for name in names
        if _is_key(name)
    )  # fmt: skip


def view_terms(factors: Iterable[str]) -> tuple[Metric, ...]:
    """Return the metrics of re-renderings of each factor, as keys of one of the tables in `refiner`."""
    return tuple(
        replace(term, key=f"views.{factor}.{term.key}", name=f"{term.name}, {factor.replace('_', ' ')}")
        for factor in factors
        for term in VIEW_TERMS
    )


def _within(place: str, term: Metric) -> Metric:
    """Return a metric of a table as one of the evaluation that holds the table at this place."""
    return replace(term, key=f"{place}.{term.key}", copy=term.copy and f"{place}.{term.copy}")


def _is_key(name: str) -> bool:
    """Return whether a name of a file can be part of a key: it has no dot, and no control characters."""
    return "." not in name and name.isprintable()


# What a page says about each factor, and what a comparison of runs does.
FACTOR_TABLES = (
    ("The factor read from its latent", (*READING_TERMS, *CLASS_TERMS)),
    ("Leakage of the factor into the other latents, by four probes", LEAKAGE_TERMS),
    ("Pictures with the factor taken from another picture", (*PICTURE_TERMS, *RERENDER_TERMS)),
    ("The other latents while the factor varies", STILL_TERMS),
    ("The factor read as from a code without assigned latents", BASELINE_TERMS),
)
COMPARED_TERMS = (*READING_TERMS[1:], *LEAKAGE_TERMS, PICTURE_TERMS[0], *STILL_TERMS, *RERENDER_TERMS, *CLASS_TERMS)
