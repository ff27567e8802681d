"""The likelihood of an image: what its size and its channels do to it."""

import dataclasses

import pytest
import torch

from dcign.recipes.registry import PAPER, RECIPES, SWAP, Recipe
from dcign.train.loss import negative_log_likelihood

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
    assert {name for name, recipe in RECIPES.items() if recipe.pixels} == {"swap", "vae", "beta-vae", "ada-gvae"}
    assert {recipe.pixels for recipe in RECIPES.values()} == {0, 64 * 64}
