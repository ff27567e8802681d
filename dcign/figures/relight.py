"""One picture decoded at other values of each factor, above the renderer's truth: the paper's figures 4 and 5a."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dcign.figures.encoded import EncodedSweeps
from dcign.figures.factor_direction import FactorDirection
from dcign.figures.picture_grid import PictureGrid, Row, RowGroup
from dcign.metrics import psnr_decibels

STRIP = 9  # pictures per row


def relit_grid(encoded: EncodedSweeps, person: int) -> PictureGrid:
    """Show one person at levels of each factor's sweep. The last factor comes first, as light does in the paper."""
    groups = []
    for factor in reversed(range(len(encoded.directions))):
        direction = encoded.directions[factor]
        rows = (
            turned_row(encoded, direction, factor, person, encoded.run.factors[factor]),
            truth_row(encoded, factor, person),
        )
        groups.append(RowGroup(rows))
    return PictureGrid(
        "One picture of an unseen person; each row changes one latent of its code",
        tuple(groups),
        encoded.people[person][None],
        "the network's input",
    )


def turned_row(encoded: EncodedSweeps, direction: FactorDirection, factor: int, person: int, label: str) -> Row:
    """Set a factor in a person's code to levels of its sweep. The note is the mean PSNR against the truth."""
    strip = encoded.sweeps[factor].near(STRIP)
    pictures = encoded.run.codec.decode(direction.turned(encoded.people_codes[person], strip.levels))
    error = pictures - strip.images[:, person].astype(np.float32) / 255
    return Row(label, (pictures,), f"{direction.name}, {psnr_decibels(error).mean():.1f}\N{NO-BREAK SPACE}dB")


def truth_row(encoded: EncodedSweeps, factor: int, person: int) -> Row:
    """Return the renderer's pictures of the same person at the same levels."""
    strip = encoded.sweeps[factor].near(STRIP)
    captions = tuple(encoded.run.angle(factor, level) for level in strip.levels)
    return Row("renderer's truth", (strip.images[:, person],), captions=captions, pale=True)


def turned_grid(compared: Sequence[EncodedSweeps], factor: int, person: int) -> PictureGrid:
    """Set one factor by every direction of several runs, one row each, with the renderer's truth below.

    factor: its number among the factors of the first run.
    """
    rows = [
        turned_row(encoded, directions[factor], factor, person, encoded.run.name)
        for encoded in compared
        for directions in (encoded.directions, *encoded.baselines)
    ]
    truth = truth_row(compared[0], factor, person)
    return PictureGrid(f"{compared[0].run.factors[factor]} set to other values", (RowGroup((*rows, truth)),))
