"""Editing a picture: encode it, set factors in its code through the calibration, decode it.

Blocks of the code, such as the hair's, can be taken from other pictures. Names, units and ranges are those of the run.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dcign.arrays import Floating, UInt8
from dcign.errors import TrainingError
from dcign.metrics import psnr_decibels
from dcign.trained.calibration import Calibration, calibration_of, factor_values, with_factors
from dcign.trained.codec import Codec
from dcign.trained.shipped import is_shipped
from dcign.trained.trained_run import TrainedRun

MOST = 1000  # largest number of pictures
BEYOND = 0.01  # share of a factor's range that is allowed beyond its ends, e.g. 86 degrees where training ended at 85.8
MOST_TURNED = 3600.0  # degrees of a circular factor, which any number of turns leaves alone
WORDS = ("degree", "year", "millimetre", "standard deviation")  # units that have a plural
FAR_DECIBELS = 6.0  # below the test split's reconstruction: four times its squared error
PHOTOGRAPHS = "For a photograph, use the network wild (docs/photographs.md)."
LEAST_DECIBELS = 3.0  # above a constant colour: half its squared error


@dataclass(frozen=True, eq=False)
class Edit:
    """The factors read from a picture, and the pictures made from it."""

    read: dict[str, float]  # factor -> value in its unit
    reconstruction: Floating  # (S, S, C) 0..1, from the unchanged code
    psnr_db: float  # of the reconstruction, whole frame
    flat_psnr_db: float  # of a constant picture, the mean colour
    pictures: Floating  # (N, S, S, C) 0..1, at the given values


def edit(
    codec: Codec,
    calibrations: Sequence[Calibration],
    image: UInt8,
    values: Mapping[str, ArrayLike],
    blocks_from: Mapping[str, UInt8] | None = None,
) -> Edit:
    """Encode a picture (S, S, C) uint8, and decode it with factors set to a number or (N,) each, in their units.

    Factors that are not named keep the values that were read. blocks_from: pictures of the same shape, by the name of
    the block of the code that is taken from each, such as `hair`.

    Raises TrainingError for a picture of another size, an unknown factor or block, a value outside the range of
    training, or lists of different lengths.
    """
    donors = dict(blocks_from or {})
    for picture in (image, *donors.values()):
        _refuse_other_shape(codec, picture)
    refuse_outside(calibrations, values)
    _refuse_unequal({name: np.size(wanted) for name, wanted in values.items() if np.size(wanted) > 1})
    mu, *others = np.split(codec.encode(np.stack([image, *donors.values()]))[0], 1 + len(donors))
    taken = _with_blocks(codec, mu, dict(zip(donors, others, strict=True)))
    count = max((np.size(wanted) for wanted in values.values()), default=1)
    changed = with_factors(np.repeat(taken, count, axis=0), calibrations, **values)
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


def _refuse_other_shape(codec: Codec, picture: UInt8) -> None:
    size, channels = codec.description.size, codec.description.channels
    if picture.shape != (size, size, channels) or picture.dtype != np.uint8:
        raise TrainingError(
            f"expected a picture uint8 {(size, size, channels)}, found {picture.dtype} {picture.shape}: use "
            "dcign.infer.read_picture.fitted."
        )


def _with_blocks(codec: Codec, mu: Floating, others: Mapping[str, Floating]) -> Floating:
    """Return a code (1, Z) with each named block taken from another code (1, Z)."""
    if others and not codec.configuration.recipe.assigned:
        raise TrainingError(
            f"expected a run whose code has blocks, found {codec.configuration.recipe.name}: use a run of swap, paper "
            "or released."
        )
    changed = mu.copy()
    for name, other in others.items():
        latents = list(codec.layout.latents_of(name))
        changed[:, latents] = other[:, latents]
    return changed


def refuse_outside(calibrations: Sequence[Calibration], values: Mapping[str, ArrayLike]) -> None:
    """Raise TrainingError unless the factors exist and their values are within the range of training (and 1 % more)."""
    for name, wanted in values.items():
        fit = calibration_of(name, calibrations)
        low, high = (-MOST_TURNED, MOST_TURNED) if fit.circular else fit.range
        slack = BEYOND * (high - low)
        try:
            numbers = np.asarray(wanted, np.float64)
        except (TypeError, ValueError):
            raise TrainingError(
                f"expected a number or a list of numbers for {name}, found {str(wanted)[:50]!r}: correct it."
            ) from None
        if numbers.ndim > 1 or not numbers.size:
            raise TrainingError(
                f"expected a number or a list of numbers for {name}, found shape {numbers.shape}: correct it."
            )
        for value in numbers.ravel():
            if not low - slack <= value <= high + slack:
                raise TrainingError(
                    f"expected {name} from {low:.4g} to {high:.4g}, the range of training, found {value:g}: correct it."
                )


def _refuse_unequal(lengths: Mapping[str, int]) -> None:
    """Raise TrainingError unless all factors with several values have the same number of them."""
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise TrainingError(
            f"expected equally many values for each factor, because they change together, found {found}: correct them, "
            "or use --grid."
        )


def arranged(values: Mapping[str, Sequence[float]], grid: bool = False) -> tuple[int, dict[str, Floating]]:
    """Return the number of columns, and each factor's value (N,) in every picture, row by row.

    Factors with several values change together, so their lists have the same length. A factor with one value is
    constant. In a grid, two factors with several values are combined: the first changes from row to row, the second
    along each row.
    """
    several = {name: list(each) for name, each in values.items() if len(each) > 1}
    if not grid:
        _refuse_unequal({name: len(each) for name, each in several.items()})
        columns = count = max(map(len, several.values()), default=1)
        spread = {name: np.asarray(each, np.float64) for name, each in several.items()}
    else:
        if len(several) != 2:
            raise TrainingError(f"expected two factors with several values for --grid, found {len(several)}: give two.")
        (rows, down), (along, across) = several.items()
        columns, count = len(across), len(down) * len(across)
        spread = {rows: np.repeat(np.asarray(down), len(across)), along: np.tile(np.asarray(across), len(down))}
    if count > MOST:
        raise TrainingError(f"expected {MOST} pictures or fewer, found {count}: give fewer values.")
    return columns, {name: spread.get(name, np.full(count, each[0])) for name, each in values.items()}


def parse_values(text: str, classes: Sequence[str] = ()) -> tuple[float, ...]:
    """Read numbers separated by commas. LOW:HIGH:COUNT stands for COUNT evenly spaced numbers, both ends included.

    With classes, read names of classes or their indices, and return indices.
    """
    if classes:
        return tuple(map(float, _class_indices(text, classes)))
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
                f"expected -30, or -30,0,30, or -30:30:7 for 7 evenly spaced numbers (2 to {MOST}), found {part!r}: "
                "correct it."
            )
        values += found
    return tuple(values)


def _class_indices(text: str, classes: Sequence[str]) -> list[int]:
    known = {str(index): index for index in range(len(classes))} | {name: index for index, name in enumerate(classes)}
    if text in known:  # a name may hold commas
        return [known[text]]
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in known:
            raise TrainingError(f"expected {', '.join(classes)}, or several of them, found {word!r}: correct it.")
    return [known[word] for word in words]


def usual_decibels(run: TrainedRun) -> float | None:
    """Return the mean PSNR of the test split's reconstructions, whole frame, or None if the evaluation lacks it."""
    try:
        decibels = run.evaluation["reconstruction"]["psnr_frame_db"]
    except (TrainingError, KeyError):
        return None
    return float(decibels) if isinstance(decibels, int | float) else None


