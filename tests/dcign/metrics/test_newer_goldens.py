"""InfoMEC, MED and the explicitness of DCI-ES against the results of their authors' code: see goldens/README.md."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from dcign.metrics import infomec, mutual_information_disentanglement
from dcign.metrics.capacity import curve_explicitness
from dcign.metrics.infomec import concentration, neighbour_information

GOLDENS = Path(__file__).parents[2] / "goldens"
RESULTS = json.loads((GOLDENS / "infomec_med_dcies.json").read_text())
TRAIN = slice(2000)


@pytest.fixture(params=RESULTS["cases"])
def case(request):
    """Latents (2000, 5), factors (2000, 3) and the authors' results for them."""
    with np.load(GOLDENS / "disentanglement_lib.npz") as tables:
        latents, factors = tables[f"{request.param}/latents"][TRAIN], tables[f"{request.param}/factors"][TRAIN]
    return latents, factors, RESULTS["cases"][request.param]


def test_the_information_of_every_latent_that_varies_is_the_authors(case):
    latents, factors, golden = case
    found = infomec(latents, factors, np.random.default_rng(0))
    varies = latents.std(axis=0) > 1e-6
    np.testing.assert_allclose(found.information[varies], np.array(golden["nmi"]).T[varies], atol=1e-9)


def test_infom_and_infoc_are_the_authors_for_the_latents_that_they_count(case):
    _, _, golden = case
    counted = np.array(golden["nmi"]).T[golden["active_latents"]]
    assert concentration(counted) == pytest.approx(golden["infom"], abs=1e-9)
    assert concentration(counted.T) == pytest.approx(golden["infoc"], abs=1e-9)


def test_infoe_is_the_authors_less_what_they_gain_by_measuring_on_the_rows_of_the_fit(case):
    latents, factors, golden = case
    found = infomec(latents, factors, np.random.default_rng(0)).explicitness
    assert golden["infoe"] - 0.04 < found < golden["infoe"] + 0.001


def test_noise_is_not_counted_where_the_authors_count_it():
    golden = RESULTS["cases"]["pure_noise"]
    assert golden["infom"] > 0.7 < golden["infoc"]
    with np.load(GOLDENS / "disentanglement_lib.npz") as tables:
        latents, factors = tables["pure_noise/latents"][TRAIN], tables["pure_noise/factors"][TRAIN]
    found = infomec(latents, factors, np.random.default_rng(0))
    assert (found.modularity, found.explicitness, found.compactness) == (0, 0, 0)


def test_med_is_the_authors(case):
    latents, factors, golden = case
    assert mutual_information_disentanglement(latents, factors) == pytest.approx(golden["med_disentanglement"])
    top = mutual_information_disentanglement(latents, factors, top=1)
    assert top == pytest.approx(golden["med_top1_disentanglement"])


@pytest.mark.parametrize("number", range(len(RESULTS["curves"])))
def test_explicitness_of_a_curve_is_the_authors(number):
    curve = RESULTS["curves"][number]
    found = curve_explicitness(curve["capacities"], curve["losses"], curve["baseline"])
    assert found == pytest.approx(curve["explicitness"], abs=1e-9)


def slow_information(values, truth, neighbours=10):
    """Ross's terms, row by row."""
    terms = []
    for value, own in zip(values, truth, strict=True):
        distance, same = np.abs(values - value), truth == own
        nearest = min(neighbours, same.sum() - 1)
        closer = (distance < np.sort(distance[same])[nearest]).sum()
        terms.append(digamma(len(values)) + digamma(nearest) - digamma(same.sum()) - digamma(closer))
    return np.array(terms)


@pytest.mark.parametrize("sizes", [(200, 200), (300, 60, 12, 2), (15, 9, 4)])
def test_nearest_neighbours_are_those_of_a_slow_search_and_about_scikit_learns(sizes):
    rng = np.random.default_rng(sum(sizes))
    truth = np.repeat(np.arange(len(sizes)), sizes)
    values = np.where(rng.uniform(size=len(truth)) < 0.6, truth, 0) + rng.standard_t(2, len(truth))
    found = neighbour_information(np.stack([values, -(values**3)], axis=1), truth)[:, 0]
    np.testing.assert_allclose(found, slow_information(values, truth), atol=1e-12)
    expected = mutual_info_classif(values[:, None], truth, discrete_features=False, n_neighbors=10, random_state=0)
    # In classes of a few rows its rounding sometimes counts the k-th neighbour itself.
    assert max(0.0, found.mean()) == pytest.approx(expected[0], abs=0.01)


def test_where_values_coincide_the_information_is_that_of_classes():
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=3000)
    steps = np.where(rng.uniform(size=3000) < 0.7, truth, rng.integers(4, size=3000)) * 0.25
    stepped, constant = neighbour_information(np.stack([steps, np.full(3000, 7.5)], axis=1), truth).T
    assert stepped.mean() == pytest.approx(mutual_info_score(truth, steps * 4), abs=0.005)
    assert np.abs(constant).max() < 1e-12
