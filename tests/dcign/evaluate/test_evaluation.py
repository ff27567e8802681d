"""The evaluation of short trainings on a small data set."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil

import numpy as np
import pytest

from dcign import metrics
from dcign.errors import TrainingError
from dcign.evaluate.codes import encode_split, thinning
from dcign.evaluate.directions import load_directions
from dcign.evaluate.evaluation import evaluate, read_sample
from dcign.evaluate.pictures.reconstruction import measure_reconstruction
from dcign.evaluate.pictures.swaps import swap_errors
from dcign.infer.encode import encode_dataset, save_encoding
from dcign.inputs.source import DataSource
from dcign.measure import measure, read_code_table
from dcign.publish.card import write_card
from dcign.recipes.registry import RECIPES
from dcign.report import evaluation_table, write_report
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from dcign.trained.evaluation_file import read_evaluation
from dcign.trained.marks import COPYING, NO_BETTER, all_marks, chance_of
from dcign.trained.terms import BASELINE_TERMS, COMPARED_TERMS, DCI_TERMS, METRIC_TERMS, RECONSTRUCTION_TERMS
from dcign.trained.trained_run import TrainedRun
from tests.support.data_sets import draw

pytestmark = pytest.mark.usefixtures("quick_evaluations")

FACTORS = ("azimuth", "elevation", "light_azimuth")
PROMISED = {"r2", "r2_linear", "spearman", "mean_absolute_error", "leakage_r2", "swap_ratio", "latent", "r2_assigned"}


STAGES = {"reading", "encoding", "probing", "swapping", "reconstructing", "disentangling", "sweeping", "measuring",
          "altering"}  # fmt: skip
NEWER = ("chance", "marks", "unmeasured", "robustness")  # keys that evaluations of version 0.1 do not have
METRICS = {
    "mig", "modularity", "sap", "irs", "factor_vae", "beta_vae",
    "dci_disentanglement", "dci_completeness", "dci_informativeness", "infom", "infoc", "med",
}  # fmt: skip
OF_WHOLE_CODE = {"explicitness", "infoe", "dci_explicitness", "dci_size"}


@pytest.fixture(scope="module")
def faces(small_configuration, model, tmp_path_factory):
    """A data set with enough iid images to measure."""
    splits = dataclasses.replace(small_configuration.splits, iid=8)
    folder = tmp_path_factory.mktemp("measurable") / "faces"
    return draw(folder, model, dataclasses.replace(small_configuration, splits=splits))


@pytest.fixture(scope="module")
def runs(faces, tmp_path_factory):
    """A run with assigned latents and one without, too short to learn anything."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("swap", "vae"):
        out = str(folder / name)
        train(TrainConfiguration(data=str(faces), out=out, recipe=RECIPES[name], steps=3, seed=0, device="cpu"))
    return folder


@pytest.fixture(scope="module")
def swap(runs):
    evaluate(TrainedRun.open(runs / "swap"))
    return runs / "swap"


@pytest.fixture(scope="module")
def again(swap):
    """The evaluation, the same once more, and the splits that the latter read whole."""
    first, whole = read_evaluation(swap), []
    with pytest.MonkeyPatch.context() as patch:
        labelled = DataSource.labelled
        patch.setattr(DataSource, "labelled", lambda self, split: whole.append(split) or labelled(self, split))
        evaluate(TrainedRun.open(swap))
    return first, read_evaluation(swap), whole


@pytest.fixture(scope="module")
def vae(runs):
    """The report of a plain VAE, and the stages and fractions that its evaluation reported."""
    told = []
    found = evaluate(TrainedRun.open(runs / "vae"), progress=lambda stage, fraction: told.append((stage, fraction)))
    return found.report, told


@pytest.fixture(scope="module")
def refined(faces, tmp_path_factory):
    """A run with a refiner, evaluated."""
    out = tmp_path_factory.mktemp("refined") / "run"
    settings = {"steps": 3, "seed": 0, "device": "cpu", "refine": 3}
    train(TrainConfiguration(data=str(faces), out=str(out), recipe=RECIPES["swap"], **settings))
    evaluate(TrainedRun.open(out))
    return TrainedRun.open(out)


