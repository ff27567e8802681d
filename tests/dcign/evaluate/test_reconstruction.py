"""The figures of plain reconstruction, on networks that return the originals with a known change."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dcign.evaluate.codes import Codes
from dcign.evaluate.reconstruction import measure_reconstruction, near_frontal
from dcign.inputs.source import LabelledBatches
from dcign.metrics import psnr_decibels, structural_similarity
from dcign.report import evaluation_table
from dcign.trained.terms import RECONSTRUCTION_TERMS
from tests.support.evaluation import EVALUATION

SIZE, BATCHES, IMAGES = 32, 3, 4
NAMES = ("elevation", "azimuth")


class Changer:
    """In place of a network: the code of an image is its number, and decoding returns that image, changed."""

    def __init__(self, batches, change, names=NAMES):
        self.description = SimpleNamespace(factors=names)
        self.pictures = change(batches.images.reshape(-1, SIZE, SIZE, 1).astype(np.float32) / 255)

    def decode(self, codes, progress=lambda done: None):
        return self.pictures[codes[:, 0].astype(int)].astype(np.float32)


@pytest.fixture
def batches():
    """Noise inside a disc on black; the first two images of each batch are near-frontal."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    disc = np.hypot(x, y) < 12
    images = (rng.uniform(60, 200, (BATCHES, IMAGES, SIZE, SIZE, 1)) * disc[..., None]).round().astype(np.uint8)
    factors = np.zeros((BATCHES, IMAGES, 2), np.float32)
    factors[..., 0], factors[..., 1] = 70, [-44, 10, 46, -80]
    mask = np.broadcast_to(255 * disc.astype(np.uint8), (BATCHES, IMAGES, SIZE, SIZE)).copy()
    return LabelledBatches(images, factors, np.full(BATCHES, 2), mask)


def measured(batches, change, names=NAMES, **more):
    numbers = np.arange(BATCHES * IMAGES, dtype=np.float32).reshape(BATCHES, IMAGES, 1)
    codes = Codes(numbers, np.zeros_like(numbers), batches.factors, batches.kind)
    return measure_reconstruction(Changer(batches, change, names), batches, codes, **more).figures


def test_equal_pictures_have_every_figure_at_its_best(batches):
    found = measured(batches, lambda pictures: pictures)
    assert found.keys() == {term.key.removeprefix("reconstruction.") for term in RECONSTRUCTION_TERMS}
    assert (found["fine"], found["psnr_head_db"], found["psnr_frame_db"]) == (1, 120, 120)
    assert min(found["ssim"], found["ms_ssim"]) == pytest.approx(1, abs=1e-6)


def test_soft_pictures_lose_the_fine_structure_and_wrong_detail_is_worse_than_none(batches):
    soft = measured(batches, lambda pictures: gaussian_filter(pictures, (0, 3, 3, 0)))
    assert -0.02 < soft["fine"] < 0.1
    noise = np.random.default_rng(1).normal(0, 0.3, (BATCHES * IMAGES, SIZE, SIZE, 1))
    assert measured(batches, lambda pictures: pictures + noise)["fine"] < 0


def test_fine_sees_near_frontal_heads_alone_and_all_where_no_factor_is_azimuth(batches):
    turned = np.tile([False, False, True, True], BATCHES)

    def spoiled(pictures):
        return np.where(turned[:, None, None, None], 0, pictures)

    assert measured(batches, spoiled)["fine"] == 1
    assert measured(batches, spoiled, ("elevation", "light_azimuth"))["fine"] == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(near_frontal(NAMES, batches.factors), ~turned.reshape(BATCHES, IMAGES))


def test_fine_does_not_see_the_outline_and_without_masks_it_does(batches):
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    middle = (np.hypot(x, y) < 11.2)[..., None]
    assert measured(batches, lambda pictures: pictures * middle)["fine"] == 1
    bare = LabelledBatches(batches.images, batches.factors, batches.kind, None)
    found = measured(bare, lambda pictures: pictures * middle)
    assert found["fine"] < 0.95
    assert "psnr_head_db" not in found


def test_a_split_without_near_frontal_images_has_no_fine_figure(batches):
    batches.factors[..., 1] = 60
    assert np.isnan(measured(batches, lambda pictures: pictures)["fine"])


def test_psnr_and_ssim_are_means_over_all_images(batches):
    def dark(pictures):
        return pictures * np.linspace(0.2, 0.9, len(pictures))[:, None, None, None]

    found = measured(batches, dark)
    truth = batches.images.reshape(-1, SIZE, SIZE, 1) / 255
    mask = batches.mask.reshape(-1, SIZE, SIZE) / 255
    assert found["psnr_frame_db"] == pytest.approx(psnr_decibels(dark(truth) - truth).mean(), rel=1e-5)
    assert found["psnr_head_db"] == pytest.approx(psnr_decibels(dark(truth) - truth, mask).mean(), rel=1e-5)
    assert found["ssim"] == pytest.approx(structural_similarity(dark(truth), truth, mask).mean(), rel=1e-4)


def test_an_older_evaluation_has_a_dash_for_each_new_figure():
    assert "fine -" in evaluation_table([EVALUATION])
    later = json.loads(json.dumps(EVALUATION))
    later["reconstruction"] |= {"fine": 0.456, "ssim": 0.9, "ms_ssim": None}
    assert "fine 0.46" in evaluation_table([later])
    assert [term.text(EVALUATION, "-") for term in RECONSTRUCTION_TERMS] == ["-", "21.5", "-", "-", "-"]
    assert [term.text(later, "-") for term in RECONSTRUCTION_TERMS] == ["-", "21.5", "0.456", "0.900", "-"]
