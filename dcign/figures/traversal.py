"""One latent moved at a time over the range that the data give it, the rest of the code left as it was."""

from collections.abc import Sequence

import numpy as np

from dcign.figures.board import Board, Group, Row
from dcign.figures.held import HeldImages, HeldSweeps

INTRINSIC_ROWS = 4
STEPS = 7  # pictures in a row
MIDDLE = (1, 99)  # percentiles of what the iid split gives the latent


def traversal_board(held: HeldSweeps, iid: HeldImages, people: Sequence[int] = (0, 1)) -> Board:
    """Move the factors' latents, and of the others those that say most, for some people side by side."""
    run = held.run
    owned = [fit.latent for fit in run.calibrations]
    telling = [int(latent) for latent in np.argsort(-iid.codes.mean_divergence()) if latent not in owned]
    rows = []
    for place, latent in enumerate([*owned, *telling[:INTRINSIC_ROWS]]):
        low, high = np.percentile(iid.codes.flat_mu[:, latent], MIDDLE)
        label, note = f"latent {latent}", "of no factor"
        if place < len(owned):
            ends = run.calibrations[place].value(np.array([low, high]))
            if ends[1] < ends[0]:  # a latent may fall as its factor rises; the row always rises
                low, high, ends = high, low, ends[::-1]
            label, note = run.factors[place], " to ".join(run.angle(place, end) for end in ends)
        blocks = []
        for person in people:
            moved = np.repeat(held.people_codes[person][None], STEPS, axis=0)
            moved[:, latent] = np.linspace(low, high, STEPS)
            blocks.append(run.codec.decode(moved))
        rows.append(Row(label, tuple(blocks), note))
    title = f"One latent moved at a time, the rest of the code left as it was ({run.name})"
    return Board(title, (Group(tuple(rows)),))
