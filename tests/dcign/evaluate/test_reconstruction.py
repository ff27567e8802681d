"""The figures of plain reconstruction, on networks that return the originals with a known change."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dcign.evaluate.codes import Codes
from dcign.evaluate.pictures.reconstruction import measure_reconstruction, near_frontal
from dcign.inputs.source import DataSource, LabelledBatches, PartLabels
from dcign.metrics import psnr_decibels, structural_similarity
from dcign.report import evaluation_table
from dcign.trained.terms import RECONSTRUCTION_TERMS, part_terms
from tests.support.evaluation import EVALUATION

pytest_plugins = ["tests.support.discs"]

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


PARTS = ("background", "upper", "lower", "hidden")


def test_each_visible_part_has_the_psnr_of_its_own_pixels(batches):
    labels = np.zeros((BATCHES, IMAGES, SIZE, SIZE), np.uint8)
    labels[:, :, 8:16, 10:20] = 1
    labels[:, 1:, 16:24, 10:20] = 2
    change = np.zeros((SIZE, SIZE, 1))
    change[8:16], change[16:] = 0.1, 0.01
    found = measured(batches, lambda pictures: pictures + change, parts=PartLabels(labels, PARTS))["psnr_parts_db"]
    assert list(found) == ["upper", "lower"]
    assert found["upper"] == pytest.approx(20, abs=1e-3)
    assert found["lower"] == pytest.approx(40, abs=1e-2)


def test_a_full_turn_has_its_front_on_both_sides_of_zero():
    azimuths = np.array([[0, 44, 46, 180, 314, 316, 360, -44, -46]], np.float64)
    front = near_frontal(("azimuth",), azimuths[..., None])
    assert azimuths[front].tolist() == [0, 44, 316, 360, -44]


def test_the_pixels_of_a_part_count_alike_in_all_images(batches):
    labels = np.zeros((BATCHES, IMAGES, SIZE, SIZE), np.uint8)
    labels[0, 0, 8:16, 8:16] = 1  # 64 pixels without an error, and 64 x 3 with one
    labels[1, :3, 8:16, 8:16] = 1
    error = np.where(np.arange(BATCHES * IMAGES) < IMAGES, 0, 0.1)[:, None, None, None]
    found = measured(batches, lambda pictures: pictures + error, parts=PartLabels(labels, PARTS))["psnr_parts_db"]
    assert found == {"upper": pytest.approx(-10 * np.log10(0.01 * 3 / 4), abs=1e-3)}


def test_parts_stand_in_every_table_where_any_run_has_them():
    later = json.loads(json.dumps(EVALUATION))
    later["reconstruction"]["psnr_parts_db"] = {"iris": 21.26, "hair": None, "a.b": 1.0, "\n# c": 2.0}
    terms = part_terms([EVALUATION, later, {}])
    assert [term.heading for term in terms] == ["iris dB", "hair dB"]
    assert [term.text(later, "-") for term in terms] == ["21.3", "-"]
    assert [term.text(EVALUATION, "-") for term in terms] == ["-", "-"]
    assert part_terms([EVALUATION]) == ()


@pytest.fixture(scope="session")
def header(header):
    """The header of discs, with the names of parts."""
    return replace(header, truth_names={"parts": ("background", "disc")})


def with_parts(split, batch):
    """Add labels to the batches of the test split."""
    if split != "test":
        return batch
    return replace(batch, truth=batch.truth | {"parts": (batch.truth["mask"] > 127).astype(np.uint8)})


def test_the_labels_of_the_first_batches_are_read_where_a_split_has_them(make_dataset):
    source = DataSource(make_dataset(with_parts))
    found = source.parts("test", 3)
    assert found.names == ("background", "disc")
    assert found.numbers() == {"disc": 1}
    np.testing.assert_array_equal(found.labels, source.labelled("test").mask[:3] > 127)
    assert source.parts("test", 400).labels.shape == (4, 20, 24, 24)
    assert source.parts("iid", 400) is None
