"""One picture rendered again, at other values of its factors: its code, with latents set through the calibration.

Nothing here knows what a factor means: the names, units and ranges are those of the run.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating, UInt8
from dcign.errors import TrainingError
from dcign.metrics import psnr_decibels
from dcign.trained.calibration import FactorCalibration, factor_values, with_factors
from dcign.trained.codec import Codec
from dcign.trained.trained_run import TrainedRun

MOST = 1000  # pictures at once
BEYOND = 0.01  # of a factor's range, that may be asked for beyond its ends: 86 where 85.8 was the last in training
FAR_DECIBELS = 6.0  # worse than the test set's reconstruction: four times the squared error
LEAST_DECIBELS = 3.0  # better than one flat colour: half its squared error


@dataclass(frozen=True, eq=False)
class Edit:
    """What a picture was read as, and what was made of it."""

    read: dict[str, float]  # the factors' values, in their units
    reconstruction: Floating  # (S, S, C) 0..1, from the code as it was
    psnr_db: float  # of the reconstruction, over the whole frame
    flat_psnr_db: float  # of one flat colour in its place, the picture's mean
    pictures: Floating  # (N, S, S, C) 0..1, at the values asked for


def edit(
    codec: Codec,
    calibrations: Sequence[FactorCalibration],
    image: UInt8,
    values: Mapping[str, ArrayLike],
) -> Edit:
    """Read a picture (S, S, C), and decode it with factors set, each a number or (N,), in their units.

    Factors that are not named stay as they were read. Raises TrainingError for a picture of another size, a factor
    that is not there, a value that training did not cover, or lists of different lengths.
    """
    size, channels = codec.description.size, codec.description.channels
    if image.shape != (size, size, channels) or image.dtype != np.uint8:
        raise TrainingError(
            f"the picture is {image.dtype} {image.shape}: wanted uint8 {(size, size, channels)}, as "
            "dcign.infer.read_picture.fitted makes it"
        )
    refuse_outside(calibrations, values)
    _refuse_unequal({name: np.size(wanted) for name, wanted in values.items() if np.size(wanted) > 1})
    mu = codec.encode(image[None])[0]
    count = max((np.size(wanted) for wanted in values.values()), default=1)
    changed = with_factors(np.repeat(mu, count, axis=0), calibrations, **values)
    reconstruction, *pictures = codec.decode(np.concatenate([mu, changed]))
    read = factor_values(mu, calibrations)[0]
    shown = image.astype(np.float32) / 255
    decibels, flat_decibels = psnr_decibels(np.stack([reconstruction - shown, shown.mean(axis=(0, 1)) - shown]))
    return Edit(
        read={fit.factor: float(value) for fit, value in zip(calibrations, read, strict=True)},
        reconstruction=reconstruction,
        psnr_db=float(decibels),
        flat_psnr_db=float(flat_decibels),
        pictures=np.stack(pictures),
    )


def refuse_outside(calibrations: Sequence[FactorCalibration], values: Mapping[str, ArrayLike]) -> None:
    """Raise unless the factors are there, and their values within what training covered, or 1 % of that beyond."""
    places = {fit.factor: fit for fit in calibrations}
    for name, wanted in values.items():
        if name not in places:
            raise TrainingError(f"there is no factor {name!r}: choose {', '.join(places)}")
        low, high = places[name].range
        slack = BEYOND * (high - low)
        try:
            numbers = np.asarray(wanted, np.float64)
        except (TypeError, ValueError):
            raise TrainingError(f"{name} is {str(wanted)[:50]!r}: wanted a number, or a list of them") from None
        if numbers.ndim > 1 or not numbers.size:
            raise TrainingError(f"{name} has shape {numbers.shape}: wanted a number, or a list of one or more")
        for value in numbers.ravel():
            if not low - slack <= value <= high + slack:
                raise TrainingError(
                    f"{name} {value:g} is out of what the network was trained on: wanted {low:.4g} to {high:.4g}"
                )


def _refuse_unequal(lengths: Mapping[str, int]) -> None:
    """Raise unless factors of several values, which move together, have as many each."""
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise TrainingError(f"{found} values: wanted as many of each, as they move together, or two in a --grid")


def arranged(values: Mapping[str, Sequence[float]], grid: bool = False) -> tuple[int, dict[str, Floating]]:
    """Say how many pictures stand in a row, and what each picture's values are, (N,) a factor, row by row.

    Factors of several values move together, through lists of one length; those of one value stay at it. In a grid, two
    factors of several values are combined: the first named down the rows, the second along each.
    """
    several = {name: list(each) for name, each in values.items() if len(each) > 1}
    if not grid:
        _refuse_unequal({name: len(each) for name, each in several.items()})
        columns = count = max(map(len, several.values()), default=1)
        spread = {name: np.asarray(each, np.float64) for name, each in several.items()}
    else:
        if len(several) != 2:
            raise TrainingError(f"{len(several)} factors of several values: wanted two for a --grid, rows and columns")
        (rows, down), (along, across) = several.items()
        columns, count = len(across), len(down) * len(across)
        spread = {rows: np.repeat(np.asarray(down), len(across)), along: np.tile(np.asarray(across), len(down))}
    if count > MOST:
        raise TrainingError(f"{count} pictures asked for: wanted {MOST} or fewer")
    return columns, {name: spread.get(name, np.full(count, each[0])) for name, each in values.items()}


def parse_values(text: str) -> tuple[float, ...]:
    """Read numbers between commas; LOW:HIGH:COUNT stands for COUNT of them, evenly spread from end to end."""
    values: list[float] = []
    for part in text.split(","):
        try:
            *ends, last = part.split(":")
            if ends:
                low, high = (float(end) for end in ends)
                steps = int(last) - 1
                shares = [step / steps for step in range(steps + 1)] if 1 <= steps < MOST else []
                found = [(1 - share) * low + share * high for share in shares]
            else:
                found = [float(last)]
        except ValueError:
            found = []
        if not found or not all(map(math.isfinite, found)):
            raise TrainingError(
                f"cannot read {part!r} as a number: wanted one, as -30, several, as -30,0,30, or -30:30:7 for 7 "
                f"from end to end, 2 to {MOST}"
            )
        values += found
    return tuple(values)


def usual_decibels(run: TrainedRun) -> float | None:
    """Return the mean PSNR over the frame at which the test split came back, if the run's evaluation tells it."""
    try:
        decibels = run.evaluation["reconstruction"]["psnr_frame_db"]
    except (TrainingError, KeyError):
        return None
    return float(decibels) if isinstance(decibels, int | float) else None


