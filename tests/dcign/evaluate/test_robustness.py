"""Altered pictures: what each alteration does, and how a code that reads positions suffers from it."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.evaluate.robustness import IMAGES, alterations_of, measure_robustness, read_scores
from dcign.inputs.source import LabelledBatches
from dcign.trained.altered_pictures import WORDS, altered_rows
from dcign.trained.calibration import calibrate_coordinates

SIZE = 64
SEED = 0


def discs(batches=3):
    """Pictures of a white disc at a random place, whose labels are its centre in pixels, and masks."""
    rng = np.random.default_rng(1)
    places = rng.uniform(24, 40, (batches, 20, 2)).astype(np.float32)
    axis = np.arange(SIZE) + 0.5
    distance = np.hypot(axis[:, None] - places[..., 1, None, None], axis - places[..., 0, None, None])
    mask = ((distance < 9) * 255).astype(np.uint8)
    return LabelledBatches(mask[..., None], places, np.full(batches, -1), mask)


class CentreCodec:
    """A code that is the mean place of the light."""

    def encode(self, images, progress=None):
        light = images[..., 0].astype(np.float64)
        axis = np.arange(SIZE) + 0.5
        total = light.sum(axis=(1, 2))
        mu = np.stack([(light.sum(axis=1) @ axis) / total, (light.sum(axis=2) @ axis) / total], axis=1)
        return mu, np.zeros_like(mu)


@pytest.fixture(scope="module")
def measured():
    split = discs(30)
    mu, _ = CentreCodec().encode(split.images.reshape(-1, SIZE, SIZE, 1))
    values = split.factors.reshape(-1, 2)
    fits = [
        calibrate_coordinates(name, (at,), mu[:, [at]], values[:, at]) for at, name in enumerate(("across", "down"))
    ]
    return measure_robustness(CentreCodec(), split, fits, np.random.default_rng(SEED))


def test_every_alteration_is_measured_for_every_factor(measured):
    assert measured["images"] == IMAGES
    assert measured["alterations"].keys() == WORDS.keys()
    assert all(table.keys() == {"across", "down"} for table in measured["alterations"].values())


def test_unaltered_pictures_are_read_exactly_and_a_shift_costs_what_it_moves(measured):
    found = measured["alterations"]
    assert found["unaltered"]["across"]["mean_absolute_error"] < 0.2
    assert found["unaltered"]["across"]["r2"] > 0.99
    assert found["shift_sideways"]["across"]["mean_absolute_error"] == pytest.approx(3, abs=0.5)
    assert found["shift_sideways"]["down"]["mean_absolute_error"] < 0.2
    assert found["shift_up"]["down"]["mean_absolute_error"] == pytest.approx(3, abs=0.5)
    assert found["gamma"]["across"]["mean_absolute_error"] < 0.2
    assert found["gray_background"]["across"]["mean_absolute_error"] > 2


def test_without_masks_the_background_is_left_out():
    split = discs()
    images, mask = split.images.reshape(-1, SIZE, SIZE, 1), split.mask.reshape(-1, SIZE, SIZE)
    draw = np.random.default_rng(SEED)
    assert set(alterations_of(images, mask, draw)) - set(alterations_of(images, None, draw)) == {"gray_background"}


def test_a_gray_background_leaves_the_head_alone_and_a_square_covers_a_sixteenth():
    split = discs()
    images, mask = split.images.reshape(-1, SIZE, SIZE, 1), split.mask.reshape(-1, SIZE, SIZE)
    found = alterations_of(images, mask, np.random.default_rng(SEED))
    inside = mask > 0
    assert (found["gray_background"][inside] == images[inside]).all()
    assert np.unique(found["gray_background"][~inside]).tolist() == [128]
    covered = (found["occlusion"] == 128).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(covered, 1 / 16)


def test_a_row_of_a_report_is_empty_for_a_run_of_an_older_version(measured):
    factors = {"across": {}, "down": {}}
    new, old = {"robustness": measured, "factors": factors}, {"factors": factors}
    rows = altered_rows([new, old])
    assert [words for words, _ in rows] == list(WORDS.values())
    assert [len(cells) for _, cells in rows] == [4] * len(WORDS)
    assert rows[0][1][2] == rows[0][1][3]
    assert altered_rows([old]) == []


def test_a_factor_of_classes_has_an_accuracy_and_no_error_of_its_indices():
    rng = np.random.default_rng(2)
    truth = rng.integers(3, size=300).astype(float)
    codes = np.stack([truth == 1, truth == 2], axis=1) + 0.01 * rng.normal(size=(300, 2))
    fit = calibrate_coordinates("form", (0, 1), codes, truth, ("disc", "square", "bar"))
    read = fit.at(codes)
    read[:60] = (read[:60] + 1) % 3
    scores = read_scores(read, truth, fit)
    assert scores == {"accuracy": pytest.approx(0.8)}
    evaluation = {"robustness": {"alterations": {"roll": {"form": scores}}}, "factors": {"form": {}}}
    assert altered_rows([evaluation]) == [(WORDS["roll"], [("accuracy 0.800", "")])]