def caution(run: TrainedRun, psnr_db: float, flat_psnr_db: float) -> str:
    """Return the warning about a picture that a run was given, or "" if there is nothing to warn of.

    psnr_db, flat_psnr_db: of its reconstruction, and of a constant picture in its mean colour.

    A network that was trained to draw clean pictures leaves out the background, so its reconstruction says nothing.
    """
    if run.configuration.recipe.draws_clean:
        return ""
    found = warning(psnr_db, flat_psnr_db, usual_decibels(run))
    return f"{found} {PHOTOGRAPHS}" if found and is_shipped(run.folder) else found


def warning(psnr_db: float, flat_psnr_db: float, usual_db: float | None) -> str:
    """Return a sentence if a picture was reconstructed much worse than the test split; else "".

    An empty picture is reconstructed well although it shows nothing. So the reconstruction must also be better than a
    constant colour.
    """
    if psnr_db < flat_psnr_db + LEAST_DECIBELS:
        return (
            f"Its reconstruction has {psnr_db:.1f} dB, a constant colour {flat_psnr_db:.1f} dB: the network sees "
            "little or nothing in it, so do not trust these values and pictures."
        )
    if usual_db is None or psnr_db >= usual_db - FAR_DECIBELS:
        return ""
    return (
        f"Its reconstruction has {psnr_db:.1f} dB, pictures of the test split {usual_db:.1f} dB: it is far from "
        "what the network was trained on, so do not trust these values and pictures."
    )


def example_option(fit: Calibration) -> str:
    """Return an option that changes a factor within its range, such as "--azimuth 34"."""
    low, high = fit.range
    value = low + 0.7 * (high - low)
    text = fit.classes[-1] if fit.classes else f"{value:.0f}" if high - low >= 10 else f"{value:.2g}"
    return f"--{fit.factor.replace('_', '-')} {shlex.quote(text)}"


def describe(
    read: Mapping[str, float], units: Sequence[str], classes: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Format values: `azimuth -12.3, elevation 4.0 degrees`. A unit that all share stands once, at the end.

    classes: the names of the classes of factors that have any; the value is then the class's name.
    """
    named = {name: each[round(read[name])] for name, each in (classes or {}).items()}
    words = [f"{name.replace('_', ' ')} {named.get(name, f'{value:.1f}')}" for name, value in read.items()]
    counted = list(map(plural, units))
    if len(set(counted)) > 1:
        return ", ".join(f"{word} {unit}".strip() for word, unit in zip(words, counted, strict=True))
    return f"{', '.join(words)} {counted[0]}".strip()


def plural(unit: str) -> str:
    """Return the plural of a unit that is a word; others, such as px, stay."""
    return f"{unit}s" if unit.endswith(WORDS) else unit
