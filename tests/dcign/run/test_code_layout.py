"""The layout of a code: which latents stand for what, and which are active in which batches."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from dcign.errors import TrainingError
from dcign.inputs.batches import TrainingBatches
from dcign.recipes.fields import read_settings
from dcign.recipes.registry import RECIPES, SWAP, changed
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import FILE, ImageDescription, TrainConfiguration
from dcign.train.clamp import active_latents
from dcign.train.training import train_on
from dcign.trained.trained_run import TrainedRun
from tests.support.layouts import layout_of

PARTS = ("shape", "skin", "hair")
PART_FIELDS = tuple(f"{part}_latents" for part in PARTS)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("signs", [(-1, 1, -1), (1,)], ids=len)
def test_without_parts_and_circles_a_code_is_what_it_was_before_there_were_layouts(recipe, signs):
    # One latent per factor, then the identity: as earlier versions computed it.
    layout, count = layout_of(recipe, signs), len(signs)
    blocks = torch.arange(recipe.latents).clamp(max=count)
    assert list(layout.block_of_latent) == blocks.tolist()
    assert layout.signs == (*signs, *[1] * (recipe.latents - count))
    assert len(layout.blocks) == count + 1
    wanted = blocks[None, :] == torch.arange(count + 1)[:, None]
    if not recipe.assigned:
        wanted = torch.full((count + 2, recipe.latents), recipe.reference == "none")  # the last: everything varies
    assert torch.equal(active_latents(recipe, layout), wanted)


def test_a_circular_factor_has_a_cosine_and_a_sine_of_which_a_mirror_negates_the_sine():
    layout = layout_of(SWAP, (-1, 1, -1), circular=("a",))
    assert layout.latents_of("a") == (0, 1)
    assert [layout.latents_of(name) for name in ("b", "c")] == [(2,), (3,)]
    assert layout.signs[:4] == (1, -1, 1, -1)
    assert layout.size == SWAP.latents
    assert layout_of(SWAP, (1,), circular=("a",)).signs[:2] == (1, 1)


def test_the_parts_of_a_person_have_blocks_of_the_sizes_of_the_recipe_and_nothing_is_left_over():
    recipe = changed(SWAP, read_settings(["hair_latents=5", "skin_latents=3"], SWAP))
    layout = layout_of(recipe, parts=PARTS)
    assert [block.name for block in layout.blocks] == ["a", "b", "c", *PARTS]
    assert [len(block.latents) for block in layout.person] == [SWAP.shape_latents, 3, 5]
    assert layout.size == 3 + SWAP.shape_latents + 3 + 5
    assert sorted(latent for block in layout.blocks for latent in block.latents) == list(range(layout.size))


def test_what_no_part_covers_is_the_identity():
    layout = layout_of(SWAP, parts=("skin",))
    assert [block.name for block in layout.person] == ["skin", "identity"]
    assert layout.size == SWAP.latents
    assert layout.active[3:] == (("skin",), ("skin", "identity"))


def test_an_identity_batch_frees_every_part_and_the_factors_of_a_person():
    layout = layout_of(SWAP, of_identity=("b",), parts=PARTS)
    free = active_latents(SWAP, layout)
    *alone, identity = free
    for name, row in zip(("a", "b", "c", *PARTS), alone, strict=True):
        assert row.nonzero()[:, 0].tolist() == list(layout.latents_of(name))
    assert identity.tolist() == [latent not in (0, 2) for latent in range(layout.size)]


@pytest.mark.parametrize(
    ("facts", "held"),
    [
        ({}, "expected 4 or more latents for 3 factors and the identity, found 3"),
        ({"circular": ("a",)}, "expected 5 or more latents for 3 factors and the identity, found 3"),
        ({"parts": ("skin",)}, "expected 12 or more latents for 3 factors, skin and the identity, found 3"),
    ],
)
def test_too_few_latents_are_refused_with_the_number_that_is_needed(facts, held):
    with pytest.raises(TrainingError, match=f"{held}: use --set latents="):
        layout_of(dataclasses.replace(SWAP, latents=3), **facts)


def test_a_block_or_a_part_that_is_not_there_is_refused():
    with pytest.raises(TrainingError, match="expected a block of the code, found 'nose': choose from a, b, c, ident"):
        layout_of(SWAP).latents_of("nose")
    with pytest.raises(TrainingError, match="expected parts out of shape, skin, hair, found 'nose': use a version"):
        layout_of(SWAP, parts=("nose",))


@pytest.mark.parametrize("fact", ["circular", "of_identity"])
def test_a_description_with_facts_about_no_factor_is_refused(fact):
    with pytest.raises(TrainingError, match=r"out of .*, found 'down': correct the record"):
        ImageDescription(32, 1, ("up",), ("degree",), (1,), "none", **{fact: ("down",)})


def test_a_size_out_of_range_is_refused():
    with pytest.raises(TrainingError, match="expected hair_latents to be a whole number from 1 to 1024, found '0'"):
        read_settings(["hair_latents=0"], SWAP)


def test_a_layout_is_made_of_a_description_and_a_recipe():
    description = ImageDescription(32, 1, ("up", "on"), ("degree", "degree"), (1, -1), "none", circular=("on",))
    layout = CodeLayout.of(description, SWAP)
    assert [block.name for block in layout.blocks] == ["up", "on", "identity"]
    assert [block.latents for block in layout.factors] == [(0,), (1, 2)]


def test_a_run_whose_record_knows_no_parts_and_circles_is_the_same_network(tmp_path):
    description = ImageDescription(32, 1, ("up", "on"), ("px", "px"), (1, -1), "none")
    noise = torch.randint(0, 256, (3, 20, 32, 32, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    configuration = TrainConfiguration("noise", str(tmp_path / "run"), SWAP, 2, 0, device="cpu", threads=1)
    train_on(TrainingBatches(noise, np.arange(3)), description, configuration)
    wanted = TrainedRun.open(tmp_path / "run")
    record = tmp_path / "run" / FILE
    found = json.loads(record.read_text())
    for table, names in (("description", ("circular", "of_identity", "parts")), ("recipe", PART_FIELDS)):
        for name in names:
            del found[table][name]
    record.write_text(json.dumps(found))
    earlier = TrainedRun.open(tmp_path / "run")
    assert earlier.layout == wanted.layout
    assert earlier.description == wanted.description
    images = noise[0].numpy()
    np.testing.assert_array_equal(earlier.codec.encode(images)[0], wanted.codec.encode(images)[0])
