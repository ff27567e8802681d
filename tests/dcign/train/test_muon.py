"""Muon: its orthogonal updates, which weights it moves, when they move."""

import dataclasses

import pytest
import torch

from dcign.network.autoencoder import AutoEncoder
from dcign.network.equivariant import Weighted
from dcign.network.halves import initialise
from dcign.recipes.registry import SWAP, SWAP_1
from dcign.train.muon import Muon, orthogonalised
from tests.support.layouts import layout_of

OF_ADAM = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}


def random_matrices(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(1, 16, 64), (2, 64, 16), (2, 48, 48)])
def test_an_update_has_singular_values_near_one_and_the_directions_of_the_matrix(shape):
    matrices = 7.0 * random_matrices(*shape)
    found = orthogonalised(matrices)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    values = torch.linalg.svdvals(found)
    assert found.shape == matrices.shape
    assert values.median().item() == pytest.approx(1, abs=0.1)
    assert values.max().item() < 1.3
    cosine = (found * (left @ right)).sum((1, 2)) / (found.norm(dim=(1, 2)) * (left @ right).norm(dim=(1, 2)))
    assert cosine.min().item() > 0.95


def test_an_update_does_not_depend_on_the_size_of_the_gradient():
    matrices = random_matrices(2, 8, 32)
    torch.testing.assert_close(orthogonalised(1e-6 * matrices), orthogonalised(1e6 * matrices), rtol=1e-3, atol=1e-3)


def test_a_gradient_of_zeros_moves_nothing():
    assert not orthogonalised(torch.zeros(1, 4, 8)).any()


def model_and_optimiser(every):
    model = AutoEncoder(SWAP, 32, 1, layout_of(SWAP).signs)
    initialise(model, 1.0, torch.Generator().manual_seed(0))
    return model, Muon(model, 0.01, 0.01, 0.9, every, **OF_ADAM)


def set_gradients(model):
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        weight.grad = torch.randn(weight.shape, generator=generator)


def test_each_matrix_moves_in_its_turn_and_every_other_weight_in_every_step():
    model, optimiser = model_and_optimiser(every=3)
    matrices = {id(layer.weight) for layer in model.modules() if isinstance(layer, Weighted)}
    assert len(matrices) == 10  # of each half: patches, one grid to the next, the dense layer, even and odd latents
    moves = {name: [] for name, _ in model.named_parameters()}
    for _ in range(6):
        before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        set_gradients(model)
        optimiser.step()
        for name, weight in model.named_parameters():
            moves[name].append(not torch.equal(weight, before[name]))
    for name, weight in model.named_parameters():
        assert sum(moves[name]) == (2 if id(weight) in matrices else 6), name


def test_a_pair_of_matrices_moves_as_the_large_matrix_of_both_copies_would():
    model, optimiser = model_and_optimiser(every=1)
    weight = model.decoder.layers[0].weight
    before = weight.detach().clone()
    set_gradients(model)
    optimiser.step()
    own, partner = (before - weight.detach()).unbind()
    values = torch.linalg.svdvals(torch.cat([torch.cat([own, partner], 1), torch.cat([partner, own], 1)]))
    assert (values.max() / values.median()).item() < 1.4


def test_adam_s_part_is_torch_s_adam():
    model, optimiser = model_and_optimiser(every=1)
    matrices = {id(layer.weight) for layer in model.modules() if isinstance(layer, Weighted)}
    names = [name for name, weight in model.named_parameters() if id(weight) not in matrices]
    other, _ = model_and_optimiser(every=1)
    theirs = torch.optim.Adam([dict(other.named_parameters())[name] for name in names], lr=0.01, fused=True)
    for _ in range(3):
        for each in (model, other):
            set_gradients(each)
        optimiser.step()
        theirs.step()
    for name in names:
        assert torch.equal(dict(model.named_parameters())[name], dict(other.named_parameters())[name]), name


def test_weights_without_a_gradient_stay_and_the_others_move():
    model, optimiser = model_and_optimiser(every=1)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    set_gradients(model)
    for weight in model.decoder.parameters():
        weight.grad = None
    optimiser.step()
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name]) is name.startswith("decoder."), name


def test_a_network_without_such_matrices_is_trained_by_adam_alone():
    recipe = dataclasses.replace(SWAP_1, optimizer="muon")
    model = AutoEncoder(recipe, 32, 1, layout_of(recipe).signs)
    optimiser = Muon(model, 0.01, 0.01, 0.9, 1, **OF_ADAM)
    assert [group["method"] for group in optimiser.param_groups] == ["Adam"]
