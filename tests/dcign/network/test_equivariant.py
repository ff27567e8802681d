"""Layers that commute with the mirror: exactly, whatever their weights, on both ways of computing a convolution."""

import dataclasses

import pytest
import torch
from torch.nn import functional

from dcign.network import equivariant
from dcign.network.autoencoder import AutoEncoder
from dcign.network.equivariant import Dense, Down, Up, added, windows
from dcign.network.halves import initialise
from dcign.recipes.registry import SWAP
from tests.support.layouts import layout_of

SIGNS = (-1, 1, -1)


def random_values(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def drawn(layer):
    layer.initialise(2.0, torch.Generator().manual_seed(3))
    with torch.no_grad():
        layer.bias.copy_(random_values(*layer.bias.shape, seed=4))
    return layer


def mirrored(features):
    """Return the features of the mirrored images: copies change places."""
    first, second = features.chunk(2)
    return torch.cat([second, first])


LAYERS = {
    "down": (lambda: drawn(Down(2, 6, 10, 4)), (4, 6, 8, 8)),
    "up": (lambda: drawn(Up(2, 6, 10, 4)), (4, 6, 4, 4)),
    "dense": (lambda: drawn(Dense(2, 6, 10)), (4, 6)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_commutes_with_the_mirror(name):
    build, shape = LAYERS[name]
    layer, features = build(), random_values(*shape)
    with torch.no_grad():
        found, other = layer(features), layer(mirrored(features))
    torch.testing.assert_close(mirrored(found), other, rtol=0, atol=1e-5)
    assert not torch.allclose(found, other, atol=1e-2)


@pytest.mark.parametrize("name", ["down", "up"])
@pytest.mark.parametrize("kernel", [4, 8])
def test_products_and_pytorchs_convolutions_agree_in_values_and_gradients(monkeypatch, name, kernel):
    layer = drawn((Down if name == "down" else Up)(2, 6, 10, kernel))
    seen = []
    for by_products in (True, False):
        monkeypatch.setattr(equivariant, "_by_products", lambda *_, by=by_products: by)
        features = random_values(4, 6, 16, 16).requires_grad_()
        layer.zero_grad()
        found = layer(features)
        (found * random_values(*found.shape, seed=9)).sum().backward()
        seen.append((found, features.grad, layer.weight.grad.clone(), layer.bias.grad.clone()))
    for ours, theirs in zip(*seen, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)


def test_windows_of_patches_and_small_grids_are_multiplied_here_and_large_grids_by_pytorch():
    features = torch.zeros(1, 1, 1, 1)
    chosen = {(grid, kernel): equivariant._by_products(features, grid, kernel) for grid in (8, 40) for kernel in (4, 8)}
    assert chosen == {(8, 4): True, (8, 8): True, (40, 4): False, (40, 8): True}
    assert not equivariant._by_products(features.to("meta"), 8, 8)


@pytest.mark.parametrize("name", ["down", "up"])
@pytest.mark.parametrize("copies", [1, 2])
def test_gradients_are_those_of_finite_differences(name, copies):
    layer = drawn((Down if name == "down" else Up)(copies, 2, 3, 4)).double()
    features = random_values(2 * copies, 2, 4, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda values, weight, bias: torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (values,)),
        (features, layer.weight, layer.bias),
    )


@pytest.mark.parametrize("kernel", [4, 8])
def test_adding_windows_is_the_transpose_of_taking_them(kernel):
    features = random_values(2, 16, 16, 3, dtype=torch.float64)
    seen = windows(features, kernel)
    values = random_values(*seen.shape, seed=1, dtype=torch.float64)
    grid = 2 * 16 // kernel
    back = added(values, 2, grid, grid, kernel)
    torch.testing.assert_close((seen * values).sum(), (features * back).sum())


def test_windows_are_those_of_unfold():
    features = random_values(2, 12, 12, 3)
    theirs = functional.unfold(features.permute(0, 3, 1, 2), 4, padding=1, stride=2)  # (N, C k k, places)
    ours = windows(features, 4).view(2, 36, 16, 3).permute(0, 3, 2, 1).flatten(1, 2)
    torch.testing.assert_close(ours, theirs)


def model_of(size, channels=1, signs=SIGNS, **changes):
    recipe = dataclasses.replace(SWAP, **changes)
    model = AutoEncoder(recipe, size, channels, layout_of(recipe, signs).signs)
    initialise(model, SWAP.gain, torch.Generator().manual_seed(0))
    return model


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (33, 3), (64, 1), (75, 1), (150, 1), (255, 3), (256, 1)])
def test_both_halves_are_equivariant_at_any_size(size, channels):
    model = model_of(size, channels)
    images = torch.rand(3, channels, size, size, generator=torch.Generator().manual_seed(1))
    code = random_values(3, SWAP.latents)
    with torch.no_grad():
        mu, logvar = model.encode(images)
        mirrored_mu, mirrored_logvar = model.encode(images.flip(-1))
        picture, mirrored_picture = model.logits(code), model.logits(model.signs * code)
    torch.testing.assert_close(mirrored_mu, model.signs * mu, rtol=0, atol=1e-5)
    torch.testing.assert_close(mirrored_logvar, logvar, rtol=0, atol=1e-5)
    torch.testing.assert_close(mirrored_picture, picture.flip(-1), rtol=0, atol=1e-4)
    assert picture.shape == images.shape
    assert not torch.allclose(picture, picture.flip(-1), atol=1e-2)


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, -1)])
def test_factors_that_a_mirror_keeps_alone_or_negates_alone_are_possible(signs):
    model = model_of(32, signs=signs, latents=5)
    mu, _ = model.encode(torch.rand(2, 1, 32, 32))
    assert model.decode(mu).shape == (2, 1, 32, 32)


def test_only_a_normalised_encoder_does_not_depend_on_the_size_of_its_features():
    images = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    for normalised in (True, False):
        model = model_of(64, encoder_norm=normalised)
        with torch.no_grad():
            mu, _ = model.encode(images)
            model.encoder.patches.weight *= 3
            scaled, _ = model.encode(images)
        assert torch.allclose(mu, scaled, atol=1e-2) is normalised


def test_without_the_mirror_the_network_is_a_plain_one():
    model = model_of(64, mirror=False)
    images = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        mu, mirrored_mu = (model.encode(each)[0] for each in (images, images.flip(-1)))
    assert not torch.allclose(mirrored_mu, model.signs * mu, atol=1e-2)
    assert all(weight.grad is not None for weight in trained_once(model, images).parameters())


def test_every_weight_of_the_equivariant_network_is_trained():
    images = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    for name, weight in trained_once(model_of(64), images).named_parameters():
        assert weight.grad.abs().max() > 0, name


def trained_once(model, images):
    mu, logvar = model.encode(images)
    (model.decode(mu + 0.1 * logvar).square().sum() + logvar.sum()).backward()
    return model
