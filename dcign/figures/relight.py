"""One picture re-lit and turned by its latents alone, above the renderer's truth: the paper's figures 4 and 5a."""

from collections.abc import Sequence

import numpy as np

from dcign.figures.board import Board, Group, Row
from dcign.figures.dial import FactorDirection
from dcign.figures.held import HeldSweeps
from dcign.metrics import psnr_decibels

STRIP = 9  # pictures in a strip


def relit_board(held: HeldSweeps, person: int) -> Board:
    """Show one person of the sweeps at its levels, the last factor first, as the paper has the light."""
    groups = []
    for place in reversed(range(len(held.dials))):
        dial = held.dials[place]
        rows = (
            turned_row(held, dial, place, person, held.run.factors[place]),
            truth_row(held, place, person),
        )
        groups.append(Group(rows))
    return Board(
        "One picture of a person never seen in training, re-lit and turned by one latent each",
        tuple(groups),
        held.people[person][None],
        "all that the network sees",
    )


def turned_row(held: HeldSweeps, dial: FactorDirection, place: int, person: int, label: str) -> Row:
    """Show a person's code set by a dial to levels of a factor's sweep, with the mean PSNR against the truth."""
    strip = held.sweeps[place].near(STRIP)
    pictures = held.run.codec.decode(dial.turned(held.people_codes[person], strip.levels))
    error = pictures - strip.images[:, person].astype(np.float32) / 255
    return Row(label, (pictures,), f"{dial.name}, {psnr_decibels(error).mean():.1f}\N{NO-BREAK SPACE}dB")


def truth_row(held: HeldSweeps, place: int, person: int) -> Row:
    """Show the renderer's pictures of the same person at the same levels."""
    strip = held.sweeps[place].near(STRIP)
    captions = tuple(held.run.angle(place, level) for level in strip.levels)
    return Row("renderer's truth", (strip.images[:, person],), captions=captions, pale=True)


def turned_board(compared: Sequence[HeldSweeps], place: int, person: int) -> Board:
    """Show one factor turned by every dial of several runs, the first one's factor being meant, the truth below."""
    rows = [
        turned_row(held, dials[place], place, person, held.run.name)
        for held in compared
        for dials in (held.dials, *held.baselines)
    ]
    truth = truth_row(compared[0], place, person)
    return Board(f"{compared[0].run.factors[place]} turned", (Group((*rows, truth)),))
