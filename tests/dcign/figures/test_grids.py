"""The best, median and worst reconstructions, on a network whose errors are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from dcign.evaluate.codes import Codes
from dcign.figures.encoded import EncodedImages
from dcign.figures.grids import EXAMPLES, reconstruction_grid
from dcign.figures.picture_grid import save_grid
from dcign.inputs.source import LabelledBatches

BATCHES, IMAGES, SIZE = 4, 20, 8
COUNT = BATCHES * IMAGES
HEAD = np.s_[2:6, 2:6]


@pytest.fixture
def iid():
    """Gray images with their number in the first pixel, a head in the middle, and a code that is the number."""
    images = np.full((BATCHES, IMAGES, SIZE, SIZE, 1), 100, np.uint8)
    images[:, :, 0, 0, 0] = np.arange(COUNT).reshape(BATCHES, IMAGES)
    mask = np.zeros(images.shape[:-1], np.uint8)
    mask[:, :, *HEAD] = 255
    factors = np.zeros((BATCHES, IMAGES, 1), np.float32)
    mu = np.arange(COUNT, dtype=np.float32).reshape(BATCHES, IMAGES, 1)
    batches = LabelledBatches(images, factors, np.zeros(BATCHES, np.int64), mask)
    return EncodedImages(batches, Codes(mu, np.zeros_like(mu), factors, batches.kind))


def run_of(iid, head, around):
    """In place of a run: the reconstruction of image i is off by head[i] inside the head and by around[i] outside."""

    def decode(codes, progress=lambda done: None):
        chosen = codes[:, 0].astype(int)
        errors = np.repeat(around[chosen], SIZE * SIZE).reshape(-1, SIZE, SIZE, 1)
        errors[:, *HEAD] = head[chosen][:, None, None, None]
        progress(1.0)
        return (iid.images[chosen].astype(np.float32) / 255 + errors).astype(np.float32)

    return SimpleNamespace(codec=SimpleNamespace(decode=decode), name="a run", has_refiner=False, subjects="people")


def numbers(group):
    """The numbers of the images in a group's row of originals."""
    return group.rows[0].blocks[0][:, 0, 0, 0].tolist()


def test_best_median_and_worst_are_in_the_order_of_the_psnr_over_the_head(iid, tmp_path):
    errors = np.random.default_rng(0).permutation(np.linspace(0.01, 0.3, COUNT))
    grid = reconstruction_grid(run_of(iid, errors, errors[::-1]), iid)
    order = np.argsort(errors).tolist()
    middle = (COUNT - EXAMPLES) // 2
    titles = [group.title.split(",")[0] for group in grid.groups]
    assert titles == ["unsorted", "best", "median", "worst"]
    _, best, median, worst = grid.groups
    assert numbers(best) == order[:EXAMPLES]
    assert numbers(median) == order[middle : middle + EXAMPLES]
    assert numbers(worst) == order[-EXAMPLES:]
    originals, rebuilt = best.rows
    assert (originals.label, rebuilt.label) == ("original", "reconstruction")
    assert rebuilt.captions[0].split() == ["40.0", "dB"]
    assert worst.rows[1].captions[-1].split() == [f"{-20 * np.log10(0.3):.1f}", "dB"]
    np.testing.assert_allclose(rebuilt.blocks[0][0, 4, 4, 0], 100 / 255 + 0.01, atol=1e-6)
    assert save_grid(grid, tmp_path / "reconstruction.png").stat().st_size > 0


def test_without_masks_the_whole_frame_counts(iid):
    errors = np.random.default_rng(0).permutation(np.linspace(0.01, 0.3, COUNT))
    batches = LabelledBatches(iid.batches.images, iid.batches.factors, iid.batches.kind, None)
    bare = EncodedImages(batches, iid.codes)
    grid = reconstruction_grid(run_of(bare, np.zeros(COUNT), errors), bare)
    assert numbers(grid.groups[1]) == np.argsort(errors)[:EXAMPLES].tolist()
