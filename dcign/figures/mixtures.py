"""Pictures of recombined people: rows give the person, columns one trait, beside the renderer's pictures."""

from __future__ import annotations

import numpy as np

from dcign.arrays import IntP
from dcign.evaluate.pictures.recombination import recombined
from dcign.figures.picture_grid import PictureGrid, Row, RowGroup
from dcign.inputs.source import MixedBatches
from dcign.trained.trained_run import TrainedRun


def mixture_grids(run: TrainedRun, mix: MixedBatches | None) -> tuple[PictureGrid, ...]:
    """Draw, for each trait, the first batch of mix that has the complete table of this trait against all others.

    There are none if the code has no blocks of its own for traits.
    """
    if mix is None or not run.configuration.recipe.assigned:
        return ()
    grids = []
    for column in range(len(mix.traits)):
        tables = ((batch, table_of(sources, column)) for batch, sources in enumerate(mix.sources))
        found = next(((batch, table) for batch, table in tables if table is not None), None)
        if found:
            grids.append(_grid(run, mix, column, *found))
    return tuple(grids)


def table_of(sources: IntP, column: int) -> IntP | None:
    """Return the images (P, P) of a batch in which the first person gives all but one trait, and the second that one.

    sources (n, T); column: the number of the trait. None if an image is missing, or there are fewer than three people.
    """
    people = np.flatnonzero((sources == np.arange(len(sources))[:, None]).all(axis=1))
    wanted = np.broadcast_to(people[:, None, None], (len(people), len(people), sources.shape[1])).copy()
    wanted[:, :, column] = people
    same = (sources == wanted[:, :, None]).all(axis=3)  # (P, P, n)
    complete = len(people) > 2 and same.any(axis=2).all()
    return np.asarray(same.argmax(axis=2), np.intp) if complete else None


def _grid(run: TrainedRun, mix: MixedBatches, column: int, batch: int, table: IntP) -> PictureGrid:
    images, trait = mix.batches.images[batch], mix.traits[column]
    codes = run.codec.encode(images)[0]
    made = run.codec.decode(recombined(codes[None], mix.sources[[batch]], mix.traits, run.layout)[0])
    numbers = [f"person {number + 1}" for number in range(len(table))]
    rows = [
        Row(
            number,
            (made[line], images[line]),
            captions=tuple(f"{trait} of {giver + 1}" for giver in range(len(table))) * 2 if row == 0 else (),
        )
        for row, (number, line) in enumerate(zip(numbers, table, strict=True))
    ]
    title = f"{trait} of one person, all else of another: left the network, right the renderer ({run.name})"
    return PictureGrid(title, (RowGroup(tuple(rows)),))
