"""A run that has been evaluated, with what is needed to draw it."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcign.arrays import Floating, UInt8
from dcign.errors import TrainingError
from dcign.run import configuration as run_configuration
from dcign.trained.calibration import FactorCalibration
from dcign.trained.codec import Codec, load_calibrations, load_codec
from dcign.trained.evaluation_file import load_evaluation


@dataclass(frozen=True, eq=False)
class EvaluatedRun:
    """A run's network, calibrations and evaluation.json, with a name to show it by."""

    folder: Path
    name: str
    codec: Codec
    calibrations: tuple[FactorCalibration, ...]
    report: dict[str, Any]  # JSON

    @functools.cached_property
    def factors(self) -> tuple[str, ...]:
        """The factors' names, as words."""
        return tuple(name.replace("_", " ") for name in self.codec.description.factors)

    @functools.cached_property
    def units(self) -> tuple[str, ...]:
        """How each factor's unit is written behind a number."""
        return tuple("°" if unit.startswith("deg") else f" {unit}" for unit in self.codec.description.units)

    def angle(self, place: int, value: float) -> str:
        """Write a value of a factor, rounded, with sign and unit."""
        sign = "+" if round(value) > 0 else "−" if round(value) < 0 else ""
        return f"{sign}{abs(round(value))}{self.units[place]}"

    def rebuild(self, images: UInt8) -> Floating:
        """Return what comes back of images (N, S, S, C) through the code, 0..1."""
        return self.codec.decode(self.codec.encode(images)[0])


def load_run(folder: str | Path, device: str = "cpu") -> EvaluatedRun:
    """Read a run that has been evaluated; it goes by its recipe."""
    codec = load_codec(folder, device)
    report, calibrations = load_evaluation(folder), load_calibrations(folder)
    if report["steps"] != codec.step:
        raise TrainingError(
            f"{folder} was evaluated at step {report['steps']} and has been trained to step {codec.step} since: "
            f"evaluate it again, with dcign evaluate {folder}"
        )
    if tuple(fit.factor for fit in calibrations) != codec.description.factors:
        raise TrainingError(f"calibration.json in {folder} is of other factors: run dcign evaluate {folder} again")
    return EvaluatedRun(Path(folder), codec.configuration.recipe.name, codec, calibrations, report)


def refuse_other_data(folder: str | Path, against: str | Path) -> None:
    """Raise unless both runs are of the same shards: figures of two data sets are not comparable."""
    (_, first), (_, second) = run_configuration.read(folder), run_configuration.read(against)
    if first.data_sha256 != second.data_sha256:
        raise TrainingError(
            f"{against} was trained on other data than {folder}: wanted runs of one data set, as figures of two cannot "
            "be compared"
        )
