"""What a run makes of the people that it never saw: the codes that several figures share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, UInt8
from dcign.evaluate.codes import Codes, encode_split
from dcign.evaluate.sweeps import Sweep, at_rest, sweep_of
from dcign.figures.dial import FactorDirection, Reading, baseline_dials, own_dials, read_sweep
from dcign.inputs.source import LabelledBatches
from dcign.progress import PartProgress
from dcign.trained.trained_run import TrainedRun


@dataclass(frozen=True, eq=False)
class HeldSweeps:
    """The sweeps as one run encodes them: for each factor its sweep and codes (L, n, Z); people at rest (n, ...)."""

    run: TrainedRun
    dials: tuple[FactorDirection, ...]  # one a factor, what the evaluation is of
    baselines: tuple[tuple[FactorDirection, ...], ...]  # others, each for all factors
    sweeps: tuple[Sweep, ...]
    codes: tuple[Floating, ...]
    people: UInt8
    people_codes: Floating  # (n, Z)

    def readings(self, dials: Sequence[FactorDirection]) -> tuple[Reading, ...]:
        """Return what dials, one a factor, read on their sweeps."""
        return tuple(read_sweep(*each) for each in zip(dials, self.sweeps, self.codes, strict=True))

    def median_person(self) -> int:
        """Return the person of median reconstruction error: neither the luckiest nor the unluckiest."""
        error = self.run.codec.decode(self.people_codes) - self.people.astype(np.float32) / 255
        return int(np.argsort(np.square(error).mean(axis=(1, 2, 3)))[len(error) // 2])


def sweeps_work(sweep: LabelledBatches) -> float:
    """Return about how many images `encode_sweeps` passes through the network."""
    return float(sweep.images.shape[0] * sweep.images.shape[1])


def encode_sweeps(run: TrainedRun, sweep: LabelledBatches, meter: PartProgress, stage: str) -> HeldSweeps:
    """Encode every sweep of the split, told as a stage of the meter."""
    factors = len(run.factors)
    sweeps = tuple(sweep_of(sweep, place) for place in range(factors))
    codes = []
    for found in sweeps:
        progress = meter.part(stage, len(found.levels) / sum(len(each.levels) for each in sweeps))
        levels, people = found.images.shape[:2]
        mu = run.codec.encode(found.images.reshape(-1, *found.images.shape[2:]), progress)[0]
        codes.append(mu.reshape(levels, people, -1))
    people = at_rest(sweep)
    at_rest_codes = run.codec.encode(people)[0]
    return HeldSweeps(run, own_dials(run), baseline_dials(run), sweeps, tuple(codes), people, at_rest_codes)


@dataclass(frozen=True, eq=False)
class HeldImages:
    """The iid split, every factor random in every image, and its codes."""

    batches: LabelledBatches
    codes: Codes


def encode_iid(run: TrainedRun, iid: LabelledBatches, meter: PartProgress, stage: str) -> HeldImages:
    """Encode the iid split, told as a stage of the meter."""
    return HeldImages(iid, encode_split(run.codec, iid, meter.part(stage)))
