"""The likelihood of an image: what its size and its channels do to it."""

import dataclasses

import pytest
import torch

from dcign.recipes.registry import PAPER, RECIPES, SWAP, Recipe
from dcign.train.loss import detail, negative_log_likelihood, octave_weights

SMALL = (3, 1, 64, 64)


def doubled(images: torch.Tensor) -> torch.Tensor:
    return images.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def in_colour(images: torch.Tensor) -> torch.Tensor:
    return images.expand(-1, 3, -1, -1)


def likelihoods(recipe: Recipe) -> list[torch.Tensor]:
    """Of three pictures at 64 px in gray, at 128 px, and in colour: what every number says is the same."""
    generator = torch.Generator().manual_seed(0)
    logits, images = torch.randn(SMALL, generator=generator), torch.rand(SMALL, generator=generator)
    logits, images = logits.double(), images.double()
    shown = ((logits, images), (doubled(logits), doubled(images)), (in_colour(logits), in_colour(images)))
    return [negative_log_likelihood(*pair, recipe) for pair in shown]


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_an_image_counts_for_as_many_pixels_as_the_recipe_says_at_any_size_and_in_colour(likelihood):
    small, large, colour = likelihoods(dataclasses.replace(SWAP, likelihood=likelihood))
    torch.testing.assert_close(large, small)
    torch.testing.assert_close(colour, small)


def test_of_no_number_of_pixels_every_number_counts():
    small, large, colour = likelihoods(PAPER)
    torch.testing.assert_close(large, 4 * small)
    torch.testing.assert_close(colour, 3 * small)


def test_at_64_px_in_gray_the_count_changes_no_bit():
    counted, plain = likelihoods(SWAP)[0], likelihoods(dataclasses.replace(SWAP, pixels=0))[0]
    assert torch.equal(counted, plain)


def test_what_shares_a_schedule_shares_the_weight_of_an_image():
    assert {name for name, recipe in RECIPES.items() if recipe.pixels} == {
        "swap",
        "swap-1",
        "wild",
        "vae",
        "beta-vae",
        "ada-gvae",
    }
    assert {recipe.pixels for recipe in RECIPES.values()} == {0, 64 * 64}


def random_error(size=8):
    return torch.randn(3, 1, size, size, generator=torch.Generator().manual_seed(0))


def test_octaves_and_what_is_left_are_the_whole_squared_error():
    error = random_error()
    octaves = [detail(error, [0.0] * octave + [1.0]) for octave in range(3)]
    left = 64 * error.mean((1, 2, 3)) ** 2
    torch.testing.assert_close(sum(octaves) + left, error.square().sum((1, 2, 3)))


def test_an_octave_sees_its_own_structure_alone():
    rows = torch.tensor([1.0, -1.0]).repeat(4)[:, None].expand(8, 8)[None, None]
    pairs = torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(2)[:, None].expand(8, 8)[None, None]
    assert [detail(rows, weights).item() for weights in ((1.0,), (0.0, 1.0), (0.0, 0.0, 1.0))] == [64, 0, 0]
    assert [detail(pairs, weights).item() for weights in ((1.0,), (0.0, 1.0), (0.0, 0.0, 1.0))] == [0, 64, 0]


def test_larger_images_have_finer_octaves_and_smaller_ones_lack_the_finest():
    found = {size: octave_weights((3.0, 2.0, 1.0), size) for size in (32, 64, 96, 128, 150, 256)}
    assert found[32] == [2, 1]
    assert found[64] == [3, 2, 1]
    assert found[96] == found[128] == found[150] == [3, 3, 2, 1]
    assert found[256] == [3, 3, 3, 2, 1]


@pytest.mark.parametrize("size", [7, 33, 150])
def test_a_constant_error_has_no_detail_at_any_size(size):
    assert detail(torch.ones(2, 3, size, size), (1.0, 1.0, 1.0, 1.0)).tolist() == [0, 0]


def test_the_likelihood_adds_the_detail_of_the_recipe():
    logits, images = random_error(), torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    plain = dataclasses.replace(SWAP, detail=(0.0,), pixels=0)
    fine = dataclasses.replace(plain, detail=(4.0, 4.0, 4.0, 2.0, 1.0))
    added = detail(torch.sigmoid(logits) - images, (2.0, 1.0)) / (2 * SWAP.sigma**2)
    found = negative_log_likelihood(logits, images, fine) - negative_log_likelihood(logits, images, plain)
    torch.testing.assert_close(found, added)
    assert (added > 0).all()
