"""A circular factor from training to evaluation and editing: two latents that are read as an angle."""

import json

import numpy as np
import pytest
import torch

from dcign.evaluate.codes import encode_split
from dcign.evaluate.directions import fit_baselines, load_directions, save_directions
from dcign.evaluate.evaluation import TrainingSample, evaluate_codec
from dcign.evaluate.scores import own_calibrations
from dcign.figures.encoded import EncodedImages, encode_sweeps
from dcign.figures.grids import STEPS, relit_grid, traversal_grid
from dcign.infer.edit import edit
from dcign.inputs.batches import TrainingBatches
from dcign.metrics.circular import circular_r_squared, wrapped
from dcign.progress import PartProgress, no_stage_progress
from dcign.recipes.registry import SWAP, VAE, changed
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train_on
from dcign.trained.calibration import CircularCalibration, write_calibrations
from dcign.trained.trained_run import TrainedRun
from tests.support.turning import DESCRIPTION, turning_batches, turning_images, turning_sweep

pytestmark = pytest.mark.usefixtures("quick_evaluations")

SMALL = {"latents": 8, "encoder_widths": (64, 48, 32), "decoder_widths": (64, 48, 32)}
TRAIN = turning_batches([0, 1, 2] * 40, 0)
IID, TEST = turning_batches([-1] * 10, 1), turning_batches([0, 1, 2] * 2, 2)
FEW = turning_batches([-1] * 40, 3)  # of all kinds, in place of the training split


def trained(recipe, folder, steps):
    """Train on the lamps, and return the run."""
    configuration = TrainConfiguration("none", str(folder), recipe, steps, 0, device="cpu", threads=1)
    train_on(TrainingBatches(torch.from_numpy(TRAIN.images), TRAIN.kind), DESCRIPTION, configuration)
    return TrainedRun.open(folder)


@pytest.fixture(scope="module")
def swap(tmp_path_factory):
    run = trained(changed(SWAP, SMALL), tmp_path_factory.mktemp("circle") / "run", steps=700)
    varying = tuple(TRAIN.chosen(np.flatnonzero(TRAIN.kind == factor)) for factor in (0, 1))
    found = evaluate_codec(run.codec, TrainingSample(FEW, varying), IID, TEST, turning_sweep())
    write_calibrations(run.folder, found.calibrations)
    return run, found


def test_a_factor_that_goes_all_the_way_round_is_read_from_two_latents_of_unseen_images(swap):
    run, found = swap
    score = found.report["factors"]["round"]
    assert score["latents"] == [0, 1]
    assert run.layout.latents_of("shade") == (2,)
    assert score["r2"] > 0.7
    assert score["mean_absolute_error"] < 40
    assert score["leakage_r2"] < 0.5
    assert score["swap_ratio"] < 0.7 * score["copy_ratio"]
    assert found.report["blocks"]["round"] == {"first": 0, "count": 2, "alive": 2}
    assert found.report["chance"]["shuffled"]["factors"]["round"]["r2"] < 0.1
    assert json.dumps(found.report, allow_nan=False)


def test_a_mirrored_image_is_read_as_the_negative_angle(swap):
    run, _ = swap
    images = IID.images.reshape(-1, *IID.images.shape[2:])
    mu, mirrored = (run.codec.encode(np.ascontiguousarray(each))[0] for each in (images, images[:, :, ::-1]))
    np.testing.assert_allclose(mirrored * run.layout.signs, mu, atol=1e-4)


def test_setting_an_angle_takes_any_number_of_turns_and_has_no_seam(swap):
    run, _ = swap
    fit = run.calibrations[0]
    assert isinstance(fit, CircularCalibration)
    mu = run.codec.encode(IID.images[0])[0]
    np.testing.assert_allclose(fit.written(mu, np.full(20, 190.0)), fit.written(mu, np.full(20, -170.0)), atol=1e-6)
    ends = (fit.written(mu[:1], np.array([angle])) for angle in (179.99, -179.99))
    assert np.abs(np.subtract(*ends)).max() < 0.01


def test_an_edit_turns_the_lamp_and_reports_where_it_was(swap):
    run, _ = swap
    turn, shade, width = np.array([150.0]), np.array([0.2]), np.array([0.0])
    image = (255 * turning_images(turn, shade, width)[0, :, :, None]).astype(np.uint8)
    edited = edit(run.codec, run.calibrations, image, {"round": [-100.0, 260.0]})
    assert abs(wrapped(np.array(edited.read["round"] - 150))) < 50
    np.testing.assert_allclose(edited.pictures[0], edited.pictures[1], atol=1e-5)


def test_a_traversal_closes_and_a_sweep_has_each_level_once(swap):
    run, _ = swap
    sweep = turning_sweep()
    encoded = encode_sweeps(run, sweep, PartProgress(no_stage_progress, {"all": 1.0}), "all")
    assert encoded.sweeps[0].levels.tolist() == [-180, -135, -90, -45, 0, 45, 90, 135]
    reading = encoded.readings(encoded.directions)[0]
    assert reading.score > 0.7
    assert np.abs(reading.inferred - reading.levels[:, None]).max() <= 180
    row = traversal_grid(encoded, EncodedImages(IID, encode_split(run.codec, IID))).groups[0].rows[0]
    assert len(row.blocks[0]) == STEPS
    np.testing.assert_allclose(row.blocks[0][0], row.blocks[0][-1], atol=1e-5)
    assert np.abs(row.blocks[0][0] - row.blocks[0][STEPS // 2]).max() > 0.1
    assert relit_grid(encoded, 0).groups[-1].rows[0].note.startswith("latents 0 and 1, ")


def test_a_code_without_assigned_latents_is_read_from_its_best_pair_or_along_a_plane(tmp_path):
    codec = trained(changed(VAE, SMALL), tmp_path / "vae", steps=150).codec
    fitted, held = encode_split(codec, FEW), encode_split(codec, IID)
    fit = own_calibrations(codec, fitted)[0]
    truth = held.flat_factors[:, 0]
    assert len(set(fit.own)) == 2
    assert circular_r_squared(truth, fit.read(held.flat_mu)) > 0.2
    batches = encode_split(codec, TRAIN.chosen(np.flatnonzero(TRAIN.kind == 0))).mu
    baselines = fit_baselines("round", batches, fitted.flat_mu, fitted.flat_factors[:, 0], circular=True)
    assert baselines.score(held.flat_mu, truth)["r2_regression"] > 0.2
    plane = baselines.regression.axes
    np.testing.assert_allclose(plane @ plane.T, np.eye(2), atol=1e-9)
    save_directions(tmp_path, [baselines])
    (read,) = load_directions(tmp_path)
    np.testing.assert_allclose(read.regression.value(held.flat_mu), baselines.regression.value(held.flat_mu))
    moved = read.regression.moved(held.flat_mu, 120.0)
    outside = np.eye(plane.shape[1]) - plane.T @ plane
    np.testing.assert_allclose(moved @ outside, held.flat_mu @ outside, atol=1e-5)
