"""Data sets of format version 2 from end to end: written, trained on, evaluated, reported and edited."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcign.data import Factor, NewBatch, write_dataset
from dcign.evaluate.evaluation import evaluate
from dcign.evaluate.held_out import read_held_out
from dcign.evaluate.sweeps import cut_sweep, has_sweep, sweep_of
from dcign.infer.encode import encode_dataset, load_encoding, save_encoding
from dcign.inputs.source import DataSource
from dcign.measure import measure, read_code_table
from dcign.recipes.registry import recipe_named
from dcign.report import evaluation_table, write_report
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from dcign.trained.trained_run import TrainedRun
from tests.support.commands import dcign
from tests.support.toys import TOYS, grid_batches, write_toys

pytestmark = pytest.mark.usefixtures("quick_evaluations")

SMALL = {"encoder_widths": (8,), "decoder_widths": (8,), "encoder_hidden": 16, "decoder_hidden": 16, "latents": 12}


def trained(data: Path, out: Path, recipe: str = "swap", steps: int = 3) -> TrainedRun:
    """A network of a few steps."""
    small = replace(recipe_named(recipe), **SMALL)
    train(TrainConfiguration(str(data), str(out), small, steps, 0, threads=1))
    return TrainedRun.open(out)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole grid in triples, without iid, sweep and identity batches."""
    folder = tmp_path_factory.mktemp("grid") / "grid"
    write_dataset(folder, TOYS, grid_batches(), name="grid")
    return folder


@pytest.fixture(scope="module")
def run(grid: Path) -> TrainedRun:
    """An evaluated run of the grid, with its report."""
    run = trained(grid, grid.parent / "run")
    evaluate(run, thread_count=1)
    return TrainedRun.open(run.folder)


def test_sweeps_are_cut_from_a_grid(grid: Path) -> None:
    source = DataSource(grid)
    test = source.labelled("test")
    sweep = cut_sweep(test, source.identity("test"))
    assert sweep.images.shape[1] == 20
    for factor, levels in enumerate([[-1, 0, 1], [0, 1, 2], [0, 120, 240]]):
        assert has_sweep(sweep.factors, factor)
        found = sweep_of(sweep, factor)
        assert found.levels.tolist() == levels
        others = np.delete(sweep.factors[1 + 3 * factor : 4 + 3 * factor], factor, axis=2)
        assert (others == others[:1]).all()
        assert (np.ptp(sweep.factors[1 + 3 * factor : 4 + 3 * factor, :, factor], axis=0) > 0).all()


def test_scattered_labels_have_no_sweep(tmp_path: Path) -> None:
    source = DataSource(write_toys(tmp_path / "toys", splits={"train": 4, "iid": 9}))
    held = read_held_out(source, source.description())
    assert not any(has_sweep(held.sweep.factors, factor) for factor in range(3))
    assert held.left_out[0] == "There is no split test: iid is measured in its place."
    assert held.left_out[1] == "No two images of iid share levels of across, form, hue: re-rendering is left out."
    assert "form never varies alone in iid: its swaps are left out." in held.left_out


def test_an_evaluation_measures_numbers_classes_and_angles(run: TrainedRun) -> None:
    report = run.evaluation
    across, form, hue = report["factors"].values()
    assert form["latents"] == [1, 2, 3]
    assert 0 <= form["accuracy"] <= 1
    assert form["accuracy_of_most_frequent"] == pytest.approx(1 / 3, abs=0.01)
    assert {"r2", "leakage_r2", "swap_ratio", "r2_best"} <= form.keys()
    assert [each["rerender"]["degrees"] for each in (across, form, hue)] == [[-1, 1], [0, 2], [0, 240]]
    assert report["metrics"]["latents"]["mig"]["value"] >= 0
    assert report["left_out"] == [
        "There is no split iid: test is measured in its place.",
        "There is no split sweep: sweeps were cut from the grid of test.",
    ]
    assert "psnr_head_db" not in report["reconstruction"]
    said = evaluation_table([report])
    assert "There is no split iid" in said
    assert "people" not in said
    assert "Measured on unseen pictures." in said
    assert "right" in said.splitlines()[0]


def test_the_report_shows_sweeps_and_says_what_is_missing(run: TrainedRun) -> None:
    files = {file.name for file in write_report(run, thread_count=1)}
    assert files == {"report.html", "traversal.png", "inferred.png", "reconstruction.png", "relight.png"}
    page = (run.folder / "report.html").read_text()
    assert "unseen people" not in page
    assert "unseen pictures" in page
    assert "sweeps were cut from the grid of test" in page
    assert "square" in page


