"""Originals above what comes back of them through the code: as they come, best, median and worst."""

import numpy as np

from dcign.figures.board import Board, Group, Row
from dcign.figures.held import HeldImages
from dcign.metrics import psnr_decibels
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.trained_run import TrainedRun

EXAMPLES = 12  # pictures in a row
JUDGED = 400  # images that best, median and worst are chosen among, evenly out of the iid split


def reconstruction_board(run: TrainedRun, iid: HeldImages, progress: FractionProgress = no_fraction_progress) -> Board:
    """Order images of the iid split by the PSNR over the head, or over the frame where the split has no mask."""
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
        "as they come": some,
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
        groups.append(Group(rows, f"{title}, of {len(images)} images"))
    title = f"People never seen in training, and what comes back through the code ({run.name})"
    return Board(title, tuple(groups))
