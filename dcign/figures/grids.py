"""The picture grids of a run, all of unseen people.

relit, turned  one picture decoded at other values of each factor, above the renderer's truth: the paper's figures 4, 5a
traversal      one latent moves over the range that it has on the data, the rest of the code is unchanged
swap           the identity of one picture, and one factor of another
reconstruction originals above their reconstructions: unsorted, best, median and worst; with a refiner, its pictures too
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dcign.arrays import Floating
from dcign.evaluate.codes import Codes, evenly
from dcign.figures.encoded import EncodedImages, EncodedSweeps, FactorDirection
from dcign.figures.picture_grid import PictureGrid, Row, RowGroup
from dcign.metrics import psnr_decibels
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.trained_run import TrainedRun

STRIP = 9  # pictures per row of `relit_grid` and `turned_grid`
STEPS = 7  # pictures per row of a traversal
MIDDLE = (1, 99)  # percentiles of a latent on the iid split, between which a traversal moves it
INTRINSIC_ROWS = 4  # of a traversal
PART_ROWS = 2  # of each part, where the code has parts
PEOPLE, DONORS = 4, 9  # rows and columns of swaps
EXAMPLES = 12  # reconstructions per row
JUDGED = 400  # images, evenly out of the iid split, among which best, median and worst are chosen


def relit_grid(encoded: EncodedSweeps, person: int) -> PictureGrid:
    """Show one person at levels of each factor's sweep. The last factor comes first, as light does in the paper."""
    groups = []
    for factor in reversed(encoded.swept):
        direction = encoded.directions[factor]
        rows = (
            turned_row(encoded, direction, factor, person, encoded.run.factors[factor]),
            truth_row(encoded, factor, person),
        )
        groups.append(RowGroup(rows))
    return PictureGrid(
        f"One unseen {encoded.run.subject}; each row changes one latent of its code",
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
    """Return the data set's pictures of the same person at the same levels."""
    strip = encoded.sweeps[factor].near(STRIP)
    captions = tuple(encoded.run.angle(factor, level) for level in strip.levels)
    label = "the data's pictures" if encoded.run.description.open_kinds else "renderer's truth"
    return Row(label, (strip.images[:, person],), captions=captions, pale=True)


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


def traversal_grid(encoded: EncodedSweeps, iid: EncodedImages) -> PictureGrid:
    """Move each factor's latents, and other latents of the largest KL divergence, for two people side by side."""
    people = range(min(2, len(encoded.people)))
    run = encoded.run
    rows = [_factor_row(encoded, iid, factor, people) for factor in range(len(run.factors))]
    for latent, note in _informative(run, iid.codes):
        low, high = np.percentile(iid.codes.flat_mu[:, latent], MIDDLE)
        values = np.linspace(low, high, STEPS)[:, None]
        rows.append(_latent_row(encoded, [latent], values, people, f"latent {latent}", note))
    title = f"One latent moves per row, the rest of the code is unchanged ({run.name})"
    return PictureGrid(title, (RowGroup(tuple(rows)),))


def _informative(run: TrainedRun, codes: Codes) -> list[tuple[int, str]]:
    """Return the latents of the largest KL divergence in the person's blocks, each with a note."""
    nats = codes.mean_divergence()
    owned = [latent for fit in run.calibrations for latent in fit.own]
    order = [int(latent) for latent in np.argsort(-nats) if latent not in owned]
    if not (run.description.parts and run.configuration.recipe.assigned):
        return [(latent, "intrinsic") for latent in order[:INTRINSIC_ROWS]]
    found = []
    for block in run.layout.person:
        of_block = [latent for latent in order if latent in block.latents]
        found += [(latent, block.name) for latent in of_block[:PART_ROWS]]
    return found


def _factor_row(encoded: EncodedSweeps, iid: EncodedImages, factor: int, people: Sequence[int]) -> Row:
    """Move a factor's latent over its middle values, in the order of the factor. A circular one makes a whole turn.

    One of classes passes from class to class.
    """
    run = encoded.run
    fit = run.calibrations[factor]
    if fit.circular or fit.classes:
        ends = np.array(fit.range)
        levels = np.linspace(ends[0], ends[1], STEPS)
        values = fit.coordinates(levels)
        if fit.classes:  # from one class to the next on a straight line
            share = (levels % 1)[:, None]
            values = (1 - share) * fit.coordinates(np.floor(levels)) + share * fit.coordinates(np.ceil(levels))
    else:
        low, high = np.percentile(iid.codes.flat_mu[:, fit.own[0]], MIDDLE)
        ends = fit.at(np.array([[low], [high]]))
        if ends[1] < ends[0]:  # the latent falls as its factor rises
            low, high, ends = high, low, ends[::-1]
        values = np.linspace(low, high, STEPS)[:, None]
    note = " to ".join(run.angle(factor, end) for end in ends)
    return _latent_row(encoded, list(fit.own), values, people, run.factors[factor], note)


def _latent_row(
    encoded: EncodedSweeps, latents: list[int], values: Floating, people: Sequence[int], label: str, note: str
) -> Row:
    """Set latents (k,) of each person's code to values (N, k)."""
    blocks = []
    for person in people:
        moved = np.repeat(encoded.people_codes[person][None], len(values), axis=0)
        moved[:, latents] = values
        blocks.append(encoded.run.codec.decode(moved))
    return Row(label, tuple(blocks), note)


def swap_grid(encoded: EncodedSweeps, iid: EncodedImages, factor: int) -> PictureGrid:
    """Set a factor in the code of each picture on the left to the value inferred from each picture on top."""
    run, direction = encoded.run, encoded.directions[factor]
    donors = _donors(encoded, iid, factor)
    mu = iid.codes.flat_mu[donors]
    values = direction.axis.value(mu)
    truth = iid.codes.flat_factors[donors, factor]
    captions = ("", *(run.angle(factor, value) for value in truth))
    rows = [Row(f"{run.factors[factor]} from", (None, iid.images[donors]), captions=captions, pale=True)]
    for person in range(min(PEOPLE, len(encoded.people))):
        made = run.codec.decode(direction.turned(encoded.people_codes[person], values))
        rows.append(Row("the rest from" if person == 0 else "", (encoded.people[person][None], made)))
    title = f"{run.factors[factor]} from the picture on top, the rest from the picture on the left ({run.name})"
    return PictureGrid(title, (RowGroup(tuple(rows)),))


def reconstruction_grid(
    run: TrainedRun, iid: EncodedImages, progress: FractionProgress = no_fraction_progress
) -> PictureGrid:
    """Sort images of the iid split by PSNR over the head, or over the frame if the split has no masks."""
    judged = evenly(len(iid.images), JUDGED)
    images, mu = iid.images[judged], iid.codes.flat_mu[judged]
    masks = iid.batches.mask
    mask = None if masks is None else masks.reshape(-1, *masks.shape[2:])[judged].astype(np.float32) / 255
    rebuilt = run.codec.decode(mu, progress)
    decibels = psnr_decibels(rebuilt - images.astype(np.float32) / 255, mask)
    order = np.argsort(-decibels, kind="stable").astype(np.intp)
    count = min(EXAMPLES, len(order))
    middle = (len(order) - count) // 2
    parts = {
        "unsorted": evenly(len(images), count),
        "best": order[:count],
        "median": order[middle : middle + count],
        "worst": order[len(order) - count :],
    }
    groups = []
    for title, chosen in parts.items():
        captions = tuple(f"{value:.1f}\N{NO-BREAK SPACE}dB" for value in decibels[chosen])
        rows = [
            Row("original", (images[chosen],), pale=True),
            Row("reconstruction", (rebuilt[chosen],), captions=captions),
        ]
        if run.has_refiner:
            rows.append(Row("refined", (run.sharp_codec.decode(mu[chosen]),)))
        groups.append(RowGroup(tuple(rows), f"{title}, of {len(images)} images"))
    return PictureGrid(f"Unseen {run.subjects} and their reconstructions ({run.name})", tuple(groups))


def _donors(encoded: EncodedSweeps, iid: EncodedImages, factor: int) -> list[int]:
    """Return different images of the iid split whose labels are spread evenly over the sweep's range, or their own."""
    truth = iid.codes.flat_factors[:, factor]
    chosen: list[int] = []
    range_of = encoded.sweeps[factor].levels if factor in encoded.swept else np.sort(truth)
    for wanted in np.linspace(range_of[0], range_of[-1], min(DONORS, len(truth))):
        nearest = np.argsort(np.abs(truth - wanted), kind="stable")
        chosen.append(next(int(image) for image in nearest if int(image) not in chosen))
    return chosen
