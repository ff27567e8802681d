"""Re-rendering, invariance, identification and SSIM, on a network that is right or has a known fault."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.evaluate.codes import Codes
from dcign.evaluate.identification import identify, right_share
from dcign.evaluate.pictures.rerendering import invariance_curve, measure_sweep
from dcign.evaluate.sweeps import sweep_of
from dcign.inputs.source import LabelledBatches
from dcign.metrics import psnr_decibels, structural_similarity
from dcign.trained.calibration import calibrate

PEOPLE, LEVELS, SIZE = 6, 9, 16
ANGLES = np.linspace(-80, 80, LEVELS)


class Reader:
    """In place of a network: latent 0 is the brightness of the upper half, 1 and 2 those of the lower half's sides."""

    def __init__(self, leak=0.0):
        self.leak = leak

    def encode(self, images, progress=lambda done: None):
        upper, left, right = _brightness(images / 255)
        progress(1.0)
        codes = np.stack([upper, left, right + self.leak * upper], axis=1).astype(np.float32)
        return codes, np.zeros_like(codes)

    def decode(self, codes, progress=lambda done: None):
        return paint(codes[:, 0], codes[:, 1], codes[:, 2] - self.leak * codes[:, 0]).astype(np.float32)


def _brightness(pictures):
    half = SIZE // 2
    parts = (np.s_[:half], np.s_[half:, :half], np.s_[half:, half:])
    return (2 * pictures[(slice(None), *(part if isinstance(part, tuple) else (part,)))].mean((1, 2, 3)) - 1
            for part in parts)  # fmt: skip


def paint(upper, left, right):
    pictures = np.empty((len(upper), SIZE, SIZE, 1))
    half = SIZE // 2
    for part, values in ((np.s_[:, :half], upper), (np.s_[:, half:, :half], left), (np.s_[:, half:, half:], right)):
        pictures[part] = (values[:, None, None, None] + 1) / 2
    return pictures


