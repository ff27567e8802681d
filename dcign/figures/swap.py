"""Swaps: the identity of one picture, and one factor of another. One grid per factor, of unseen people."""

from __future__ import annotations

import numpy as np

from dcign.figures.encoded import EncodedImages, EncodedSweeps
from dcign.figures.picture_grid import PictureGrid, Row, RowGroup

PEOPLE = 4  # rows
DONORS = 9  # columns


def swap_grid(encoded: EncodedSweeps, iid: EncodedImages, factor: int) -> PictureGrid:
    """Set a factor in the code of each picture on the left to the value inferred from each picture on top."""
    run, direction = encoded.run, encoded.directions[factor]
    donors = _donors(encoded, iid, factor)
    mu = iid.codes.flat_mu[donors]
    values = direction.direction.value(mu)
    pictures = iid.batches.images.reshape(-1, *iid.batches.images.shape[2:])[donors]
    truth = iid.codes.flat_factors[donors, factor]
    captions = ("", *(run.angle(factor, value) for value in truth))
    rows = [Row(f"{run.factors[factor]} from", (None, pictures), captions=captions, pale=True)]
    for person in range(min(PEOPLE, len(encoded.people))):
        made = run.codec.decode(direction.turned(encoded.people_codes[person], values))
        rows.append(Row("the rest from" if person == 0 else "", (encoded.people[person][None], made)))
    title = f"{run.factors[factor]} from the picture on top, the rest from the picture on the left ({run.name})"
    return PictureGrid(title, (RowGroup(tuple(rows)),))


def _donors(encoded: EncodedSweeps, iid: EncodedImages, factor: int) -> list[int]:
    """Return different images of the iid split whose labels are spread evenly over the sweep's range."""
    truth = iid.codes.flat_factors[:, factor]
    chosen: list[int] = []
    for wanted in np.linspace(encoded.sweeps[factor].levels[0], encoded.sweeps[factor].levels[-1], DONORS):
        nearest = np.argsort(np.abs(truth - wanted), kind="stable")
        chosen.append(next(int(image) for image in nearest if int(image) not in chosen))
    return chosen
