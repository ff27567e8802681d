"""The configuration of a run, from the options of the command line."""

from __future__ import annotations

import dataclasses

import pytest

from dcign.errors import TrainingError
from dcign.recipes.registry import SWAP, VAE
from dcign.run import configuration as run_configuration
from dcign.run.configuration import ImageDescription, TrainConfiguration

DESCRIPTION = ImageDescription(32, 1, ("azimuth", "elevation"), ("degree", "degree"), (-1, 1), "none")


def recorded(out):
    configuration = TrainConfiguration.from_options(out=out, recipe="vae", steps=5, seed=3)
    out.mkdir()
    run_configuration.write(configuration, DESCRIPTION)
    return configuration


def test_without_options_a_run_is_the_default_recipe_on_the_default_folders():
    assert TrainConfiguration.from_options() == TrainConfiguration(
        data="faces", out="runs/swap", recipe=SWAP, steps=SWAP.steps, seed=0
    )


def test_options_change_the_recipe_and_name_the_folder():
    found = TrainConfiguration.from_options(
        "chairs", recipe="vae", settings=["beta=2"], pretrain=7, steps=90, seed=None
    )
    assert found.recipe == dataclasses.replace(VAE, name="vae,pretrain_steps=7,beta=2", beta=2.0, pretrain_steps=7)
    assert (found.data, found.out, found.steps, found.seed) == ("chairs", f"runs/{found.recipe.name}", 90, 0)


def test_a_resumed_run_keeps_what_is_not_given(tmp_path):
    before = recorded(tmp_path / "run")
    options = {"threads": 1, "steps": None, "ratio": "1:2:3", "resume": True}
    found = TrainConfiguration.from_options("moved", tmp_path / "run", **options)
    assert found == dataclasses.replace(before, data="moved", threads=1, ratio=(1.0, 2.0, 3.0))


def test_a_resumed_run_takes_the_recipe_that_is_given(tmp_path):
    before = recorded(tmp_path / "run")
    found = TrainConfiguration.from_options(out=tmp_path / "run", recipe="swap", resume=True)
    assert found == dataclasses.replace(before, recipe=SWAP)


def test_a_ratio_needs_a_share_per_kind_of_batch(small_faces):
    found = TrainConfiguration.from_options(small_faces, ratio="1:1:1:10")
    assert found.ratio == (1.0, 1.0, 1.0, 10.0)
    with pytest.raises(TrainingError, match="cannot use the ratio '1:1'"):
        TrainConfiguration.from_options(small_faces, ratio="1:1")
