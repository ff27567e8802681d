"""Recombined people: codes put together from several people, against pictures of the same mixtures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from dcign.evaluate.pictures.recombination import base_and_trait, measure_recombination, recombined
from dcign.figures.mixtures import mixture_grids, table_of
from dcign.inputs.source import LabelledBatches, MixedBatches
from dcign.recipes.registry import SWAP, VAE, changed
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription
from tests.support.drawn import Drawn, drawn

TRAITS = ("age", "shape", "skin", "hair")
RECIPE = changed(SWAP, {"shape_latents": 3, "skin_latents": 3, "hair_latents": 3})
DESCRIPTION = ImageDescription(
    4, 1, ("turn", "age"), ("degree", "year"), (-1, 1), "none", of_identity=("age",), parts=TRAITS[1:]
)
LAYOUT = CodeLayout.of(DESCRIPTION, RECIPE)
HAIR = TRAITS.index("hair")


def codec(recipe=RECIPE):
    return Drawn(DESCRIPTION, recipe, LAYOUT)


def mixed(count=3):
    """Four people, the table of hair against the rest, and four images of which each trait is somebody else's."""
    sources = np.empty((20, len(TRAITS)), np.intp)
    sources[:4] = np.arange(4)[:, None]
    pairs = [(person, giver) for person in range(4) for giver in range(4) if giver != person]
    for image, (person, giver) in enumerate(pairs, 4):
        sources[image] = person
        sources[image, HAIR] = giver
    sources[16:] = (np.arange(4)[:, None] + np.arange(len(TRAITS))) % 4
    codes = np.random.default_rng(0).uniform(-1, 1, (count, 20, LAYOUT.size))
    codes[..., 0] = codes[:, :1, 0]  # all images have the same pose
    every = np.broadcast_to(sources, (count, *sources.shape))
    codes = recombined(codes, every, TRAITS, LAYOUT)
    batches = LabelledBatches(
        drawn(codes).astype(np.uint8), np.zeros((count, 20, 2), np.float32), np.full(count, -1), None
    )
    return MixedBatches(batches, every, TRAITS)


def test_a_code_takes_each_block_from_its_giver_and_keeps_the_pose():
    codes = np.random.default_rng(0).normal(size=(1, 20, LAYOUT.size))
    sources = mixed(1).sources
    made = recombined(codes, sources, TRAITS, LAYOUT)
    hair, skin = list(LAYOUT.latents_of("hair")), list(LAYOUT.latents_of("skin"))
    np.testing.assert_array_equal(made[0, 4, hair], codes[0, 1, hair])  # the first mixture: person 0, hair of 1
    np.testing.assert_array_equal(made[0, 4, skin], codes[0, 0, skin])
    np.testing.assert_array_equal(made[..., 0], codes[..., 0])
    np.testing.assert_array_equal(made[0, :4], codes[0, :4])


def test_mixtures_are_told_by_the_one_trait_that_is_somebody_elses():
    base, trait = base_and_trait(mixed(1).sources)
    assert base[0, :4].tolist() == [0, 1, 2, 3]
    assert base[0, 4:16].tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert trait[0].tolist() == [-1] * 4 + [HAIR] * 12 + [-1] * 4


def test_a_perfect_network_recombines_as_well_as_it_reconstructs():
    found = measure_recombination(codec(), mixed())
    assert list(found) == ["all", "hair", "several"]
    assert (found["all"]["images"], found["hair"]["images"], found["several"]["images"]) == (48, 36, 12)
    for score in found.values():
        assert score["psnr_db"] == pytest.approx(score["reconstruction_psnr_db"])
        assert score["ssim"] == pytest.approx(score["reconstruction_ssim"])
    assert found["hair"]["copy_psnr_db"] < found["hair"]["psnr_db"] - 20
    assert "copy_psnr_db" not in found["several"]


def test_a_network_that_puts_hair_into_the_wrong_block_recombines_worse_than_it_reconstructs():
    hair, skin = list(LAYOUT.latents_of("hair")), list(LAYOUT.latents_of("skin"))
    order = np.arange(LAYOUT.size)
    order[hair + skin] = skin + hair

    class Swapped(Drawn):
        def encode(self, images, progress=lambda done: None):
            mu, logvar = super().encode(images)
            return mu[:, order], logvar

        def decode(self, codes, progress=lambda done: None):
            return super().decode(codes[:, order])

    score = measure_recombination(Swapped(DESCRIPTION, RECIPE, LAYOUT), mixed())["hair"]
    assert score["psnr_db"] < score["reconstruction_psnr_db"] - 20


def test_without_blocks_or_mixtures_nothing_is_measured_or_drawn():
    assert measure_recombination(codec(VAE), mixed()) is None
    assert measure_recombination(codec(), None) is None
    run = SimpleNamespace(codec=codec(VAE), configuration=SimpleNamespace(recipe=VAE), layout=LAYOUT, name="vae")
    assert mixture_grids(run, mixed()) == mixture_grids(run, None) == ()


def test_the_grid_has_a_row_per_person_and_a_column_per_giver_beside_the_truth():
    mix = mixed()
    run = SimpleNamespace(codec=codec(), configuration=SimpleNamespace(recipe=RECIPE), layout=LAYOUT, name="a run")
    (grid,) = mixture_grids(run, mix)  # the batches have the table of hair alone
    assert "hair of one person" in grid.title
    (group,) = grid.groups
    table = table_of(mix.sources[0], HAIR)
    assert table.tolist() == [[0, 4, 5, 6], [7, 1, 8, 9], [10, 11, 2, 12], [13, 14, 15, 3]]
    for row, images in zip(group.rows, table, strict=True):
        made, truth = row.blocks
        np.testing.assert_array_equal(truth, mix.batches.images[0][images])
        np.testing.assert_allclose(made, truth / 255, atol=1e-6)
    assert table_of(mix.sources[0], TRAITS.index("skin")) is None
