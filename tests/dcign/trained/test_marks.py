"""Which figures of an evaluation are marked, and what chance gives for each."""

from __future__ import annotations

import pytest

from dcign.trained.marks import COPYING, NO_BETTER, SATURATED, all_marks, beside, chance_of, mark_of
from dcign.trained.terms import COMPARED_TERMS, LEAKAGE_TERMS, METRIC_TERMS, PICTURE_TERMS, READING_TERMS

R2, ERROR, SPEARMAN = READING_TERMS[1], READING_TERMS[4], READING_TERMS[3]
SWAP, LEAK = PICTURE_TERMS[0], LEAKAGE_TERMS[0]
SAP, FACTOR_VAE = (next(term for term in METRIC_TERMS if term.name == name) for name in ("SAP", "FactorVAE"))


def report(factor=None, shuffled=None, untrained=None, metrics=None, chance=None):
    """An evaluation of one factor, with the chance levels of its figures and of the metrics."""
    return {
        "factors": {"turn": factor or {}},
        "metrics": {"latents": {name: {"value": value} for name, value in (metrics or {}).items()}},
        "chance": {
            "shuffled": {"factors": {"turn": shuffled or {}}, "metrics": {"latents": chance or {}}},
            "untrained": {"factors": {"turn": untrained or {}}},
        },
    }


def test_the_better_reference_counts_as_each_figure_means_it():
    found = report({}, {"r2": -0.1, "mean_absolute_error": 40.0, "spearman": 0.1},
                   {"r2": 0.3, "mean_absolute_error": 35.0, "spearman": -0.6})  # fmt: skip
    assert [chance_of(found, term, "turn") for term in (R2, ERROR, SPEARMAN)] == [0.3, 35.0, 0.6]
    assert beside(found, R2, "turn") == "chance 0.300"
    assert chance_of({"factors": {}}, R2, "turn") is None


@pytest.mark.parametrize(
    ("term", "figures", "chance", "mark"),
    [
        (R2, {"r2": 0.9}, {"r2": 0.3}, ""),
        (R2, {"r2": 0.31}, {"r2": 0.3}, NO_BETTER),
        (R2, {"r2": 0.34, "intervals": {"r2": [0.31, 0.37]}}, {"r2": 0.3}, ""),
        (R2, {"r2": 0.34, "intervals": {"r2": [0.28, 0.4]}}, {"r2": 0.3}, NO_BETTER),
        (SPEARMAN, {"spearman": -0.9}, {"spearman": 0.3}, ""),
        (SPEARMAN, {"spearman": -0.2}, {"spearman": 0.3}, NO_BETTER),
        (ERROR, {"mean_absolute_error": 36.0}, {"mean_absolute_error": 35.0}, NO_BETTER),
        (ERROR, {"mean_absolute_error": 3.0}, {"mean_absolute_error": 35.0}, ""),
        (SWAP, {"swap_ratio": 1.0, "copy_ratio": 0.2}, {"swap_ratio": 1.0}, COPYING),
        (SWAP, {"swap_ratio": 1.0, "copy_ratio": 1.4}, {"swap_ratio": 1.0}, NO_BETTER),
        (SWAP, {"swap_ratio": 1.1, "copy_ratio": 4.0}, {"swap_ratio": 3.0}, ""),
        (LEAK, {"leakage_r2": 0.4}, {"leakage_r2": 0.0}, ""),  # without meaning, labels cannot leak
    ],
)
def test_a_figure_of_a_factor_is_marked_when_it_says_nothing(term, figures, chance, mark):
    assert mark_of(report(figures, chance), term, "turn") == mark


def test_a_metric_is_marked_when_it_is_saturated_or_at_chance():
    found = report(
        metrics={"factor_vae": 1.0, "sap": 0.05}, chance={"factor_vae": {"value": 0.34}, "sap": {"value": 0.03}}
    )
    assert mark_of(found, FACTOR_VAE) == SATURATED
    assert mark_of(found, SAP) == NO_BETTER
    assert mark_of(report(metrics={"sap": 0.2}, chance={"sap": {"value": 0.03}}), SAP) == ""


def test_the_marks_of_an_evaluation_are_by_the_keys_of_its_figures():
    found = report({"r2": 0.1, "swap_ratio": 2.0, "copy_ratio": 1.0}, {"r2": 0.3}, metrics={"sap": 0.999})
    assert all_marks(found) == {
        "run": {SAP.key: SATURATED},
        "factors": {"turn": {R2.key: NO_BETTER, SWAP.key: COPYING}},
    }
    assert SWAP in COMPARED_TERMS