def test_a_refiner_is_judged_beside_the_plain_decoder(refined, swap):
    found = refined.evaluation["refiner"]
    assert found["steps"] == 3
    decoded, sharp = found["decoded"], found["refined"]
    assert decoded["reconstruction"].keys() == sharp["reconstruction"].keys() >= {"psnr_frame_db", "fine", "ssim"}
    assert decoded["reconstruction"] != sharp["reconstruction"]
    for name in FACTORS:
        assert 0 <= sharp["views"][name]["right"] <= 1
        assert sharp["views"][name]["psnr_db"] != decoded["views"][name]["psnr_db"]
    without = read_evaluation(swap)
    assert without["refiner"] is None
    assert without["factors"] == refined.evaluation["factors"]  # the refiner changes no code
    assert "refiner, 3 steps" in evaluation_table([refined.evaluation])
    assert "refiner" not in evaluation_table([without])


def test_the_report_shows_refined_pictures_and_their_figures(refined, swap):
    for folder, shown in ((refined.folder, True), (swap, False)):
        page = write_report(TrainedRun.open(folder))[0].read_text()
        assert ("without the refiner" in page) == shown
        assert (">refined<" in page) == shown


def test_the_evaluation_has_all_keys_of_each_factor(swap):
    report = json.loads((swap / "evaluation.json").read_text())
    assert tuple(report["factors"]) == FACTORS
    for place, name in enumerate(FACTORS):
        score = report["factors"][name]
        assert score.keys() >= PROMISED
        assert score["latent"] == place
        assert score["r2"] == score["r2_assigned"] <= 1
        assert -1 <= score["spearman"] <= 1
        assert score["swap_ratio"] > 0
    assert report["reconstruction"].keys() == {"psnr_head_db", "psnr_frame_db", "fine", "ssim", "ms_ssim"}  # no parts
    assert min(report["reconstruction"]["psnr_head_db"], report["reconstruction"]["psnr_frame_db"]) > 0
    assert max(report["reconstruction"][key] for key in ("fine", "ssim", "ms_ssim")) < 1
    assert (report["recipe"], report["steps"], report["images_seen"]) == ("swap", 3, 24)


def test_the_evaluation_names_the_units_of_its_errors_and_the_estimators_of_dci(swap):
    report = read_evaluation(swap)
    assert report["units"] == dict.fromkeys(FACTORS, "degree")
    assert report["dci_estimator"] == {"classes": "exact", "values": "histogram"}
    assert "mae_degrees" not in (swap / "evaluation.json").read_text()


def test_an_older_evaluation_is_read_with_today_s_keys(swap, tmp_path):
    today = {key: value for key, value in read_evaluation(swap).items() if key not in NEWER}
    text = json.dumps(today).replace("mean_absolute_error", "mae_degrees")
    (tmp_path / "evaluation.json").write_text(text)
    assert "mae_degrees" in text
    assert read_evaluation(tmp_path) == today
    assert "  chance  " not in evaluation_table([today])


def test_the_metrics_of_the_literature_have_intervals_around_them(swap):
    report = json.loads((swap / "evaluation.json").read_text())
    assert report["metrics"]["latents"].keys() == METRICS | OF_WHOLE_CODE
    assert report["metrics"]["blocks"].keys() == METRICS
    for table in report["metrics"].values():
        assert all(0 <= metric["value"] <= 1 for metric in table.values())
        for name in ("mig", "irs", "med", "infom", "infoc"):
            assert table[name]["low"] <= table[name]["value"] <= table[name]["high"]
    for score in report["factors"].values():
        for name, (low, high) in score["intervals"].items():
            assert low <= score[name] <= high
        assert score["leakage_linear_r2"] <= 1
        assert score["invariance_ratio"] > 0
    assert report["mig"] == report["metrics"]["latents"]["mig"]["value"]


