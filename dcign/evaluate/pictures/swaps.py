"""Errors of swaps: images decoded with another image's latents for one factor, or for one part of the person.

In a batch in which only one thing varies, an image with the next image's latents for that thing should be the next
image. The error of such a swap is given as a multiple of the error of plain reconstruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating
from dcign.evaluate.codes import Codes
from dcign.evaluate.pictures.reconstruction import Reconstruction, mean_squares
from dcign.inputs.source import LabelledBatches
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.codec import Codec


@dataclass(frozen=True, eq=False)
class SwapErrors:
    """The errors of swapping a block of latents with the next image's, one row per image; all arrays (N,).

    Mean squared errors against the next image: swapped, of the decoded swap; copied, of the image itself; plain, of the
    next image's own reconstruction.
    """

    swapped: Floating
    copied: Floating
    plain: Floating

    @property
    def ratio(self) -> float:
        """The mean error of a swap over that of plain reconstruction; NaN without swaps."""
        return float(self.swapped.mean() / self.plain.mean()) if len(self.plain) else float("nan")

    @property
    def copy_ratio(self) -> float:
        """The same of the unchanged source image."""
        return float(self.copied.mean() / self.plain.mean()) if len(self.plain) else float("nan")


def swap_errors(
    codec: Codec,
    batches: LabelledBatches,
    codes: Codes,
    plain: Reconstruction,
    kind: int,
    latents: Sequence[int],
    progress: FractionProgress = no_fraction_progress,
    shuffled: np.random.Generator | None = None,
) -> SwapErrors:
    """Swap latents in the batches of one kind, in which what they stand for varies; N is 0 if there are none.

    plain: the reconstruction of all batches. shuffled: draws the image whose latents are taken, in place of the next.
    """
    chosen, swaps = np.flatnonzero(codes.kind == kind), list(latents)
    rows: list[tuple[Floating, Floating, Floating]] = []
    for done, batch in enumerate(chosen, start=1):
        swapped = codes.mu[batch].copy()
        block = swapped[:, swaps]
        swapped[:, swaps] = np.roll(block, -1, axis=0) if shuffled is None else shuffled.permutation(block)
        truth = batches.images[batch].astype(np.float32) / 255
        following = np.roll(truth, -1, axis=0)
        errors = (mean_squares(picture - following) for picture in (codec.decode(swapped), truth))
        rows.append((*errors, np.roll(plain.squared_error[batch], -1)))
        progress(done / len(chosen))
    return SwapErrors(*(map(np.concatenate, zip(*rows, strict=True)) if rows else [np.empty(0)] * 3))
