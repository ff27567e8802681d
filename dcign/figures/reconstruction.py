"""Originals above their reconstructions: unsorted, best, median and worst."""

from __future__ import annotations

import numpy as np

from dcign.figures.encoded import EncodedImages
from dcign.figures.picture_grid import PictureGrid, Row, RowGroup
from dcign.metrics import psnr_decibels
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.trained_run import TrainedRun

EXAMPLES = 12  # pictures per row
JUDGED = 400  # images, evenly out of the iid split, among which best, median and worst are chosen


def reconstruction_grid(
    run: TrainedRun, iid: EncodedImages, progress: FractionProgress = no_fraction_progress
) -> PictureGrid:
    """Sort images of the iid split by PSNR over the head, or over the frame if the split has no masks."""
    images = iid.batches.images.reshape(-1, *iid.batches.images.shape[2:])
    judged = np.unique(np.linspace(0, len(images) - 1, JUDGED).round().astype(np.intp))
    images, mu = images[judged], iid.codes.flat_mu[judged]
    masks = iid.batches.mask
    mask = None if masks is None else masks.reshape(-1, *masks.shape[2:])[judged].astype(np.float32) / 255
    rebuilt = run.codec.decode(mu, progress)
    decibels = psnr_decibels(rebuilt - images.astype(np.float32) / 255, mask)
    order = np.argsort(-decibels, kind="stable").astype(np.intp)
    count = min(EXAMPLES, len(order))
    middle = (len(order) - count) // 2
    some = np.linspace(0, len(images) - 1, count).round().astype(np.intp)
    parts = {
        "unsorted": some,
        "best": order[:count],
        "median": order[middle : middle + count],
        "worst": order[len(order) - count :],
    }
    groups = []
    for title, chosen in parts.items():
        captions = tuple(f"{value:.1f}\N{NO-BREAK SPACE}dB" for value in decibels[chosen])
        rows = (
            Row("original", (images[chosen],), pale=True),
            Row("reconstruction", (rebuilt[chosen],), captions=captions),
        )
        groups.append(RowGroup(rows, f"{title}, of {len(images)} images"))
    title = f"Unseen people and their reconstructions ({run.name})"
    return PictureGrid(title, tuple(groups))