def test_the_evaluation_has_scores_of_sweeps_and_of_the_baselines(swap):
    report = json.loads((swap / "evaluation.json").read_text())
    for name in FACTORS:
        score = report["factors"][name]
        assert {"psnr_db", "ssim", "reconstruction_psnr_db", "degrees"} <= score["rerender"].keys()
        assert score["rerender"]["ssim"] <= 1
        curve = score["invariance_curve"]
        assert {len(curve[key]) for key in curve if key != "others"} == {3}  # the sweep of azimuth passes 0 too
        assert curve["levels"] == sorted(curve["levels"])
        entangled = report["entangled"][name]
        assert 0 <= entangled["max_variance_latent"] < 32
        assert max(entangled["r2_max_variance"], entangled["r2_regression"]) <= 1
    assert report["identity"] is None  # one batch of each kind: one person
    for reading in report["dci"].values():
        assert reading.keys() == {"latents", "blocks", "factors", "informativeness"}
        assert all(0 <= value <= 1 for value in reading.values())
    assert report["dci"]["classes"]["blocks"] == report["metrics"]["blocks"]["dci_disentanglement"]["value"]
    assert [each.regression.calibration.factor for each in load_directions(swap)] == list(FACTORS)
    assert [fit.factor for fit in TrainedRun.open(swap).calibrations] == list(FACTORS)


def test_every_figure_has_its_chance_level_and_a_network_that_learned_nothing_is_marked(swap):
    report = read_evaluation(swap)
    terms = [(term, "") for term in (*METRIC_TERMS, *DCI_TERMS, *RECONSTRUCTION_TERMS)]
    terms += [(term, name) for name in FACTORS for term in (*COMPARED_TERMS, *BASELINE_TERMS)]
    terms = [each for each in terms if each[0].key != "accuracy"]  # of classes, which these factors have not
    assert [(term.key, name) for term, name in terms if chance_of(report, term, name) is None] == []
    shuffled, untrained = report["chance"]["shuffled"], report["chance"]["untrained"]
    for name in FACTORS:
        assert abs(shuffled["factors"][name]["r2"]) < 0.5
        assert shuffled["factors"][name]["mean_absolute_error"] > 5
        assert report["marks"]["factors"][name]["swap_ratio"] == COPYING
        assert report["marks"]["factors"][name]["rerender.psnr_db"] == COPYING
    assert shuffled["metrics"]["latents"]["explicitness"]["value"] == pytest.approx(0.5, abs=0.1)
    assert untrained["metrics"].keys() == report["metrics"].keys()
    assert report["marks"]["run"]["metrics.latents.mig.value"] == NO_BETTER
    assert report["marks"] == all_marks(report)


def test_a_table_too_small_to_measure_is_said_once_and_the_pictures_are_still_measured(small_faces, tmp_path):
    recipe, out = RECIPES["swap"], str(tmp_path / "run")
    train(TrainConfiguration(data=str(small_faces), out=out, recipe=recipe, steps=2, seed=0, device="cpu"))
    run = TrainedRun.open(out)
    report = evaluate(run).report
    assert report["unmeasured"].startswith("expected at least 50 rows in which every factor varies, found 40 rows: ")
    assert report["metrics"] is report["dci"] is report["mig"] is None
    for score in report["factors"].values():
        assert "r2" not in score
        assert score["swap_ratio"] > 0
        assert score["rerender"]["psnr_db"] > 0
    assert f"not measured: {report['unmeasured']}" in evaluation_table([report])
    assert report["unmeasured"] in write_report(TrainedRun.open(out))[0].read_text()
    assert report["unmeasured"] in write_card(TrainedRun.open(out)).read_text()


def test_an_outlier_is_said_once_and_all_but_the_metrics_of_bins_is_measured(faces, runs, tmp_path, monkeypatch):
    run = TrainedRun.open(shutil.copytree(runs / "swap", tmp_path / "run"))
    labelled = DataSource.labelled

    def with_outlier(self, split):
        found = labelled(self, split)
        if split != "iid":
            return found
        factors = found.factors.copy()
        factors[0, 0, 1] = 1000
        return dataclasses.replace(found, factors=factors)

    monkeypatch.setattr(DataSource, "labelled", with_outlier)
    report = evaluate(run, faces).report
    assert "found elevation in one of 20 bins of its range in all" in report["unmeasured"]
    assert report["metrics"] is report["dci"] is None
    for score in report["factors"].values():
        assert score.keys() >= PROMISED
    assert report["chance"]["shuffled"]["factors"]["azimuth"].keys() >= {"r2", "leakage_r2"}
    assert f"not measured: {report['unmeasured']}" in evaluation_table([report])


