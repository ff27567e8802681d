"""The codes of unseen people, which several figures share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, UInt8
from dcign.evaluate.codes import Codes
from dcign.evaluate.sweeps import Sweep, at_rest, sweep_of
from dcign.figures.factor_direction import (
    FactorDirection,
    Reading,
    baseline_directions,
    evaluated_directions,
    read_sweep,
)
from dcign.inputs.source import LabelledBatches
from dcign.progress import PartProgress
from dcign.trained.trained_run import TrainedRun


@dataclass(frozen=True, eq=False)
class EncodedSweeps:
    """The sweeps encoded by one run: for each factor its sweep and codes (L, n, Z).

    people: the pictures (n, S, S, C) of the same people with every factor at rest.
    """

    run: TrainedRun
    directions: tuple[FactorDirection, ...]  # one per factor, those that the evaluation measures
    baselines: tuple[tuple[FactorDirection, ...], ...]  # others, each with one direction per factor
    sweeps: tuple[Sweep, ...]
    codes: tuple[Floating, ...]
    people: UInt8
    people_codes: Floating  # (n, Z)

    def readings(self, directions: Sequence[FactorDirection]) -> tuple[Reading, ...]:
        """Read each factor from its direction on its sweep."""
        return tuple(read_sweep(*each) for each in zip(directions, self.sweeps, self.codes, strict=True))

    def median_person(self) -> int:
        """Return the number of the person with the median reconstruction error."""
        error = self.run.codec.decode(self.people_codes) - self.people.astype(np.float32) / 255
        return int(np.argsort(np.square(error).mean(axis=(1, 2, 3)))[len(error) // 2])


def count_sweep_images(sweep: LabelledBatches) -> float:
    """Return about how many images `encode_sweeps` encodes, as an amount of work."""
    return float(sweep.images.shape[0] * sweep.images.shape[1])


def encode_sweeps(run: TrainedRun, sweep: LabelledBatches, meter: PartProgress, stage: str) -> EncodedSweeps:
    """Encode every sweep of the split, and report progress as `stage`."""
    factors = len(run.factors)
    sweeps = tuple(sweep_of(sweep, factor) for factor in range(factors))
    codes = []
    for found in sweeps:
        progress = meter.part(stage, len(found.levels) / sum(len(each.levels) for each in sweeps))
        levels, people = found.images.shape[:2]
        mu = run.codec.encode(found.images.reshape(-1, *found.images.shape[2:]), progress)[0]
        codes.append(mu.reshape(levels, people, -1))
    people = at_rest(sweep)
    at_rest_codes = run.codec.encode(people)[0]
    return EncodedSweeps(
        run, evaluated_directions(run), baseline_directions(run), sweeps, tuple(codes), people, at_rest_codes
    )


@dataclass(frozen=True, eq=False)
class EncodedImages:
    """The iid split, in which every factor is random in every image, and its codes."""

    batches: LabelledBatches
    codes: Codes

    @property
    def images(self) -> UInt8:
        """All images: (N, S, S, C)."""
        return self.batches.images.reshape(-1, *self.batches.images.shape[2:])
