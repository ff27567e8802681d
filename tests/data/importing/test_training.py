"""Imports can be trained: a grid with `swap`, scattered labels with `vae`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcign.data.importing.choice import Choice
from dcign.data.importing.plan import Settings
from dcign.data.importing.source_import import prepare_import, run_import
from dcign.recipes.registry import RECIPES, changed
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from tests.support import foreign_sets


@pytest.mark.parametrize(("recipe", "sizes"), [("swap", (4, 5, 6)), ("vae", (0,)), ("vae", (4, 5, 6))])
def test_an_import_can_be_trained(recipe: str, sizes: tuple[int, ...], tmp_path: Path) -> None:
    source = foreign_sets.picture_folder(tmp_path / "pictures", sizes)
    made = prepare_import(source, Choice(), Settings())
    run_import(made, tmp_path / "data", progress=lambda stage, fraction: None)
    chosen = changed(RECIPES[recipe], {"mirror": False})
    out = tmp_path / "run"
    train(TrainConfiguration(str(tmp_path / "data"), str(out), recipe=chosen, steps=2, seed=0, device="cpu"))
    assert (out / "checkpoint.safetensors").exists()
