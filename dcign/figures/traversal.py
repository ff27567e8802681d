"""Latent traversals: one latent moves over the range that it has on the data, the rest of the code is unchanged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dcign.figures.encoded import EncodedImages, EncodedSweeps
from dcign.figures.picture_grid import PictureGrid, Row, RowGroup

INTRINSIC_ROWS = 4
STEPS = 7  # pictures per row
MIDDLE = (1, 99)  # percentiles of the latent on the iid split, between which it moves


def traversal_grid(encoded: EncodedSweeps, iid: EncodedImages, people: Sequence[int] = (0, 1)) -> PictureGrid:
    """Move each factor's latent, and the intrinsic latents of the largest KL divergence, for people side by side."""
    run = encoded.run
    owned = [fit.latent for fit in run.calibrations]
    informative = [int(latent) for latent in np.argsort(-iid.codes.mean_divergence()) if latent not in owned]
    rows = []
    for row, latent in enumerate([*owned, *informative[:INTRINSIC_ROWS]]):
        low, high = np.percentile(iid.codes.flat_mu[:, latent], MIDDLE)
        label, note = f"latent {latent}", "intrinsic"
        if row < len(owned):
            ends = run.calibrations[row].value(np.array([low, high]))
            if ends[1] < ends[0]:  # the latent falls as its factor rises; pictures are in the order of the factor
                low, high, ends = high, low, ends[::-1]
            label, note = run.factors[row], " to ".join(run.angle(row, end) for end in ends)
        blocks = []
        for person in people:
            moved = np.repeat(encoded.people_codes[person][None], STEPS, axis=0)
            moved[:, latent] = np.linspace(low, high, STEPS)
            blocks.append(run.codec.decode(moved))
        rows.append(Row(label, tuple(blocks), note))
    title = f"One latent moves per row, the rest of the code is unchanged ({run.name})"
    return PictureGrid(title, (RowGroup(tuple(rows)),))