def test_edit_takes_classes_by_name_and_names_them(run: TrainedRun, grid: Path, tmp_path: Path) -> None:
    Image.fromarray(DataSource(grid).labelled("test").images[0, 0]).save(tmp_path / "toy.png")
    result = dcign(
        "edit", run.folder, tmp_path / "toy.png", "--form", "bar,disc", "--hue", "90", "--out", tmp_path / "new.png"
    )
    assert result.exit_code == 0, result.output
    assert any(f"form {name}" in result.output for name in ("disc", "square", "bar"))
    with Image.open(tmp_path / "new.png") as drawn:
        assert drawn.size == (2 * 28, 28)
    wrong = dcign("edit", run.folder, tmp_path / "toy.png", "--form", "ring", "--out", tmp_path / "other.png")
    assert wrong.exit_code == 2
    assert "expected disc, square, bar, or several of them, found 'ring'" in wrong.output
    assert "Out of disc, square, bar." in " ".join(dcign("edit", run.folder, "--help").output.split())


@pytest.mark.parametrize("recipe", ["ada-gvae", "beta-vae", "paper"])
def test_other_recipes_train_and_evaluate_on_triples(recipe: str, tmp_path: Path) -> None:
    few = (batch for batch in grid_batches() if batch.identity[0] in (0, 6))
    write_dataset(tmp_path / "few", TOYS, few, name="few")
    report = evaluate(trained(tmp_path / "few", tmp_path / "run", recipe), thread_count=1).report
    assert report["factors"]["form"]["rerender"]["psnr_db"] > 0
    assert report["factors"]["form"]["swap_ratio"] > 0
    assert report["recipe"] == ("paper,images=3" if recipe == "paper" else recipe)  # a batch has no more


def test_a_plain_vae_of_scattered_gray_labels_without_sweeps_has_a_report(tmp_path: Path) -> None:
    splits = {"train": 8, "test": 8}
    data = write_toys(tmp_path / "toys", kinds=("all",), splits=splits, size=28, channels=1)
    run = trained(data, tmp_path / "run", "vae")
    report = evaluate(run, thread_count=1).report
    assert report["entangled"] == {}
    assert "rerender" not in report["factors"]["across"]
    files = {file.name for file in write_report(TrainedRun.open(run.folder), thread_count=1)}
    assert files == {"report.html", "traversal.png", "reconstruction.png"}


def test_pairs_of_one_factor_without_other_people_are_trained_on(tmp_path: Path) -> None:
    def pairs():
        for split, count in (("train", 6), ("test", 40)):
            for number in range(count):
                values = np.array([[0.0], [1 + number % 4]])
                images = (20 + 50 * values[:, :, None, None] * np.ones((1, 32, 32, 1))).astype(np.uint8)
                images[:, number % 30] = 255
                yield NewBatch(split, "scale", images, values, np.zeros(2, int))

    data = tmp_path / "pairs"
    write_dataset(data, [Factor("scale", "", 1)], pairs(), name="pairs")
    run = trained(data, tmp_path / "run")
    report = evaluate(run, thread_count=1).report
    assert report["factors"]["scale"]["latent"] == 0
    assert "--factor-scale" in dcign("edit", run.folder, "--help").output


def test_metrics_of_encoded_classes_and_angles_are_those_of_the_evaluation(
    run: TrainedRun, grid: Path, tmp_path: Path
) -> None:
    save_encoding(encode_dataset(run, grid, thread_count=1), tmp_path / "z.npz")
    table = read_code_table(tmp_path / "z.npz")
    assert table.types == ("number", "class", "angle")
    found = measure(table, "test", (0, (1, 2, 3), (4, 5)), class_trees=False)["metrics"]
    for kind in ("latents", "blocks"):
        wanted = run.evaluation["metrics"][kind]
        for name, value in found[kind].items():  # evaluation.json has five digits
            assert value["value"] == pytest.approx(wanted[name]["value"], rel=1e-4, abs=1e-9), name


def test_codes_of_version_0_2_are_read_as_numbers(run: TrainedRun, grid: Path, tmp_path: Path) -> None:
    save_encoding(encode_dataset(run, grid, ["test"], thread_count=1), tmp_path / "z.npz")
    with np.load(tmp_path / "z.npz") as new:
        np.savez(tmp_path / "old.npz", **{name: new[name] for name in new.files if name != "factor_types"})
    assert load_encoding(tmp_path / "old.npz").factor_types.tolist() == ["number"] * 3
    assert load_encoding(tmp_path / "z.npz").factor_types.tolist() == ["number", "class", "angle"]
