"""What a refiner gains, and what it invents: its pictures beside the plain decoder's, against the renderer's truth.

The refiner changes neither the encoder nor the code, so it cannot change a figure of disentanglement. It draws fine
structure that the code does not hold. Where that is wrong, PSNR falls below the plain decoder's. Where it differs from
view to view, the encoder takes the re-rendered picture for another person.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcign.arrays import Floating, IntP, UInt8
from dcign.evaluate.codes import Codes, evenly, unit_codes
from dcign.evaluate.pictures.reconstruction import measure_reconstruction
from dcign.evaluate.sweeps import Sweep, at_rest, has_sweep, sweep_of
from dcign.inputs.source import LabelledBatches, PartLabels
from dcign.metrics import psnr_decibels, structural_similarity
from dcign.progress import FractionProgress
from dcign.trained.calibration import Calibration, with_factors
from dcign.trained.codec import Codec

BATCHES = 100  # of the test split, spread evenly: a refined picture costs several times a decoded one
LEVELS = 9  # of each sweep


@dataclass(frozen=True)
class Views:
    """Re-renderings of people at the levels of a factor's sweep.

    psnr_db, ssim: against the renderer's truth, in the mask if the split has masks; right: the share whose own code is
    nearer, by the cosine of the intrinsic latents, to that of the same person at rest than to any other person's.
    """

    psnr_db: float
    ssim: float
    right: float


def measure_refiner(
    codecs: dict[str, Codec],
    test: LabelledBatches,
    tested: Codes,
    sweep: LabelledBatches,
    fits: Sequence[Calibration],
    intrinsic: IntP,
    parts: PartLabels | None,
    progress: FractionProgress,
) -> dict[str, Any]:
    """Return for each of these codecs the figures of reconstruction, and `Views` of each factor, as JSON values.

    codecs: the plain one and the sharp one, by the names that the result gives them; intrinsic (I,) latents.
    """
    chosen = evenly(len(test.kind), BATCHES)
    few = test.chosen(chosen)
    codes = Codes(tested.mu[chosen], tested.logvar[chosen], few.factors, few.kind)
    some = None if parts is None else PartLabels(parts.labels[chosen], parts.names)
    people = at_rest(sweep)
    strips = {
        index: sweep_of(sweep, index).near(LEVELS) for index in range(len(fits)) if has_sweep(sweep.factors, index)
    }
    found: dict[str, Any] = {}
    for index, (name, codec) in enumerate(codecs.items()):
        figures = measure_reconstruction(codec, few, codes, parts=some).figures
        progress((index + 0.5) / len(codecs))
        views = {
            fits[index].factor: dataclasses.asdict(measure_views(codec, people, strip, fits[index], intrinsic))
            for index, strip in strips.items()
        }
        found[name] = {"reconstruction": figures, "views": views}
        progress((index + 1) / len(codecs))
    return found


def measure_views(codec: Codec, people: UInt8, strip: Sweep, fit: Calibration, intrinsic: IntP) -> Views:
    """Decode people (n, S, S, C), seen at rest, at the levels of a sweep, and compare with its images."""
    source = codec.encode(people)[0]
    own = unit_codes(source[:, intrinsic])
    scores: list[tuple[Floating, Floating, Floating]] = []
    for place, level in enumerate(strip.levels):
        pictures = codec.decode(with_factors(source, [fit], **{fit.factor: float(level)}))
        truth = strip.images[place].astype(np.float32) / 255
        mask = None if strip.mask is None else strip.mask[place].astype(np.float32) / 255
        again = codec.encode((255 * pictures).round().astype(np.uint8))[0]
        nearest = (unit_codes(again[:, intrinsic]) @ own.T).argmax(axis=1)
        scores.append((
            psnr_decibels(pictures - truth, mask),
            structural_similarity(pictures, truth, mask),
            (nearest == np.arange(len(people))).astype(np.float64),
        ))  # fmt: skip
    return Views(*(float(each) for each in np.mean(scores, axis=(0, 2))))


def refined_images(test: LabelledBatches, sweep: LabelledBatches, factors: int) -> int:
    """Return how many pictures `measure_refiner` decodes with each codec."""
    size, people = int(test.images.shape[1]), int(sweep.images.shape[1])
    return min(BATCHES, len(test.images)) * size + factors * LEVELS * people
