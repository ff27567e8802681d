"""`dcign metrics`: every metric of the codes of any model, by the report and by the command."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from dcign.errors import TrainingError
from dcign.evaluate import disentanglement
from dcign.measure import CodeTable, measure
from dcign.metrics import infomec, mutual_information_gap
from dcign.report import measurement_table
from dcign.trained.marks import NO_BETTER, SATURATED
from tests.support.commands import dcign, refused

ROWS = 240


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    """Draw 4 times for an interval, and form few groups for FactorVAE and BetaVAE: these tests need no good ones."""
    monkeypatch.setattr(disentanglement, "ROUNDS", 4)
    monkeypatch.setattr("dcign.metrics.interventions.FITTED", 300)
    monkeypatch.setattr("dcign.metrics.interventions.SCORED", 200)


def arrays(noise=2, rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    factors = rng.uniform(-1, 1, (rows, 2))
    return np.hstack([factors + 0.02 * rng.normal(size=factors.shape), rng.normal(size=(rows, noise))]), factors


def quick(table, **more):
    return measure(table, class_trees=False, **more)


def test_a_report_has_every_metric_with_intervals_chance_and_marks():
    latents, factors = arrays()
    stages = {}
    report = measure(CodeTable.of(latents, factors, factor_names=["pan", "tilt"]), progress=stages.__setitem__)
    metrics = report["metrics"]["latents"]
    assert {
        "mig", "modularity", "sap", "irs", "factor_vae", "beta_vae", "explicitness", "infom", "infoe", "infoc", "med",
        "dci_disentanglement", "dci_completeness", "dci_informativeness", "dci_explicitness", "dci_size",
    } == metrics.keys()  # fmt: skip
    for name in ("mig", "infom", "infoc", "infoe", "med", "sap", "irs", "dci_explicitness"):
        assert metrics[name]["low"] <= metrics[name]["value"] <= metrics[name]["high"]
    assert report["blocks"] == [[0], [1], [2, 3]]
    assert report["factors"]["tilt"]["latent"] == 1
    assert report["factors"]["tilt"]["r2"] > 0.99
    assert report["dci"].keys() == {"classes", "values"}
    assert report["chance"]["shuffled"]["metrics"]["latents"]["infoe"]["value"] < 0.1
    assert report["marks"]["run"]["metrics.latents.infoe.value"] == SATURATED
    assert stages["measuring chance"] == 1.0
    assert json.loads(json.dumps(report))["intervals_over"] == "rows"
    noise = quick(CodeTable.of(np.random.default_rng(5).normal(size=(ROWS, 3)), factors))
    assert noise["marks"]["run"]["metrics.latents.infom.value"] == NO_BETTER


def test_metrics_are_those_of_the_functions_whatever_the_order_of_the_rows():
    latents, factors = arrays()
    report = quick(CodeTable.of(latents, factors))
    assert report["metrics"]["latents"]["mig"]["value"] == pytest.approx(mutual_information_gap(latents, factors))
    found = infomec(latents, factors, np.random.default_rng(0), least_range=1 / 20)
    assert report["metrics"]["latents"]["infom"]["value"] == pytest.approx(found.modularity, abs=1e-9)
    order = np.argsort(factors[:, 0])  # as in a file of a whole grid, whose last third has other factors
    ordered = quick(CodeTable.of(latents[order], factors[order]))
    assert ordered["factors"]["factor 0"]["r2"] > 0.99
    assert ordered["metrics"]["latents"]["explicitness"]["value"] > 0.7


def test_labels_in_float16_score_as_in_float64():
    latents, factors = np.random.default_rng(1).normal(size=(ROWS, 2)), arrays()[1]
    narrow = (80 * factors).astype(np.float16)
    found = [quick(CodeTable.of(latents, values))["factors"] for values in (narrow, narrow.astype(np.float64))]
    assert found[0] == found[1]
    assert found[0]["factor 0"]["r2"] < 0.2


def test_given_blocks_and_own_latents_are_used():
    latents, factors = arrays()
    turned = latents * [1, 1, 0.3, 1]
    turned[:, [0, 2]] = turned[:, [0, 2]] @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    report = quick(CodeTable.of(turned, factors, blocks=[5, 1, 5, 2], own=[2, 1]))
    assert report["blocks"] == [[1], [3], [0, 2]]
    assert [score["latent"] for score in report["factors"].values()] == [2, 1]
    assert report["metrics"]["blocks"]["infoc"]["value"] > 0.95 > report["metrics"]["latents"]["infoc"]["value"]
    assert [score["latent"] for score in quick(CodeTable.of(turned, factors), own=(0, 1))["factors"].values()] == [0, 1]
    for own, sentence in (((0,), "found 1: give 2 numbers"), ((0, 9), "expected latents from 0 to 3, found 9")):
        with pytest.raises(TrainingError, match=sentence):
            quick(CodeTable.of(turned, factors), own=own)


def test_intervals_over_groups_are_wider_where_rows_repeat():
    latents, factors = arrays(rows=60)
    latents, factors = np.repeat(latents, 8, axis=0), np.repeat(factors, 8, axis=0)
    latents[:, :2] += 0.5 * np.repeat(np.random.default_rng(3).normal(size=(60, 2)), 8, axis=0)
    person = np.repeat(np.arange(60), 8)
    plain, grouped = quick(CodeTable.of(latents, factors)), quick(CodeTable.of(latents, factors, groups=person))
    assert (plain["intervals_over"], grouped["intervals_over"], grouped["groups"]) == ("rows", "groups of rows", 60)

    def width(report):
        low, high = report["factors"]["factor 0"]["intervals"]["r2"]
        return high - low

    assert width(grouped) > 1.5 * width(plain)


def test_intervals_over_few_groups_are_drawn_where_a_class_is_constant_in_each():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(6), 60)
    factors = np.stack([person % 2, rng.integers(4, size=360)], axis=1)
    latents = factors + 0.1 * rng.normal(size=factors.shape)
    report = quick(CodeTable.of(latents, factors, groups=person))
    assert report["groups"] == 6
    irs = report["metrics"]["latents"]["irs"]
    assert irs["low"] <= irs["value"] <= irs["high"]


def test_a_split_is_measured_and_train_is_what_maps_are_fitted_on():
    latents, factors = arrays(rows=3 * ROWS)
    split = np.repeat(["train", "iid", "test"], ROWS)
    latents[split == "train", 0] *= -1
    table = CodeTable.of(latents, factors, split=split)
    assert quick(table)["split"] == "iid"
    assert quick(table)["factors"]["factor 0"]["r2"] < 0
    assert quick(table, split="train")["factors"]["factor 0"]["r2"] > 0.99
    with pytest.raises(TrainingError, match="expected one of the splits iid, test, train of the arrays, found 'sweep'"):
        quick(table, split="sweep")
    with pytest.raises(TrainingError, match="expected an array named split in the arrays"):
        quick(CodeTable.of(latents, factors), split="iid")


def test_integer_factors_are_classes_of_which_there_may_be_more_than_twenty():
    rng = np.random.default_rng(0)
    factors = rng.integers(30, size=(600, 2))
    report = quick(CodeTable.of(factors + 0.01 * rng.normal(size=factors.shape), factors))
    assert report["metrics"]["latents"]["infom"]["value"] > 0.95
    assert report["metrics"]["latents"]["dci_explicitness"]["value"] > 0.95


def test_only_so_many_rows_are_measured(monkeypatch):
    monkeypatch.setattr("dcign.measure.measurement.MOST_ROWS", 180)
    report = quick(CodeTable.of(*arrays()))
    assert report["rows"] == {"given": ROWS, "measured": 180, "fitted": 120}


def test_too_few_rows_and_constant_factors_are_refused_by_name():
    latents, factors = arrays()
    with pytest.raises(TrainingError, match=r"expected 150 rows or more in the arrays, a third of which .* found 120"):
        quick(CodeTable.of(latents[:120], factors[:120]))
    factors[:, 1] = 4
    with pytest.raises(TrainingError, match="found only 4 as tilt in 240 rows: leave that factor out"):
        quick(CodeTable.of(latents, factors, factor_names=["pan", "tilt"]))


def test_a_factor_of_one_outlier_is_refused_by_name_because_all_else_is_in_one_bin():
    latents, factors = arrays()
    factors[0, 1] = 1000
    with pytest.raises(TrainingError, match=r"found tilt in one of 20 bins of its range in all \d+ rows "):
        quick(CodeTable.of(latents, factors, factor_names=["pan", "tilt"]))


def test_chance_is_left_out_where_shuffled_labels_have_an_outlier_in_one_part_alone(monkeypatch):
    latents, factors = arrays()
    table = CodeTable.of(latents, factors, factor_names=["pan", "tilt"])
    monkeypatch.setattr("dcign.measure.measurement._shuffled", lambda rows, groups: rows)
    factors[[0, -1], 1] = 1000  # each part has one; with SEED, both get into the same part
    report = quick(table)
    assert report["chance"]["shuffled"] == {"metrics": None, "dci": None}
    assert report["metrics"]["latents"]["mig"]["value"] > 0.3
    assert "InfoM" in measurement_table(report)


def test_the_table_names_each_metric_once_beside_what_chance_gives():
    text = measurement_table(quick(CodeTable.of(*arrays(), factor_names=["pan", "tilt"])))
    assert text.startswith("the arrays: 240 of 240 rows, 4 latents, 2 factors in 3 blocks.")
    for name in ("MIG", "InfoM", "InfoE", "InfoC", "MED", "DCI explicitness", "FactorVAE"):
        assert sum(line.startswith(name + " ") for line in text.splitlines()) == 1
    assert "DCI completeness" not in text  # no trees of classes were grown
    assert max(map(len, text.splitlines())) < 120


def test_two_spaces_are_between_the_columns_of_a_perfect_code():
    factors = np.random.default_rng(0).uniform(-80, 80, (400, 2))
    rows = measurement_table(quick(CodeTable.of(factors.copy(), factors))).splitlines()
    place = next(number for number, row in enumerate(rows) if row.startswith("factor "))
    assert all(len(re.split(r"  +", row)) == 7 for row in rows[place : place + 3])


def test_the_command_prints_a_table_or_json_and_one_sentence_for_a_file_it_cannot_measure(tmp_path):
    latents, factors = arrays()
    np.savez(tmp_path / "z.npz", latents=latents, factors=factors, factor_names=["pan", "tilt"])
    text = dcign("metrics", tmp_path / "z.npz", "--quick").output
    assert "InfoM" in text
    assert "pan" in text
    found = json.loads(dcign("metrics", tmp_path / "z.npz", "--quick", "--json", "--own", "0,1").stdout)
    assert found["format"] == "dcign-metrics"
    assert found["metrics"]["latents"]["infoe"]["value"] > 0.9
    latents[3, 1] = np.nan
    np.savez(tmp_path / "z.npz", latents=latents, factors=factors)
    assert "found nan in row 3, column 1" in refused("metrics", tmp_path / "z.npz")


def of_all_types(order=(0, 1, 2)):
    """Return a code of one latent per class, one of a number and two of an angle; and the factors."""
    rng = np.random.default_rng(0)
    named, number = rng.integers(3, size=ROWS), rng.uniform(-1, 1, ROWS)
    angle = rng.uniform(-180, 180, ROWS)
    turned = np.radians(angle)
    columns = [number, *(named == each for each in range(3)), np.cos(turned), np.sin(turned)]
    latents = np.stack(columns, axis=1) + 0.02 * rng.normal(size=(ROWS, 6))
    return latents, np.stack([number, np.array(order)[named], angle], axis=1)


TYPES = ["number", "class", "angle"]


def test_classes_and_angles_are_read_as_such_and_by_their_own_latents():
    latents, factors = of_all_types((7, 0, 40))
    own = (0, (1, 2, 3), (4, 5))
    report = quick(CodeTable.of(latents, factors, factor_types=TYPES), own=own)
    number, named, angle = report["factors"].values()
    assert named["accuracy"] == 1.0
    assert named["latents"] == (1, 2, 3)
    assert angle["mean_absolute_error"] < 5 < 20
    assert number["r2"] > 0.99
    assert max(each["leakage_linear_r2"] for each in (number, named, angle)) < 0.2
    assert report["blocks"] == [[0], [1, 2, 3], [4, 5]]
    assert report["metrics"]["latents"]["infoe"]["value"] > 0.9
    assert report["dci"] == {}  # trees of classes were left out
    assert "right" in measurement_table(report)
    assert "right" not in measurement_table(quick(CodeTable.of(latents, factors)))
    found = quick(CodeTable.of(latents, factors, factor_types=TYPES))["factors"]
    assert found["factor 2"]["latents"] == (4, 5)
    assert set(found["factor 1"]["latents"]) < {1, 2, 3}


def test_the_names_of_classes_do_not_matter():
    first, second = (
        quick(CodeTable.of(*of_all_types(order), factor_types=TYPES), own=(0, (1, 2, 3), (4, 5)))
        for order in ((0, 1, 2), (5, 90, 17))
    )
    for kind in ("latents", "blocks"):
        for name, metric in first["metrics"][kind].items():
            assert metric["value"] == pytest.approx(second["metrics"][kind][name]["value"], abs=0.03), name
    # The first order of the classes and the second one are both without gaps inside the measurement.
    assert first["factors"]["factor 1"]["accuracy"] == second["factors"]["factor 1"]["accuracy"]


@pytest.mark.parametrize(
    ("more", "own", "sentence"),
    [
        (
            {"factor_types": ["number", "class", "hue"]},
            (),
            "expected one of number, class, angle for each of 3 factors",
        ),
        ({"factor_types": ["class", "class", "angle"]}, (), "expected whole numbers as classes in column 0 of factors"),
        ({"factor_types": TYPES}, (0, 1, 4), r"expected two latents, such as 1\+2, for the angle factor 2, found 1"),
        ({"factor_types": TYPES}, ((0, 1), 1, (4, 5)), "expected one latent for the number factor 0, found 2"),
    ],
)
def test_types_that_do_not_fit_are_refused(more, own, sentence):
    latents, factors = of_all_types()
    with pytest.raises(TrainingError, match=sentence):
        quick(CodeTable.of(latents, factors, **more), own=own)