@pytest.fixture
def sweep():
    """A split of one factor's levels, the same people at each; a mask over the upper half."""
    rng = np.random.default_rng(1)
    people = rng.uniform(-0.8, 0.8, (2, PEOPLE))
    images = np.stack([paint(np.full(PEOPLE, angle / 90), *people) for angle in ANGLES])
    factors = np.zeros((LEVELS, PEOPLE, 2), np.float32)
    factors[:, :, 0] = ANGLES[:, None]
    mask = np.zeros((LEVELS, PEOPLE, SIZE, SIZE), np.uint8)
    mask[:, :, : SIZE // 2] = 255
    return LabelledBatches((images * 255).round().astype(np.uint8), factors, np.full(LEVELS, 2), mask)


@pytest.fixture
def fit():
    codes = np.linspace(-1, 1, 500)
    return calibrate("azimuth", 0, codes, 90 * codes)


INTRINSIC = np.array([1, 2])


def test_a_right_latent_re_renders_as_well_as_it_reconstructs(sweep, fit):
    fractions = []
    found, _ = measure_sweep(Reader(), sweep, 0, fit, INTRINSIC, fractions.append)
    assert 45 < found.psnr_db <= found.reconstruction_psnr_db  # but for 8 bits
    assert found.ssim > 0.99
    assert found.degrees == (-80, 80)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_a_latent_that_is_not_the_factor_leaves_the_picture_as_it_was(sweep, fit):
    wrong = calibrate("azimuth", 1, np.linspace(-1, 1, 500), 90 * np.linspace(-1, 1, 500))
    found, _ = measure_sweep(Reader(), sweep, 0, wrong, INTRINSIC)
    rest = sweep.images[LEVELS // 2] / 255  # latent 1 is set, but the mask covers the upper half alone
    copied = [
        psnr_decibels(rest - truth / 255, mask / 255) for truth, mask in zip(sweep.images, sweep.mask, strict=True)
    ]
    away = np.delete(copied, LEVELS // 2, axis=0).mean()
    assert found.psnr_db == pytest.approx((away * (LEVELS - 1) + 120) / LEVELS, abs=0.1)  # 120: no error at all
    assert found.reconstruction_psnr_db > 45
    assert found.copy_psnr_db == pytest.approx(away, abs=1e-3)  # of the other levels: at rest a copy is exact
    rest_alone, _ = measure_sweep(Reader(), sweep.chosen(np.array([LEVELS // 2])), 0, wrong, INTRINSIC)
    assert np.isnan(rest_alone.copy_psnr_db)


def test_invariant_latents_have_a_cosine_of_one_and_leaking_ones_less(sweep, fit):
    _, still = measure_sweep(Reader(), sweep, 0, fit, INTRINSIC)
    np.testing.assert_allclose(still.cosine, 1, atol=1e-3)
    assert still.others < 0.9
    np.testing.assert_allclose(still.inferred, ANGLES, atol=1)
    _, moving = measure_sweep(Reader(leak=2.0), sweep, 0, fit, INTRINSIC)
    assert moving.cosine[LEVELS // 2] == pytest.approx(1, abs=1e-6)  # with itself
    assert max(moving.cosine[0], moving.cosine[-1]) < 0.8
    low, mean, high = (np.array(each) for each in (moving.cosine_low, moving.cosine, moving.cosine_high))
    assert (low <= mean + 1e-9).all()
    assert (mean <= high + 1e-9).all()


def test_a_code_without_intrinsic_latents_has_no_cosine(fit):
    found = invariance_curve(ANGLES, np.zeros((LEVELS, PEOPLE, 3)), fit, np.array([], np.intp))
    assert np.isnan(found.cosine).all()
    assert np.isnan(found.others)
    assert np.isnan(invariance_curve(ANGLES, np.zeros((LEVELS, 1, 3)), fit, INTRINSIC).cosine).all()


def test_a_chosen_level_keeps_its_own_mask(sweep):
    sweep.mask[3] = 7
    found = sweep_of(sweep, 0).chosen(np.array([3]))
    assert found.levels.tolist() == [ANGLES[3].astype(np.float32)]
    assert (found.mask == 7).all()
    np.testing.assert_array_equal(found.images[0], sweep.images[3])


def people_turned(rng, leak=0.0, people=40, size=20):
    """Codes of batches in which factor 0 varies, one person each: latents 1 to 5 are the identity and the leakage."""
    factors = rng.uniform(-86, 86, (people, size, 1)).astype(np.float32)
    who = rng.normal(size=(people, 1, 5)) + leak * factors / 86 * np.array([1, 1, 0, 0, 0])
    mu = np.concatenate([factors / 86, who], axis=2)
    return Codes(mu, np.zeros_like(mu), factors, np.zeros(people, np.int64))


def test_people_are_matched_across_sixty_degrees_unless_the_pose_leaks():
    rng = np.random.default_rng(0)
    found = identify(people_turned(rng), 0, "azimuth", np.arange(1, 6))
    assert (found.people, found.right, found.chance) == (40, 1.0, 1 / 40)
    leaking = identify(people_turned(rng, leak=20.0), 0, "azimuth", np.arange(1, 6))
    assert leaking.right < 0.7
    assert identify(people_turned(rng, people=100), 0, "azimuth", np.arange(1, 6)).people == 70


def test_nobody_is_matched_if_the_range_is_narrow_or_people_are_few():
    rng = np.random.default_rng(0)
    narrow = people_turned(rng)
    narrow.factors[:] /= 5
    assert identify(narrow, 0, "elevation", np.arange(1, 6)) is None
    assert identify(people_turned(rng, people=1), 0, "azimuth", np.arange(1, 6)) is None
    assert identify(people_turned(rng), 1, "elevation", np.arange(1, 6)) is None  # no batch of that kind


def test_codes_without_information_are_right_by_chance():
    assert right_share(np.zeros((50, 4)), np.zeros((50, 4))) == pytest.approx(1 / 50)
    assert right_share(np.ones((50, 4)), np.ones((50, 4))) == pytest.approx(1 / 50)
    rng = np.random.default_rng(0)
    assert right_share(rng.normal(size=(400, 4)), rng.normal(size=(400, 4))) < 0.02


def naive_similarity(x, y, mask):
    """SSIM pixel by pixel: (S, S), (S, S), (S, S) -> a number."""
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(window, window) / np.outer(window, window).sum()
    a, b = np.pad(x, 5, mode="symmetric"), np.pad(y, 5, mode="symmetric")
    values = np.empty(x.shape)
    for row, column in np.ndindex(x.shape):
        p, q = (each[row : row + 11, column : column + 11] for each in (a, b))
        mp, mq = (window * p).sum(), (window * q).sum()
        vp, vq, shared = (
            (window * p * p).sum() - mp**2,
            (window * q * q).sum() - mq**2,
            (window * p * q).sum() - mp * mq,
        )
        values[row, column] = (2 * mp * mq + 1e-4) * (2 * shared + 9e-4) / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4))
    return (values * mask).sum() / mask.sum()


def test_the_structural_similarity_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    x, y, mask = rng.uniform(size=(3, 2, 12, 12))
    found = structural_similarity(x[..., None], y[..., None], mask)
    np.testing.assert_allclose(found, [naive_similarity(*each) for each in zip(x, y, mask, strict=True)], atol=1e-5)
    np.testing.assert_allclose(structural_similarity(x[..., None], x[..., None]), 1, atol=1e-6)
    two = np.stack([x, y], axis=-1)
    halves = [structural_similarity(two[..., [c]], two[..., ::-1][..., [c]]) for c in range(2)]
    np.testing.assert_allclose(structural_similarity(two, two[..., ::-1]), np.mean(halves, axis=0), atol=1e-6)
