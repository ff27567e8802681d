"""The network: its sizes, its symmetry, its count of weights."""

import dataclasses

import pytest
import torch

from dcign.errors import TrainingError
from dcign.network.autoencoder import AutoEncoder, count_parameters
from dcign.network.halves import initialise, network_built
from dcign.recipes.registry import PAPER, RELEASED, SWAP, SWAP_1, VAE
from tests.support.layouts import layout_of

SIGNS = (-1, 1, -1)


def drawn_model(recipe, size, channels=1):
    model = AutoEncoder(recipe, size, channels, layout_of(recipe, SIGNS).signs)
    initialise(model, 1.0, torch.Generator().manual_seed(0))
    return model


@pytest.mark.parametrize("size", [32, 33, 47, 64, 100, 150, 255, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_comes_back_as_it_went_in(size, channels):
    model = drawn_model(SWAP, size, channels)
    images = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        mu, logvar = model.encode(images)
        returned = model.decode(mu)
    assert mu.shape == logvar.shape == (2, SWAP.latents)
    assert returned.shape == images.shape
    assert 0 <= float(returned.min()) <= float(returned.max()) <= 1


@pytest.mark.parametrize("size", [64, 75])
@pytest.mark.parametrize("recipe", [SWAP, SWAP_1], ids=lambda recipe: recipe.name)
def test_a_mirrored_image_has_the_mirrored_code_exactly(recipe, size):
    model = drawn_model(recipe, size)
    images = torch.rand(3, 1, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        mu, logvar = model.encode(images)
        mirrored_mu, mirrored_logvar = model.encode(images.flip(-1))
    signs = torch.tensor([*SIGNS, *[1] * (recipe.latents - 3)])
    torch.testing.assert_close(mirrored_mu, signs * mu, rtol=0, atol=1e-6)
    torch.testing.assert_close(mirrored_logvar, logvar, rtol=0, atol=1e-6)
    assert float(mu[:, [0, 2]].abs().min()) > 1e-4  # the law is not kept by saying nothing


def test_without_the_mirror_the_law_does_not_hold():
    images = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        model = drawn_model(VAE, 64)
        assert not torch.allclose(model.encode(images)[0][:, 0], -model.encode(images.flip(-1))[0][:, 0], atol=1e-3)


def test_the_papers_network_has_the_papers_weights_at_its_size_alone():
    assert count_parameters(AutoEncoder(PAPER, 150, 1, layout_of(PAPER, SIGNS).signs)) == 5_392_945
    assert network_built("paper", 150) == "paper"
    assert network_built("paper", 64) == "strided"


def test_the_released_code_s_network_has_its_weights_at_its_size_alone():
    assert count_parameters(AutoEncoder(RELEASED, 150, 1, layout_of(RELEASED, SIGNS).signs)) == 4_131_137
    assert network_built("released", 64) == "strided"


@pytest.mark.parametrize("recipe", [PAPER, RELEASED], ids=lambda recipe: recipe.name)
def test_the_papers_networks_return_their_150_pixels(recipe):
    model = drawn_model(dataclasses.replace(recipe, latents=8), 150)
    with torch.no_grad():
        mu, _ = model.encode(torch.rand(1, 1, 150, 150, generator=torch.Generator().manual_seed(1)))
        assert model.decode(mu).shape == (1, 1, 150, 150)


def test_the_networks_are_small_at_64_pixels():
    assert 1_000_000 < count_parameters(AutoEncoder(SWAP_1, 64, 1, layout_of(SWAP_1, SIGNS).signs)) < 2_500_000
    assert 500_000 < count_parameters(AutoEncoder(SWAP, 64, 1, layout_of(SWAP, SIGNS).signs)) < 2_500_000


@pytest.mark.parametrize("gain", [1.0, 2.8])
def test_first_weights_have_the_variance_that_the_gain_says(gain):
    model = AutoEncoder(SWAP_1, 64, 1, layout_of(SWAP_1, SIGNS).signs)
    initialise(model, gain, torch.Generator().manual_seed(0))
    hidden = model.encoder.hidden
    assert hidden.weight.var().item() * hidden.in_features == pytest.approx(gain, rel=0.01)
    assert not hidden.bias.any()


def test_the_default_gain_keeps_the_size_of_what_passes_through_the_network():
    """Root mean square before the sixth nonlinearity, of an input of 1: about 2, where a gain of 1 leaves a tenth."""
    images = torch.randn(8, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    for gain, least, most in ((SWAP_1.gain, 0.5, 3), (1.0, 0.01, 0.2)):
        model = AutoEncoder(SWAP_1, 64, 1, layout_of(SWAP_1, SIGNS).signs)
        initialise(model, gain, torch.Generator().manual_seed(0))
        seen = []
        model.encoder.hidden.register_forward_hook(lambda layer, inputs, output, seen=seen: seen.append(output))
        with torch.no_grad():
            model.encode(images)
        assert least < seen[0].square().mean().sqrt().item() < most


def test_an_activation_is_of_the_strided_network():
    """Rectified features are never negative; SiLU's are, down to -.28."""
    for activation, least in (("relu", 0.0), ("silu", -0.279)):
        model = AutoEncoder(
            dataclasses.replace(SWAP_1, activation=activation),
            64,
            1,
            layout_of(SWAP_1, SIGNS).signs,
        )
        features = model.encoder.activate(torch.linspace(-5, 5, 1001))
        assert features.min().item() == pytest.approx(least, abs=1e-3)


@pytest.mark.parametrize("size", [16, 27, 257, 1024])
def test_a_size_beyond_the_network_is_refused(size):
    with pytest.raises(TrainingError, match=f"expected images of 28 to 256 px, found {size} px"):
        AutoEncoder(SWAP, size, 1, layout_of(SWAP, SIGNS).signs)