def test_dcign_metrics_gives_the_published_figures_of_the_codes_to_the_last_digit(swap, faces, tmp_path):
    report = read_evaluation(swap)
    save_encoding(encode_dataset(TrainedRun.open(swap), faces), tmp_path / "z.npz")
    found = measure(read_code_table(tmp_path / "z.npz"), own=(0, 1, 2))
    assert (found["split"], found["rows"]["fitted"]) == ("iid", report["images"]["calibration"])
    for name, table in report["metrics"].items():
        assert {key: metric["value"] for key, metric in table.items()} == {
            key: float(f"{metric['value']:.5g}") for key, metric in found["metrics"][name].items()
        }
    for factor, score in found["factors"].items():
        assert float(f"{score['r2']:.5g}") == report["factors"][factor]["r2"]


def test_the_public_functions_give_the_published_figures_to_the_last_digit(swap, faces):
    """As docs/metrics.md shows."""
    report = read_evaluation(swap)
    codes = encode_dataset(TrainedRun.open(swap), faces, ["iid"]).of("iid")
    mu, labels = codes.mu, metrics.classes(codes.factors)
    fitted = min(10_000, 2 * len(mu) // 3)
    halves = mu[:fitted], labels[:fitted], mu[fitted : fitted + 5000], labels[fitted : fitted + 5000]
    blocks = metrics.blocks_around([0, 1, 2], mu.shape[1])

    def draw():
        return np.random.default_rng(0)

    for name, chosen in (("latents", None), ("blocks", blocks)):
        found = {
            "mig": metrics.mutual_information_gap(mu, codes.factors, chosen),
            "modularity": metrics.modularity(mu, codes.factors, chosen),
            "sap": metrics.sap(*halves, blocks=chosen),
            "irs": metrics.interventional_robustness(mu, codes.factors, chosen),
            "factor_vae": metrics.factor_vae_score(mu, codes.factors, draw(), chosen, dead=0.05),
            "beta_vae": metrics.beta_vae_score(mu, codes.factors, draw(), chosen),
            "med": metrics.mutual_information_disentanglement(mu, codes.factors, chosen),
            "infom": metrics.infomec(mu, codes.factors, draw(), chosen, least_range=1 / 20).modularity,
            "infoc": metrics.infomec(mu, codes.factors, draw(), chosen, least_range=1 / 20).compactness,
            "dci_disentanglement": metrics.dci(*halves, draw(), chosen).disentanglement,
        }
        assert {key: float(f"{value:.5g}") for key, value in found.items()} == {
            key: report["metrics"][name][key]["value"] for key in found
        }
    assert float(f"{metrics.explicitness(*halves):.5g}") == report["metrics"]["latents"]["explicitness"]["value"]
    values = codes.factors
    explicit = metrics.loss_capacity(mu[:fitted], values[:fitted], halves[2], values[fitted : fitted + 5000], draw())
    assert float(f"{explicit.explicitness:.5g}") == report["metrics"]["latents"]["dci_explicitness"]["value"]
    assert explicit.size == report["metrics"]["latents"]["dci_size"]["value"]
    train = encode_dataset(TrainedRun.open(swap), faces, ["train"]).of("train")
    readings = metrics.read_monotone_latent(train.mu, train.factors, mu, codes.factors, own=[0, 1, 2])
    for reading, found in zip(readings, report["factors"].values(), strict=True):
        assert float(f"{reading.r2:.5g}") == found["r2"]


def test_a_plain_vae_is_scored_by_its_best_latents(vae):
    for score in vae[0]["factors"].values():
        assert score["latent"] == score["best_latent"]
        assert score["r2"] == score["r2_best"]


def test_the_training_split_is_never_read_whole(again):
    assert sorted(again[2]) == ["iid", "sweep", "test"]


def test_what_is_read_of_a_split_is_what_the_whole_split_has_there(small_faces):
    source = DataSource(small_faces)
    whole, places = source.labelled("train"), thinning(*source.labelled("train").images.shape[:2], 50)
    few = source.chunked("train").labelled(*places)
    for name in ("images", "factors"):
        np.testing.assert_array_equal(getattr(few, name), getattr(whole, name)[np.ix_(*places)])
    np.testing.assert_array_equal(few.kind, whole.kind[places[0]])
    sample = read_sample(source, len(FACTORS))
    for place, varying in enumerate(sample.varying):
        assert set(varying.kind) == {place}
        assert np.all(np.ptp(np.delete(varying.factors, place, axis=2), axis=1) == 0)
        assert np.all(np.ptp(varying.factors[..., place], axis=1) > 0)


def test_the_same_run_is_evaluated_the_same_again(again):
    timeless = [{key: value for key, value in each.items() if key != "evaluation_seconds"} for each in again[:2]]
    assert timeless[0] == timeless[1]


def test_the_table_has_a_line_a_factor(swap, vae):
    reports = [json.loads((swap / "evaluation.json").read_text()), vae[0]]
    table = evaluation_table(reports)
    assert [sum(line.startswith(name) for line in table.splitlines()) for name in FACTORS] == [2, 2, 2]
    parts = -(-len(METRIC_TERMS) // 8)  # 8 metrics beside each other, and those of all latents alone not as one
    assert table.count("each latent") == table.count("as one  ") == 2 * parts
    assert table.count("  chance  ") == 2 * (len(FACTORS) + 2 * parts)
    assert table.count("FactorVAE") == table.count("InfoM") == 2
    older = {key: value for key, value in reports[0].items() if key != "metrics"}
    assert "FactorVAE" not in evaluation_table([older])


def test_an_evaluation_on_other_shards_is_refused(swap, faces, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(faces, other)
    manifest = json.loads((other / "dataset.json").read_text())
    manifest["splits"]["iid"]["shards"][0]["sha256"] = "0" * 64
    (other / "dataset.json").write_text(json.dumps(manifest))
    with pytest.raises(TrainingError, match="expected the shards on which the run was trained, found others in"):
        evaluate(TrainedRun.open(swap), data=other)


def test_an_evaluation_reports_its_progress_from_zero_to_one(vae):
    told = vae[1]
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == pytest.approx(1)
    assert [stage.split()[0] for stage in dict(told)][:2] == ["reading", "encoding"]
    assert {stage.split()[0] for stage, _ in told} == STAGES


def test_swaps_score_the_same_in_one_pass_over_all_images(swap, small_faces):
    codec, batches = TrainedRun.open(swap).codec, DataSource(small_faces).labelled("test")
    codes = encode_split(codec, batches)
    codes = dataclasses.replace(codes, mu=3000 * codes.mu)  # the decoder hardly uses the latents yet
    plain = measure_reconstruction(codec, batches, codes)
    errors = swap_errors(codec, batches, codes, plain, kind=1, latents=[4])
    chosen = np.flatnonzero(batches.kind == 1)
    truth = batches.images[chosen] / 255.0
    swapped = codes.mu[chosen].copy()
    swapped[..., 4] = np.roll(swapped[..., 4], -1, axis=1)
    rebuilt, moved = (
        codec.decode(code.reshape(-1, code.shape[-1])).reshape(truth.shape) for code in (codes.mu[chosen], swapped)
    )
    following, error = np.roll(truth, -1, axis=1), np.square(rebuilt - truth).mean()
    assert errors.ratio == pytest.approx(np.square(moved - following).mean() / error, rel=1e-4)
    assert errors.copy_ratio == pytest.approx(np.square(truth - following).mean() / error, rel=1e-4)
    each = np.square(rebuilt - truth).mean(axis=(2, 3, 4))
    np.testing.assert_allclose(errors.plain, np.roll(each, -1, axis=1).ravel(), rtol=1e-4)


def disk_full(descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("work", [evaluate, write_report], ids=lambda work: work.__name__)
def test_a_disk_that_fills_leaves_what_was_there_and_says_how_to_go_on(swap, tmp_path, monkeypatch, work):
    run = tmp_path / "run"
    shutil.copytree(swap, run)
    (run / "traversal.png").write_bytes(b"an older picture")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    monkeypatch.setattr("dcign.storage.atomic.os.fsync", disk_full)
    with pytest.raises(TrainingError, match=r"the disk is full; free some space.* is kept: run dcign evaluate"):
        work(TrainedRun.open(run))
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
