"""The augmentation of a step: one draw per group, the same for all ranks, from the step's random numbers alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from dcign.errors import TrainingError
from dcign.infer.encode import encode_dataset
from dcign.inputs.batches import TrainingBatches, as_network_input, step_generator
from dcign.inputs.framing import Framing, framed
from dcign.inputs.scaling import scaled
from dcign.inputs.source import DataSource
from dcign.recipes.registry import SWAP, WILD, changed
from dcign.run.checkpoint import read_checkpoint
from dcign.run.configuration import TrainConfiguration
from dcign.train.augmentation import Augmentation, build_augmentation
from dcign.train.distributed import ALONE, Process, Ranks
from dcign.train.trainer import step_feed
from dcign.train.training import train
from dcign.trained.trained_run import TrainedRun
from tests.support.blobs import DESCRIPTION, configured, moving_blobs

pytest_plugins = ["tests.support.discs"]

GROUPS = 6
FRAMINGS = {"zoom": {"zoom": 1.5}, "right": {"right": 0.25}, "down": {"down": 0.25}, "roll": {"roll": 90.0}}


def augmented(recipe, images, masks, size, step=0, channels=1):
    """Augment images (G, n, H, H, C) with masks, as the groups of a step."""
    batches = TrainingBatches(images, np.zeros(len(images), np.int64), masks)
    augmentation = Augmentation(recipe, channels, size)
    draw = augmentation.draw(len(images), batches, step_generator(0, step))
    image = torch.arange(images.shape[1]).expand(len(images), -1)
    return augmentation.apply(images, batches, torch.arange(len(images)), image, draw)


def noise(channels=1, size=32, groups=GROUPS):
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (groups, 2, size, size, channels), dtype=torch.uint8, generator=generator)
    masks = torch.randint(0, 256, (groups, 2, size, size), dtype=torch.uint8, generator=generator)
    return images, masks


def feed_of(recipe, folder):
    ranks = Ranks(torch.device("cpu"), torch.float32, ALONE)
    return step_feed(moving_blobs(), DESCRIPTION, configured(folder, recipe, ratio=(1.0, 1.0, 1.0)), ranks)


def test_an_augmentation_that_changes_nothing_keeps_every_byte():
    images, masks = noise(channels=3)
    assert torch.equal(augmented(SWAP, images, masks, 32, channels=3), images)


def test_equal_images_of_a_group_stay_equal_and_those_of_different_groups_do_not():
    images, masks = noise()
    images, masks = (values[:1, :1].expand(GROUPS, 2, *values.shape[2:]) for values in (images, masks))
    found = augmented(WILD, images, masks, 32)
    assert torch.equal(found[:, 0], found[:, 1])
    assert len({group.numpy().tobytes() for group in found}) == GROUPS


def test_the_mirror_image_of_a_framed_picture_is_the_mirrored_picture_under_the_mirrored_framing():
    pictures = torch.rand(3, 2, 24, 24, generator=torch.Generator().manual_seed(0))
    framing = Framing(torch.tensor([0.8, 1.0, 1.7]), torch.tensor([[0.1, 0.2]] * 3), torch.tensor([12.0, -30.0, 0.0]))
    mirrored = Framing(framing.zoom, framing.shift * torch.tensor([-1, 1]), -framing.roll)
    torch.testing.assert_close(framed(pictures, framing, 24).flip(-1), framed(pictures.flip(-1), mirrored, 24))


def test_a_mirrored_group_is_the_mirror_image_of_the_group_as_augmented(tmp_path):
    inputs = feed_of(changed(WILD, {"flip": True, "groups": 12}), tmp_path)(3)
    assert inputs.mirrored.any()
    assert not inputs.mirrored.all()
    seen = as_network_input(inputs.images, inputs.mirrored)
    straight = as_network_input(inputs.images, torch.zeros_like(inputs.mirrored))
    for group, mirrored in enumerate(inputs.mirrored):
        assert torch.equal(seen[group], straight[group].flip(-1) if mirrored else straight[group])


@pytest.mark.parametrize("what", FRAMINGS)
def test_a_framing_moves_a_point_as_it_says(what):
    picture = torch.zeros(1, 1, 64, 64)
    picture[0, 0, 32:36, 40:44] = 1  # centre at (+10, +2) px from the middle
    found = framed(picture, Framing.of(1, **FRAMINGS[what]), 64)[0, 0]
    down, right = (
        (found * axis).sum() / found.sum() - 31.5 for axis in torch.meshgrid(*[torch.arange(64.0)] * 2, indexing="ij")
    )
    wanted = {"zoom": (15, 3), "right": (26, 2), "down": (10, 18), "roll": (-2, 10)}[what]
    assert (float(right), float(down)) == pytest.approx(wanted, abs=0.1)


def test_zooming_out_shows_the_background_around_the_picture():
    images, masks = (
        torch.full((1, 2, 32, 32, 1), 255, dtype=torch.uint8),
        torch.full((1, 2, 32, 32), 255, dtype=torch.uint8),
    )
    out = changed(SWAP, {"zoom": (0.5, 0.5), "backgrounds": 1.0})
    corners = [augmented(out, images, masks, 32, step)[0, 0, 0, 0].item() for step in range(8)]
    assert len({*corners}) > 3
    assert all(augmented(out, images, masks, 32, step)[0, 0, 16, 16] == 255 for step in range(8))


def test_a_crop_turns_the_borders_black_and_nothing_else():
    images, masks = (
        torch.full((40, 2, 32, 32, 1), 200, dtype=torch.uint8),
        torch.zeros(40, 2, 32, 32, dtype=torch.uint8),
    )
    found = augmented(changed(SWAP, {"crop": 0.25}), images, masks, 32)
    assert {*found.unique().tolist()} == {0, 200}
    assert bool((found[:, :, 8:24, 8:24] == 200).all())
    assert 0.3 < float((found[:, 0, 0, 16] == 0).float().mean()) < 0.7


def test_larger_pictures_are_averaged_to_the_size_of_the_network():
    images, masks = noise(size=64)
    found = augmented(SWAP, images, masks, 32)
    assert found.shape == (GROUPS, 2, 32, 32, 1)
    assert (found.int() - scaled(images, 32).int()).abs().max() <= 1


@pytest.mark.parametrize("count", [2, 4])
def test_the_ranks_together_see_what_one_process_sees(tmp_path, count):
    recipe = changed(WILD, {"groups": 4})
    feed = feed_of(recipe, tmp_path)
    whole = feed(2)
    shares = [dataclasses.replace(feed, process=Process(rank, count))(2) for rank in range(count)]
    for name in ("images", "targets"):
        parts = [getattr(share, name) for share in shares]
        assert torch.equal(torch.stack(parts, dim=1).flatten(0, 1), getattr(whole, name))


def test_the_decoder_draws_the_clean_picture_or_the_one_that_the_encoder_sees(tmp_path):
    clean, same = (feed_of(changed(WILD, {"target": target}), tmp_path)(1) for target in ("clean", "same"))
    plain = feed_of(SWAP, tmp_path)(1)
    assert torch.equal(clean.images, same.images)
    assert not torch.equal(clean.images, plain.images)
    assert torch.equal(clean.targets, plain.images)
    assert torch.equal(same.targets, same.images)


def test_a_background_without_masks_is_refused_in_a_sentence():
    batches = dataclasses.replace(moving_blobs(), masks=None)
    with pytest.raises(
        TrainingError, match=r"expected masks in the training split.*found none.*--truth mask, or use --set"
    ):
        build_augmentation(WILD, batches, 1, 32)
    assert build_augmentation(changed(WILD, {"backgrounds": 0.0}), batches, 1, 32) is not None
    assert build_augmentation(SWAP, batches, 1, 32) is None


@pytest.fixture
def masked_faces(make_dataset):
    """A data set of discs of 48 px, with masks in every split."""

    def masked(split, batch):
        images = batch.images.repeat(2, axis=1).repeat(2, axis=2)
        truth = {"mask": (images[..., 0] > 0).astype(np.uint8) * 255}
        return dataclasses.replace(batch, images=images, truth=truth)

    return make_dataset(masked)


def test_pictures_larger_than_the_network_train_the_same_from_memory_and_from_disk(masked_faces, tmp_path):
    source = DataSource(masked_faces)
    needed = source.training("memory", torch.device("cpu"), masks=True)
    assert source.training_bytes(masks=True) == needed.images.nbytes + needed.masks.nbytes
    recipe = changed(WILD, {"size": 32})
    for data_in in ("memory", "disk"):
        settings = {"seed": 0, "device": "cpu", "threads": 1, "precision": "float32", "data_in": data_in}
        train(TrainConfiguration(str(masked_faces), str(tmp_path / data_in), recipe, 4, **settings))
    ours, theirs = (read_checkpoint(tmp_path / data_in)[1] for data_in in ("memory", "disk"))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_reads_its_larger_data_set_at_the_size_of_its_network(masked_faces, tmp_path):
    configuration = TrainConfiguration(str(masked_faces), str(tmp_path / "run"), changed(SWAP, {"size": 32}), 2, seed=0)
    train(configuration)
    run = TrainedRun.open(tmp_path / "run")
    assert run.description.size == 32
    whole, read = (source.labelled("iid") for source in (DataSource(masked_faces), run.data()))
    assert read.images.shape[2:] == (32, 32, 1)
    assert read.mask.shape[2:] == (32, 32)
    assert read.images.mean() == pytest.approx(whole.images.mean(), rel=0.05)
    batch, image = np.array([1, 0]), np.array([3, 7])
    part = run.data().chunked("iid").labelled(batch, image)
    np.testing.assert_array_equal(part.images, read.images[batch][:, image])
    encoding = encode_dataset(run, masked_faces, ["iid"])
    np.testing.assert_allclose(encoding.mu, run.codec.encode(read.images.reshape(-1, 32, 32, 1))[0], atol=1e-5)


def test_a_network_larger_than_the_pictures_is_refused_in_a_sentence(masked_faces):
    with pytest.raises(
        TrainingError, match=r"expected size=48 or less, as the pictures in .* found size=256: lower it"
    ):
        DataSource(masked_faces, 256).description()


def test_scaling_averages_linear_light_over_each_area():
    picture = torch.zeros(3, 3, 1, dtype=torch.uint8)
    picture[:, 2] = 255
    assert scaled(picture, 2)[..., 0].tolist() == [[0, 213], [0, 213]]  # two thirds white: sRGB of .667
    assert torch.equal(scaled(picture, 3), picture)
