"""How well factors are read from pictures that are framed, lit or covered otherwise: no photographs are needed.

Pictures of the iid split are altered one way at a time, as photographs differ from a data set's pictures. Alterations
are computed in linear light (dcign/inputs/framing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dcign.arrays import UInt8
from dcign.inputs.framing import Framing, framed, over
from dcign.inputs.light import encoded_light, light_of
from dcign.inputs.source import LabelledBatches
from dcign.metrics.categorical import same_class
from dcign.metrics.circular import circular_r_squared, wrapped
from dcign.metrics.regression import r_squared
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.trained.calibration import Calibration, factor_values
from dcign.trained.codec import Codec

IMAGES = 400  # of the iid split, spread evenly
SHIFT = 3 / 64  # share of the width
GRAY = 0.5  # encoded value of the gray background and of the square
GAMMA = 1.4
SQUARE = 0.25  # side of the square, as a share of the width
FRAMINGS: dict[str, dict[str, float]] = {
    "shift_sideways": {"right": SHIFT},
    "shift_up": {"down": -SHIFT},
    "roll": {"roll": 10.0},
    "zoom_out": {"zoom": 0.85},
    "zoom_in": {"zoom": 1.4},
}


def measure_robustness(
    codec: Codec,
    iid: LabelledBatches,
    fits: Sequence[Calibration],
    rng: np.random.Generator,
    progress: FractionProgress = no_fraction_progress,
) -> dict[str, Any]:  # JSON
    """Return `read_scores` of each factor under each alteration, by their names, as evaluation.json has them.

    The gray background needs masks; without them it is left out.
    """
    chosen = np.linspace(0, iid.images.shape[0] * iid.images.shape[1] - 1, IMAGES).round().astype(np.intp)
    chosen = np.unique(chosen)
    images = iid.images.reshape(-1, *iid.images.shape[2:])[chosen]
    mask = None if iid.mask is None else iid.mask.reshape(-1, *iid.mask.shape[2:])[chosen]
    truth = iid.factors.reshape(-1, iid.factors.shape[-1])[chosen]
    found = {}
    alterations = alterations_of(images, mask, rng)
    for number, (name, altered) in enumerate(alterations.items()):
        read = factor_values(codec.encode(altered)[0], fits)
        found[name] = {
            fit.factor: read_scores(values, wanted, fit)
            for fit, values, wanted in zip(fits, read.T, truth.T, strict=True)
        }
        progress((number + 1) / len(alterations))
    return {"images": len(images), "alterations": found}


def read_scores(read: Any, truth: Any, fit: Calibration) -> dict[str, float]:  # arrays (N,) of any floating type
    """Return the mean absolute error and R^2 of a factor's values, (N,) each, or the accuracy of its classes."""
    values, wanted = np.asarray(read, np.float64), np.asarray(truth, np.float64)
    if fit.classes:
        return {"accuracy": same_class(values, wanted)}
    error = wrapped(values - wanted) if fit.circular else values - wanted
    r2 = circular_r_squared(wanted, values) if fit.circular else r_squared(wanted, values)
    return {"mean_absolute_error": float(np.abs(error).mean()), "r2": r2}


def alterations_of(images: UInt8, mask: UInt8 | None, rng: np.random.Generator) -> dict[str, UInt8]:
    """Return pictures (N, S, S, C) uint8 under each alteration, by its name; mask (N, S, S) 0..255, or None."""
    light = light_of(torch.from_numpy(images)).permute(0, 3, 1, 2)
    size = images.shape[1]
    altered = {"unaltered": images}
    for name, framing in FRAMINGS.items():
        altered[name] = _stored(framed(light, Framing.of(len(light), **framing), size))
    gray = ((GRAY + 0.055) / 1.055) ** 2.4
    if mask is not None:
        coverage = torch.from_numpy(mask)[:, None] / 255
        altered["gray_background"] = _stored(over(light, coverage, torch.full_like(light, gray)))
    altered["gamma"] = (255 * (images / 255) ** GAMMA).round().astype(np.uint8)
    altered["occlusion"] = _with_square(images, rng)
    return altered


def _with_square(images: UInt8, rng: np.random.Generator) -> UInt8:
    """Cover a square in each picture, whose centre lies in the middle half of the picture."""
    size = images.shape[1]
    side = round(SQUARE * size)
    covered = images.copy()
    corners = (rng.uniform(0.25, 0.75, (len(images), 2)) * size - side / 2).round().astype(int)
    for picture, (row, column) in zip(covered, corners, strict=True):
        picture[row : row + side, column : column + side] = round(255 * GRAY)
    return covered


def _stored(light: Tensor) -> UInt8:
    stored: UInt8 = (encoded_light(light.clamp(0, 1)) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return stored
