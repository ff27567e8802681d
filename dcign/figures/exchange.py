"""Who from one picture, a factor from another: a grid a factor, made of codes of people never seen."""

import numpy as np

from dcign.figures.board import Board, Group, Row
from dcign.figures.held import HeldImages, HeldSweeps

PEOPLE = 4  # rows
GIVERS = 9  # columns


def exchange_board(held: HeldSweeps, iid: HeldImages, place: int) -> Board:
    """Put a factor as the network infers it from each picture on top into the code of each picture on the left."""
    run, dial = held.run, held.dials[place]
    givers = _givers(held, iid, place)
    mu = iid.codes.flat_mu[givers]
    values = dial.direction.value(mu)
    pictures = iid.batches.images.reshape(-1, *iid.batches.images.shape[2:])[givers]
    truth = iid.codes.flat_factors[givers, place]
    captions = ("", *(run.angle(place, value) for value in truth))
    rows = [Row(f"{run.factors[place]} from", (None, pictures), captions=captions, pale=True)]
    for person in range(min(PEOPLE, len(held.people))):
        made = run.codec.decode(dial.turned(held.people_codes[person], values))
        rows.append(Row("all else from" if person == 0 else "", (held.people[person][None], made)))
    title = f"Everything from the picture on the left, {run.factors[place]} from the one on top ({run.name})"
    return Board(title, (Group(tuple(rows)),))


def _givers(held: HeldSweeps, iid: HeldImages, place: int) -> list[int]:
    """Choose images of the iid split by their labels, evenly over the sweep's range, no image twice."""
    truth = iid.codes.flat_factors[:, place]
    chosen: list[int] = []
    for wanted in np.linspace(held.sweeps[place].levels[0], held.sweeps[place].levels[-1], GIVERS):
        nearest = np.argsort(np.abs(truth - wanted), kind="stable")
        chosen.append(next(int(image) for image in nearest if int(image) not in chosen))
    return chosen
