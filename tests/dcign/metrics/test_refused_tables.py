"""Tables that cannot be measured are refused by every metric in the same sentences."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.errors import TrainingError
from dcign.metrics import (
    beta_vae_score,
    blocks_around,
    dci,
    dci_continuous,
    explicitness,
    factor_vae_score,
    infomec,
    interventional_robustness,
    invariance_ratio,
    linear_leakage,
    loss_capacity,
    modularity,
    mutual_information,
    mutual_information_disentanglement,
    mutual_information_gap,
    nonlinear_leakage,
    read_monotone_latent,
    sap,
    sap_continuous,
)
from tests.support.known_codes import rng


@pytest.mark.parametrize(
    ("latents", "factors", "sentence"),
    [
        (
            np.zeros(5),
            np.zeros((5, 1)),
            r"expected latents \(N, Z\) and factors \(N, F\), found shapes \(5,\) and \(5, 1\)",
        ),
        (np.zeros((5, 2)), np.zeros((4, 1)), r"expected latents \(N, Z\) and factors \(N, F\)"),
        (np.zeros((0, 2)), np.zeros((0, 1)), r"expected latents \(N, Z\) and factors \(N, F\)"),
        (np.full((5, 2), np.nan), np.zeros((5, 1)), "expected finite latents, found 10 values that are not"),
        (np.zeros((5, 2)), np.full((5, 1), np.inf), "expected finite factors, found 5 values that are not"),
        (
            np.full((5, 2), 1e60),
            np.zeros((5, 1)),
            r"expected latents of at most 1e\+50, found larger values: scale them down",
        ),
        (np.zeros((5, 2)), np.array([["a"]] * 5), "expected factors that are real numbers, found type <U1"),
        (np.zeros((60, 2)), np.zeros((60, 1)), "found one value of factor 0 in all 60 rows"),
    ],
)
def test_invalid_tables_are_refused(latents, factors, sentence):
    with pytest.raises(TrainingError, match=sentence):
        sap(latents, factors, latents, factors)


def of_one_table(metric):
    return lambda latents, factors: metric(latents, factors)


def of_two_tables(metric):
    return lambda latents, factors: metric(latents, factors, latents, factors)


MEASURES = {
    "mig": of_one_table(mutual_information_gap),
    "mutual information": of_one_table(mutual_information),
    "med": of_one_table(mutual_information_disentanglement),
    "infomec": of_one_table(lambda *tables: infomec(*tables, rng())),
    "modularity": of_one_table(modularity),
    "irs": of_one_table(interventional_robustness),
    "factor vae": of_one_table(lambda *tables: factor_vae_score(*tables, rng())),
    "beta vae": of_one_table(lambda *tables: beta_vae_score(*tables, rng())),
    "continuous sap": of_one_table(sap_continuous),
    "sap": of_two_tables(sap),
    "dci": of_two_tables(lambda *tables: dci(*tables, rng())),
    "continuous dci": of_two_tables(lambda *tables: dci_continuous(*tables, rng())),
    "explicitness": of_two_tables(explicitness),
    "loss capacity": of_two_tables(lambda *tables: loss_capacity(*tables, rng())),
    "monotone latent": of_two_tables(read_monotone_latent),
    "linear leakage": of_two_tables(lambda *tables: linear_leakage(*tables, [0] * tables[1].shape[1])),
    "leakage": of_two_tables(lambda *tables: nonlinear_leakage(*tables, [0] * tables[1].shape[1], rng())),
}


@pytest.mark.parametrize("name", MEASURES)
def test_tables_that_are_too_small_to_measure_get_the_same_sentence_from_every_metric(name):
    latents, factors = rng().normal(size=(60, 3)), rng(1).normal(size=(60, 2))
    expected = "^expected at least 50 rows in which every factor varies, found "
    for count, found in ((1, "1 row: "), (3, "3 rows: "), (40, "40 rows: ")):
        with pytest.raises(TrainingError, match=expected + found):
            MEASURES[name](latents[:count], factors[:count])
    factors[:, 1] = 3
    with pytest.raises(TrainingError, match=f"{expected}one value of factor 1 in all 60 rows: "):
        MEASURES[name](latents, factors)


TABLES = np.random.default_rng(0).normal(size=(60, 3)), np.random.default_rng(1).normal(size=(60, 2))


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (
            lambda: read_monotone_latent(*TABLES, *TABLES, own=[0]),
            r"expected a latent for each of 2 factors, found \[0\]",
        ),
        (
            lambda: read_monotone_latent(*TABLES, *TABLES, own=[0, 3]),
            "expected latents from 0 to 2, found 3",
        ),
        (lambda: linear_leakage(*TABLES, *TABLES, [0, 9]), "expected latents from 0 to 2, found 9"),
        (lambda: linear_leakage(*TABLES, *TABLES, [0, {1, -1}]), "expected latents from 0 to 2, found -1"),
        (lambda: blocks_around([0, 7], 3), "expected latents from 0 to 2, found 7"),
        (
            lambda: invariance_ratio(TABLES[0], TABLES[0], [0]),
            r"expected codes \(B, n, Z\) and \(N, Z\), found shapes \(60, 3\) and \(60, 3\)",
        ),
        (lambda: invariance_ratio(TABLES[0][None], TABLES[0], [5]), "expected latents from 0 to 2, found 5"),
    ],
)
def test_unknown_latents_are_refused_and_not_ignored(ask, sentence):
    with pytest.raises(TrainingError, match=sentence):
        ask()
