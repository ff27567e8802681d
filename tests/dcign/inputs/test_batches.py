"""The draw of a step's images."""

import numpy as np
import pytest
import torch

from dcign.errors import TrainingError
from dcign.inputs.batches import (
    TrainingBatches,
    as_network_input,
    batches_by_kind,
    draw_groups,
    draw_kinds,
    step_generator,
)
from dcign.recipes.fields import parse_ratio

KINDS = ("azimuth", "elevation", "light_azimuth", "identity")


def kinds_of_steps(ratio, groups, steps=400):
    return torch.stack([draw_kinds(ratio, groups, step_generator(0, step)) for step in range(steps)])


def test_equal_shares_give_every_kind_exactly_once_a_step():
    drawn = kinds_of_steps((1, 1, 1, 1), 4, steps=50)
    assert all(sorted(row) == [0, 1, 2, 3] for row in drawn.tolist())


@pytest.mark.parametrize("groups", [1, 4, 5])
def test_kinds_come_up_in_proportion_to_their_shares(groups):
    drawn = kinds_of_steps((1, 0, 1, 2), groups, steps=2000)
    shares = np.bincount(drawn.flatten(), minlength=4) / drawn.numel()
    np.testing.assert_allclose(shares, [0.25, 0, 0.25, 0.5], atol=0.03)


def test_a_share_of_nothing_at_the_end_is_never_drawn():
    assert int(kinds_of_steps((0.1, 0.2, 0), 4).max()) == 1


def test_a_step_draws_the_same_again_and_another_step_something_else():
    first, again, next_step, other_seed = (
        torch.rand(4, generator=step_generator(*at)).tolist() for at in ((3, 7), (3, 7), (3, 8), (4, 7))
    )
    assert first == again
    assert first not in (next_step, other_seed)


def test_a_group_is_different_images_of_one_batch_of_its_kind():
    kind = np.array([0, 1, 2, 3, -1] * 4)
    members = batches_by_kind(kind, KINDS, (1, 1, 1, 1))
    for step in range(20):
        draw = draw_groups(members, (1, 1, 1, 1), 4, 8, 20, True, step_generator(0, step))
        assert kind[draw.batch.numpy()].tolist() == draw.kind.tolist()
        assert all(len(set(row)) == 8 and 0 <= min(row) <= max(row) < 20 for row in draw.image.tolist())


def test_images_are_taken_as_drawn_and_mirrored_by_whole_groups():
    images = torch.randint(0, 256, (6, 20, 4, 4, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    members = [torch.arange(6)]
    draw = draw_groups(members, (1,), 16, 5, 20, True, step_generator(0, 0))
    batches = TrainingBatches(images, np.zeros(6, np.int64))
    taken = as_network_input(batches.take(draw.batch, draw.image), draw.mirrored)
    assert 0 < int(draw.mirrored.sum()) < 16
    for group in range(16):
        for place in range(5):
            wanted = images[draw.batch[group], draw.image[group, place]].float().permute(2, 0, 1) / 255
            assert torch.equal(taken[group, place], wanted.flip(-1) if draw.mirrored[group] else wanted)


def test_a_kind_that_the_ratio_asks_for_and_the_data_lack_is_named():
    with pytest.raises(TrainingError, match="expected batches in which elevation varies"):
        batches_by_kind(np.array([0, 2, 3]), KINDS, (1, 1, 1, 1))
    assert len(batches_by_kind(np.array([0, 2, 3]), KINDS, (1, 0, 1, 1))[1]) == 0


@pytest.mark.parametrize("text", ["1:1:1", "1:1:1:x", "0:0:0:0", "1:1:1:-1", "1:1:1:nan", "1:1:1:inf", ""])
def test_a_ratio_that_cannot_be_used_is_refused_in_a_sentence(text):
    with pytest.raises(
        TrainingError, match=r"ratio of azimuth:elevation:light_azimuth:identity, found .*such as 1:1:1:1"
    ):
        parse_ratio(text, KINDS)


def test_the_papers_ratio_is_read():
    assert parse_ratio("1:1:1:10", KINDS) == (1, 1, 1, 10)
