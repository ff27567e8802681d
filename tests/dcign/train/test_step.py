"""A step as a GPU captures it: one graph for all steps and kinds, no number fetched by the host."""

from __future__ import annotations

import pytest
import torch
from torch._dynamo.utils import counters
from torch.utils._python_dispatch import TorchDispatchMode

from dcign.recipes.registry import ADA_GVAE, RELEASED, SWAP, changed
from dcign.run.configuration import TrainConfiguration
from dcign.train import trainer
from dcign.train.distributed import ALONE, Ranks
from dcign.train.loss import compile_step
from dcign.train.trainer import Trainer
from tests.support.processes import DESCRIPTION, noise

RECIPES = [changed(SWAP, {"images": 2, "pretrain_steps": 1}), RELEASED, ADA_GVAE]


def trainer_of(recipe, folder):
    settings = {"seed": 0, "ratio": (1.0, 1.0, 1.0), "precision": "float32"}
    ranks = Ranks(torch.device("cpu"), torch.float32, ALONE)
    return Trainer(noise(), DESCRIPTION, TrainConfiguration("noise", str(folder), recipe, 9, **settings), ranks)


def stepped(run):
    values = run.step()
    run.state.step += 1
    return values


class NoHostNumbers(TorchDispatchMode):
    """Fails where the host would wait for a number, or shapes would follow from data."""

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        name = str(function)
        assert "_local_scalar_dense" not in name, name
        assert "nonzero" not in name, name
        return function(*arguments, **(named or {}))


@pytest.mark.parametrize("recipe", [RECIPES[0], ADA_GVAE], ids=lambda recipe: recipe.name)
def test_a_step_is_one_graph_that_serves_all_steps_and_computes_the_same(recipe, tmp_path, monkeypatch):
    plain = trainer_of(recipe, tmp_path)
    torch._dynamo.reset()
    counters.clear()
    compiling = {"backend": "eager", "fullgraph": True, "dynamic": False}
    monkeypatch.setattr(trainer, "compile_step", lambda loss, device: torch.compile(loss, **compiling))
    compiled = trainer_of(recipe, tmp_path)  # Fabric compiles anew what it wraps
    for _ in range(4):
        torch.testing.assert_close(stepped(compiled), stepped(plain), rtol=1e-5, atol=1e-6)
    assert counters["stats"]["unique_graphs"] == 1


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_loss_and_its_gradient_fetch_no_number(recipe, tmp_path):
    run = trainer_of(recipe, tmp_path)
    fed = run.feed(0)
    inputs = (*fed, torch.tensor(False), torch.tensor(1.0))
    with NoHostNumbers():
        run.loss.module(*inputs)[0].backward()


def test_a_cpu_never_captures():
    loss = torch.nn.Linear(1, 1)
    assert compile_step(loss, torch.device("cpu")) is loss
