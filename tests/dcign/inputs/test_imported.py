"""Data sets of format version 2: what is said of them, and what is drawn from them in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dcign.data.dataset.manifest import read_manifest
from dcign.data.dataset.summary import summarise
from dcign.errors import TrainingError
from dcign.inputs.batches import EVERYTHING
from dcign.inputs.source import DataSource
from dcign.inputs.trainable import training_obstacles
from dcign.recipes.registry import BETA_VAE, PAPER, SWAP, VAE, changed
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import TrainConfiguration
from dcign.train.trainer import drawn_kinds
from tests.support.commands import dcign
from tests.support.data_sets import list_again
from tests.support.toys import write_toys

EVERYTHING_VARIES = {"train": 6, "test": 3}


def test_inspect_describes_and_checks_labels_and_says_what_it_cannot_check(tmp_path: Path) -> None:
    folder = write_toys(tmp_path / "toys")
    said = " ".join(dcign("inspect", folder, "--verify").output.split())
    assert "version 2, 32 x 32 px, colour" in said
    assert "batches of 6 images" in said
    assert "disc, square, bar" in said
    assert "The pixels cannot be rendered again" in said
    assert "Verified: nothing wrong was found." in said
    assert "refuse" not in said


def test_inspect_finds_labels_that_were_changed(tmp_path: Path) -> None:
    import h5py

    folder = write_toys(tmp_path / "toys")
    with h5py.File(folder / "train" / "shard-00000.h5", "r+") as file:
        file["factors"][1, 0, 1] = 7
        file["factors"][0, 0, 2] += 1
    list_again(folder)
    result = dcign("inspect", folder, "--quick")
    assert result.exit_code == 1
    assert "batch 1: form runs from 0 to 7, outside 0 to 2" in result.output
    assert "batch 0: hue differs between its images; only across may" in result.output


def test_what_train_refuses_of_sets_without_kinds_and_without_held_out_images(tmp_path: Path) -> None:
    scattered = write_toys(tmp_path / "scattered", kinds=("all",), splits=EVERYTHING_VARIES)
    (sentence,) = training_obstacles(summarise(scattered))
    assert "train the recipe vae or beta-vae" in sentence
    alone = write_toys(tmp_path / "alone", splits={"train": 8})
    (sentence,) = training_obstacles(summarise(alone))
    assert sentence.startswith("expected a split test or iid")
    assert training_obstacles(summarise(write_toys(tmp_path / "toys"))) == []


def of(folder: Path, recipe=SWAP, ratio=None):
    """The kinds that are drawn, their batches, and their shares."""
    source = DataSource(folder)
    configuration = TrainConfiguration(str(folder), "run", recipe, 2, 0, ratio)
    return drawn_kinds(source.chunked("train").kind, source.description(), configuration)


def test_kinds_without_batches_get_no_share(tmp_path: Path) -> None:
    folder = write_toys(tmp_path / "toys", kinds=("across", "hue"))
    assert of(folder)[2] == (1, 0, 1, 0)
    assert of(folder, ratio=(1.0, 0.0, 3.0, 0.0))[2] == (1, 0, 3, 0)
    assert of(write_toys(tmp_path / "all kinds"), PAPER)[2] == (1, 1, 1, 10)


def test_a_plain_vae_also_draws_batches_in_which_everything_varies(tmp_path: Path) -> None:
    folder = write_toys(tmp_path / "toys", kinds=("across", "all", "all"))
    kinds, kind, shares = of(folder, VAE)
    assert kinds == ("across", "form", "hue", "identity", "all")
    assert shares == (1, 0, 0, 0, 1)
    assert np.bincount(kind).tolist() == [8, 0, 0, 0, 16]
    assert of(folder, SWAP)[1].tolist() == [0, EVERYTHING, EVERYTHING] * 8
    scattered = write_toys(tmp_path / "scattered", kinds=("all",), splits=EVERYTHING_VARIES)
    assert of(scattered, BETA_VAE)[2] == (0, 0, 0, 0, 1)
    with pytest.raises(TrainingError, match="train the recipe vae or beta-vae"):
        of(scattered, SWAP)


def test_classes_have_a_latent_each_and_angles_two(tmp_path: Path) -> None:
    description = DataSource(write_toys(tmp_path / "toys")).description()
    assert description.classes == ((), ("disc", "square", "bar"), ())
    layout = CodeLayout.of(description, SWAP)
    assert {block.name: block.latents for block in layout.factors} == {
        "across": (0,), "form": (1, 2, 3), "hue": (4, 5)
    }  # fmt: skip
    assert layout.signs[:6] == (-1, 1, 1, 1, 1, 1)
    assert len(CodeLayout.of(description, changed(SWAP, {"class_latents": 2})).latents_of("form")) == 2
    assert read_manifest(tmp_path / "toys").factors[1].classes == ("disc", "square", "bar")
