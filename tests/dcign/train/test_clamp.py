"""The clamp: who gives what to whom, and which gradient comes back."""

import dataclasses

import numpy as np
import pytest
import torch

from dcign.network.autoencoder import AutoEncoder, sample
from dcign.network.halves import initialise
from dcign.recipes.registry import ADA_GVAE, PAPER, VAE
from dcign.train.clamp import (
    active_latents,
    clamp,
    donor_reference,
    draw_donors,
    invariance,
    reference_of,
)
from dcign.train.loss import negative_log_likelihood, terms
from tests.support.layouts import layout_of

FACTORS, LATENTS = 3, 7
RULE = dataclasses.replace(PAPER, latents=LATENTS, network="strided")
LAYOUT = layout_of(RULE)
ACTIVE = active_latents(RULE, LAYOUT)
BLOCKS = torch.tensor(LAYOUT.block_of_latent)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_each_kind_of_batch_frees_its_own_latents_and_the_kinds_share_them_out():
    assert ACTIVE.sum(dim=0).tolist() == [1] * LATENTS
    assert ACTIVE.sum(dim=1).tolist() == [1, 1, 1, LATENTS - FACTORS]


def test_a_plain_vae_clamps_nothing():
    assert bool(active_latents(VAE, layout_of(VAE)).all())


def test_without_labels_nothing_is_known_to_vary():
    assert not bool(active_latents(ADA_GVAE, layout_of(ADA_GVAE)).any())


@pytest.mark.parametrize("images", [2, 5, 8, 20])
def test_donors_are_one_cycle_so_nobody_gives_to_itself(images):
    donors = draw_donors(6, images, 4, torch.Generator().manual_seed(1))
    for group in range(6):
        for block in range(4):
            giver, seen = 0, set()
            while giver not in seen:
                seen.add(giver)
                giver = int(donors[group, giver, block])
            assert len(seen) == images


def test_every_block_of_every_group_is_permuted_on_its_own():
    donors = draw_donors(4, 20, 4, torch.Generator().manual_seed(1))
    columns = {tuple(donors[group, :, block].tolist()) for group in range(4) for block in range(4)}
    assert len(columns) == 16


def test_an_active_latent_keeps_its_own_value_and_a_block_travels_whole():
    z = drawn(4, 5, LATENTS)
    donors = draw_donors(4, 5, FACTORS + 1, torch.Generator().manual_seed(2))
    code = clamp(z, donor_reference(z, donors, BLOCKS), ACTIVE[:, None])
    for kind in range(FACTORS + 1):
        for image in range(5):
            for latent in range(LATENTS):
                block = int(BLOCKS[latent])
                giver = image if block == kind else int(donors[kind, image, block])
                assert code[kind, image, latent] == z[kind, giver, latent]


def test_all_kinds_at_once_are_each_kind_alone():
    z = drawn(4, 5, LATENTS)
    together = clamp(z, reference_of(RULE, z, z, BLOCKS), ACTIVE[:, None])
    for kind in range(FACTORS + 1):
        alone = clamp(z[kind : kind + 1], reference_of(RULE, z[kind : kind + 1], z, BLOCKS), ACTIVE[kind][None, None])
        assert torch.equal(together[kind : kind + 1], alone)


def test_gradient_reaches_the_donor_and_never_the_mean():
    z = drawn(1, 4, LATENTS).requires_grad_()
    donors = draw_donors(1, 4, FACTORS + 1, torch.Generator().manual_seed(3))
    clamp(z, donor_reference(z, donors, BLOCKS), ACTIVE[:1, None]).sum().backward()
    assert torch.equal(z.grad, torch.ones_like(z))
    z.grad = None
    clamp(z, reference_of(RULE, z, donors, BLOCKS), ACTIVE[:1, None]).sum().backward()
    assert torch.equal(z.grad, ACTIVE[:1, None].expand_as(z).to(z.dtype))


def test_the_papers_gradient_is_the_one_written_by_hand():
    """x -> tanh(x A) = z -> clamped -> z B = y, loss |y - x|^2 / 2 summed; every derivative by the chain rule."""
    x, encoder, decoder = drawn(4, 6, 9, seed=1), drawn(9, LATENTS, seed=2), drawn(LATENTS, 9, seed=3)
    encoder.requires_grad_()
    decoder.requires_grad_()
    z = torch.tanh(x @ encoder)
    code = clamp(z, reference_of(RULE, z, z, BLOCKS), ACTIVE[:, None])
    loss = (code @ decoder - x).square().sum() / 2 + 0.01 * invariance(z, ACTIVE[:, None]).sum()
    loss.backward()

    images, a, b = x.numpy(), encoder.detach().numpy(), decoder.detach().numpy()
    active = ACTIVE[:, None].numpy()
    by_hand = np.tanh(images @ a)
    mean = by_hand.mean(axis=1, keepdims=True)
    clamped = np.where(active, by_hand, mean)
    error = clamped @ b - images
    gradient_z = np.where(active, error @ b.T, (by_hand - mean) / 100)  # the paper's replacement
    gradient_a = np.einsum("gni,gnz->iz", images, gradient_z * (1 - by_hand**2))
    gradient_b = np.einsum("gnz,gni->zi", clamped, error)
    np.testing.assert_allclose(encoder.grad.numpy(), gradient_a, rtol=1e-12)
    np.testing.assert_allclose(decoder.grad.numpy(), gradient_b, rtol=1e-12)


def test_the_papers_gradient_holds_through_the_whole_network():
    """The paper's backward pass done in two: to the code, there replaced, and on through the encoder."""
    recipe = dataclasses.replace(RULE, beta=0.0)
    model = AutoEncoder(recipe, 32, 1, layout_of(recipe).signs).double()
    initialise(model, 1.0, torch.Generator().manual_seed(0))
    images = torch.sigmoid(drawn(4, 5, 1, 32, 32))
    active = ACTIVE[:, None]
    noise, donors = drawn(4, 5, LATENTS, seed=4), torch.zeros(4, 5, 4, dtype=torch.long)
    terms(model, recipe, images, active, BLOCKS, noise, donors, 0.01)[0].backward()
    found = {name: weight.grad.clone() for name, weight in model.named_parameters()}

    model.zero_grad()
    flat = images.flatten(0, 1)
    mu, logvar = model.encode(flat)
    z = sample(mu, logvar, noise.flatten(0, 1))
    mean = z.detach().view(4, 5, -1).mean(dim=1, keepdim=True).expand(4, 5, -1).flatten(0, 1)
    free = active.expand(4, 5, -1).flatten(0, 1)
    code = torch.where(free, z.detach(), mean).requires_grad_()
    negative_log_likelihood(model.logits(code), flat, recipe).mean().backward()
    # The loss is a mean over 20 images, so the paper's 1/100 of a sum is 1/100 of a twentieth here.
    z.backward(torch.where(free, code.grad, (z.detach() - mean) / 100 / 20))
    for name, weight in model.named_parameters():
        torch.testing.assert_close(found[name], weight.grad, rtol=1e-5, atol=1e-7)
