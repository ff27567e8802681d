"""disentanglement_lib's own output on given latents: see goldens/README.md."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dcign.metrics import dci, modularity, mutual_information_gap, predictors, sap, sap_continuous
from dcign.metrics.predictors import EXACT, HISTOGRAM

GOLDENS = Path(__file__).parents[2] / "goldens" / "disentanglement_lib"
CASES = ("one_latent_per_factor", "rotated", "redundant", "dead_and_mixed", "pure_noise")
TRAIN, TEST = slice(2000), slice(2000, 3000)


@pytest.fixture(params=CASES)
def case(request):
    """Latents (3000, 5), factors (3000, 3) and disentanglement_lib's results for them."""
    with np.load(GOLDENS.with_suffix(".npz")) as tables:
        latents, factors = tables[f"{request.param}/latents"], tables[f"{request.param}/factors"]
    return latents, factors, json.loads(GOLDENS.with_suffix(".json").read_text())[request.param]


def test_information_and_separation_are_disentanglement_libs(case):
    latents, factors, golden = case
    tables = latents[TRAIN], factors[TRAIN], latents[TEST], factors[TEST]
    assert mutual_information_gap(*tables[:2]) == pytest.approx(golden["mig"], abs=1e-9)
    assert modularity(*tables[:2]) == pytest.approx(golden["modularity"], abs=1e-9)
    assert sap(*tables) == pytest.approx(golden["sap"], abs=0.002)
    assert sap_continuous(*tables[:2]) == pytest.approx(golden["sap_continuous"], abs=1e-9)


def test_dci_is_disentanglement_libs(case):
    latents, factors, golden = case
    found = dci(latents[:1000], factors[:1000], latents[TEST], factors[TEST], np.random.default_rng(0))
    assert found.estimator == (HISTOGRAM if predictors.EXACT_CELLS == 0 else EXACT)
    assert found.disentanglement == pytest.approx(golden["dci_disentanglement"], abs=0.01)
    assert found.completeness == pytest.approx(golden["dci_completeness"], abs=0.01)
    assert found.informativeness_train == pytest.approx(golden["dci_informativeness_train"], abs=0.01)
    assert found.informativeness == pytest.approx(golden["dci_informativeness_test"], abs=0.01)


def test_dci_of_the_histogram_trees_is_disentanglement_libs(case, monkeypatch):
    monkeypatch.setattr("dcign.metrics.predictors.EXACT_CELLS", 0)
    test_dci_is_disentanglement_libs(case)
