"""The laws of fine structure and of multi-scale SSIM, and their slow twins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from dcign.metrics import detail_sums, explained_share, inside_outline, multiscale_similarity, structural_similarity
from dcign.metrics.images import SCALE_WEIGHTS, detail, number_of_scales

TAPS = np.array([1, 4, 6, 4, 1])


def pictures(count=3, size=64, channels=1, seed=0):
    """Smooth shapes with fine structure on them, 0..1: (N, S, S, C)."""
    rng = np.random.default_rng(seed)
    coarse, fine = rng.uniform(size=(2, count, size, size, channels))
    width = size / 64
    coarse = gaussian_filter(coarse, (0, 8 * width, 8 * width, 0)) * 8
    return np.clip(coarse - 3.5 + 0.3 * (gaussian_filter(fine, (0, width / 2, width / 2, 0)) - 0.5), 0, 1)


def explained(truth, found, inside=None):
    return explained_share(*detail_sums(truth, found, inside))


def test_a_perfect_reconstruction_explains_all_detail():
    truth = pictures()
    assert explained(truth, truth) == 1


def test_a_constant_explains_none_and_a_blurred_picture_hardly_any():
    truth = pictures()
    assert explained(truth, np.full_like(truth, 0.5)) == pytest.approx(0, abs=1e-12)
    assert 0 <= explained(truth, gaussian_filter(truth, (0, 3, 3, 0))) < 0.1


def test_detail_in_the_wrong_place_counts_against_a_picture():
    truth = pictures()
    assert explained(truth, np.roll(truth, 5, axis=2)) < -0.5
    noise = np.random.default_rng(1).normal(size=truth.shape)
    shares = [explained(truth, truth + scale * noise) for scale in (0.05, 0.1, 0.2)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0
    lost = 1 - np.array(shares)
    np.testing.assert_allclose(lost / lost[0], [1, 4, 16])  # the loss is the power of the noise


def test_brightness_and_slow_shading_are_no_detail():
    truth = pictures()
    ramp = np.linspace(0, 0.2, 64)[:, None, None]
    assert explained(truth, truth + 0.3 + ramp) > 0.999


def test_only_pixels_inside_count():
    truth = pictures()
    inside = np.zeros(truth.shape[:3], bool)
    inside[:, 20:40, 20:40] = True
    wrong = np.where(inside[..., None], truth, 0.5)
    wrong[:, 17:43, 17:43] = truth[:, 17:43, 17:43]  # the blur reaches two pixels beyond
    assert explained(truth, wrong, inside) == 1
    assert explained(truth, wrong) < 0.9
    assert np.isnan(explained(truth, truth, np.zeros_like(inside)))
    assert np.isnan(explained(np.full_like(truth, 0.5), truth * 0))


def test_channels_count_as_pixels_do():
    truth, found = pictures(channels=3), pictures(channels=3, seed=1)
    apart = [detail_sums(truth[..., [c]], found[..., [c]]) for c in range(3)]
    np.testing.assert_allclose(detail_sums(truth, found), np.sum(apart, axis=0))


def test_the_blur_at_64_px_is_the_5_x_5_binomial():
    image = pictures(1)
    padded = np.pad(image[0, ..., 0], 2, mode="edge")
    kernel = np.outer(TAPS, TAPS) / 256
    blurred = [[(padded[y : y + 5, x : x + 5] * kernel).sum() for x in range(64)] for y in range(64)]
    np.testing.assert_allclose(detail(image)[0, ..., 0], image[0, ..., 0] - blurred, atol=1e-12)


def test_the_same_picture_has_the_same_detail_at_every_size():
    small = gaussian_filter(pictures(2), (0, 0.7, 0.7, 0))  # no structure at the limit of 64 px
    large = zoom(small, (1, 2.5, 2.5, 1), order=3, grid_mode=True, mode="nearest")
    energy, enlarged = (np.square(detail(each)).mean() for each in (small, large))
    assert enlarged == pytest.approx(energy, rel=0.25)


@pytest.mark.parametrize(("size", "margin"), [(64, 3), (128, 6), (32, 2), (8, 1)])
def test_pixels_near_the_outline_are_left_out_but_not_those_at_the_border(size, margin):
    mask = np.ones((1, size, size), np.float32)
    mask[0, :, size // 2 :] = 0.98
    expected = np.zeros((1, size, size), bool)
    expected[0, :, : size // 2 - margin] = True
    np.testing.assert_array_equal(inside_outline(mask), expected)


def naive_terms(x, y):
    """The luminance and the contrast-structure term of SSIM, pixel by pixel: (H, W) each."""
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(window, window) / np.outer(window, window).sum()
    a, b = np.pad(x, 5, mode="symmetric"), np.pad(y, 5, mode="symmetric")
    luminance, structure = np.empty((2, *x.shape))
    for row, column in np.ndindex(x.shape):
        p, q = (each[row : row + 11, column : column + 11] for each in (a, b))
        mp, mq = (window * p).sum(), (window * q).sum()
        luminance[row, column] = (2 * mp * mq + 1e-4) / (mp**2 + mq**2 + 1e-4)
        shared = (window * (p - mp) * (q - mq)).sum()
        spread = (window * (p - mp) ** 2).sum() + (window * (q - mq) ** 2).sum()
        structure[row, column] = (2 * shared + 9e-4) / (spread + 9e-4)
    return luminance, structure


def naive_multiscale(x, y, mask, scales):
    """The published product, written out: (S, S) each -> a number."""
    exponents = np.array(SCALE_WEIGHTS[:scales]) / sum(SCALE_WEIGHTS[:scales])
    product = 1.0
    for scale in range(scales):
        luminance, structure = naive_terms(x, y)
        term = luminance * structure if scale == scales - 1 else structure
        product *= ((term * mask).sum() / mask.sum()) ** exponents[scale]
        x, y, mask = (
            np.array([[each[i : i + 2, j : j + 2].mean() for j in range(0, len(each) - 1, 2)]
                      for i in range(0, len(each) - 1, 2)])
            for each in (x, y, mask)
        )  # fmt: skip
    return product


@pytest.mark.parametrize(("size", "scales"), [(24, 2), (45, 3)])
def test_the_multiscale_similarity_is_that_of_its_definition(size, scales):
    truth = pictures(2, size)
    found = gaussian_filter(truth, (0, 1, 1, 0)) + 0.05
    mask = np.random.default_rng(2).uniform(size=(2, size, size))
    expected = [naive_multiscale(x[..., 0], y[..., 0], m, scales) for x, y, m in zip(truth, found, mask, strict=True)]
    assert max(expected) < 0.95
    np.testing.assert_allclose(multiscale_similarity(truth, found, mask), expected, atol=1e-4)


def test_the_multiscale_similarity_of_equal_pictures_is_one_and_falls_with_noise():
    truth, noise = pictures(channels=3), np.random.default_rng(1).normal(size=(3, 64, 64, 3))
    found = [multiscale_similarity(truth, truth + scale * noise).mean() for scale in (0, 0.05, 0.2)]
    assert found[0] == pytest.approx(1, abs=1e-6)
    assert found == sorted(found, reverse=True)
    assert multiscale_similarity(truth, 1 - truth).max() == 0  # negative correlation at one scale or more


def test_the_multiscale_similarity_has_as_many_scales_as_fit():
    assert sum(SCALE_WEIGHTS) == pytest.approx(1, abs=2e-4)
    assert [number_of_scales(size) for size in (8, 32, 64, 96, 150, 175, 176, 512)] == [1, 2, 3, 4, 4, 4, 5, 5]
    truth, found = pictures(2, 16), pictures(2, 16, seed=1)
    np.testing.assert_allclose(
        multiscale_similarity(truth, found), np.maximum(structural_similarity(truth, found), 0), atol=1e-6
    )