def warning(psnr_db: float, flat_psnr_db: float, usual_db: float | None) -> str:
    """Return a sentence if a picture came back much worse than those of the test split do; else nothing.

    An empty frame comes back well, and there is nothing in it: so a picture must also come back better than one flat
    colour in its place would be.
    """
    if psnr_db < flat_psnr_db + LEAST_DECIBELS:
        return (
            f"It comes back at {psnr_db:.1f} dB, and one flat colour would be at {flat_psnr_db:.1f} dB: the network "
            "sees little or nothing in it, so expect nothing of what was read and made."
        )
    if usual_db is None or psnr_db >= usual_db - FAR_DECIBELS:
        return ""
    return (
        f"It comes back at {psnr_db:.1f} dB, and pictures of the test set at {usual_db:.1f} dB: it is far from what "
        "the network was trained on, so expect little of what was read and made."
    )


def told(read: Mapping[str, float], units: Sequence[str]) -> str:
    """Say values in words: `azimuth -12.3, elevation 4.0 degrees`; a unit that all share is said once."""
    words = [f"{name.replace('_', ' ')} {value:.1f}" for name, value in read.items()]
    plural = [f"{unit}s" if unit.endswith("degree") else unit for unit in units]
    if len(set(plural)) > 1:
        return ", ".join(f"{word} {unit}".strip() for word, unit in zip(words, plural, strict=True))
    return f"{', '.join(words)} {plural[0]}".strip()
