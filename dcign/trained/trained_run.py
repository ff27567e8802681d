"""A trained run, opened in one place: its configuration, network, calibrations and evaluation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dcign.device import choose_device, choose_precision
from dcign.errors import DataError, DcignWarning, TrainingError
from dcign.inputs.source import DataSource
from dcign.network.autoencoder import build_model
from dcign.network.refiner import build_refiner
from dcign.run import configuration as run_configuration
from dcign.run.checkpoint import REFINER, load_average, read_checkpoint
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.storage.paths import is_there
from dcign.trained.calibration import FILE as CALIBRATION_FILE
from dcign.trained.calibration import Calibration, read_calibrations
from dcign.trained.codec import Codec
from dcign.trained.evaluation_file import FILE as EVALUATION_FILE
from dcign.trained.evaluation_file import read_evaluation
from dcign.trained.published import Published, is_published, load_weights, read_published
from dcign.trained.shipped import advice, network_folder

PEOPLE, PICTURES = "people", "pictures"
SHORT = {"year": "y", "standard deviation": "SD"}  # units in captions
ROUNDED_FROM = 10.0  # range of a factor from which its values are shown as whole numbers


class OldEvaluationWarning(DcignWarning):
    """A run was trained further after its evaluation."""


def subjects_of(description: ImageDescription) -> str:
    """Return what the pictures of a data set are counted by: people if it is rendered, else pictures."""
    return PICTURES if description.open_kinds else PEOPLE


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """The folder of a run, or of a network that `dcign export --to hub` wrote or that comes with the package.

    `open` reads the configuration. The network, the calibrations and the evaluation are read when they are first used,
    each once.
    """

    folder: Path
    configuration: TrainConfiguration
    description: ImageDescription
    device: str
    exported: Published | None  # what an exported network's config.json says; None for a run

    @classmethod
    def open(cls, folder: str | Path, device: str = "cpu") -> TrainedRun:
        """Read what the network in a folder is. If there is no such folder, "face" and "wild" are the package's.

        Raises TrainingError if the folder holds neither a run nor an exported network.
        """
        folder = network_folder(folder)
        if not is_there(folder):
            raise TrainingError(f"expected the folder of a run, found {folder}, which holds no run: {advice()}")
        if is_published(folder):
            exported = read_published(folder)
            return cls(folder, exported.configuration, exported.description, device, exported)
        configuration, description = run_configuration.read(folder)
        return cls(folder, configuration, description, device, None)

    @cached_property
    def codec(self) -> Codec:
        """The network with the averaged weights of its last checkpoint."""
        device = choose_device(self.device)
        model = build_model(self.configuration.recipe, self.description)
        if self.exported is not None:
            step, seconds = self.exported.step, self.exported.seconds
            load_weights(self.folder, model)
        else:
            step, seconds = load_average(self.folder, model)
        # A run that was trained in bfloat16 uses what this device is fast at.
        precision = choose_precision("float32" if self.configuration.precision == "float32" else "auto", device)
        return Codec(model.to(device).eval(), self.configuration, self.description, step, seconds, device, precision)

    @property
    def has_refiner(self) -> bool:
        """Whether the run was asked to train a refiner too."""
        return self.configuration.refine > 0

    @cached_property
    def sharp_codec(self) -> Codec:
        """The same, with pictures sharpened by the run's refiner, if it has one."""
        if not self.has_refiner:
            return self.codec
        refiner = build_refiner(self.configuration.recipe, self.description)
        if self.exported is not None:
            load_weights(self.folder, refiner, REFINER)
        else:
            load_average(self.folder, refiner, REFINER)
        return replace(self.codec, refiner=refiner.to(self.codec.device).eval())

    @cached_property
    def layout(self) -> CodeLayout:
        """The blocks of a code."""
        return CodeLayout.of(self.description, self.configuration.recipe)

    @cached_property
    def calibrations(self) -> tuple[Calibration, ...]:
        """The calibrations that the run's evaluation wrote, in the data set's order of factors.

        Warns with OldEvaluationWarning if the network was trained further since.
        """
        found = read_calibrations(self.folder, self.description.factors, self.layout.size)
        if self.evaluation_is_old:
            warnings.warn(
                f"{self.folder} was evaluated at step {self.evaluation['steps']} and trained to step "
                f"{self.codec.step} since, so factors may be read and set wrongly: run dcign evaluate {self.folder} "
                "again.",
                OldEvaluationWarning,
                stacklevel=2,
            )
        return found

    @cached_property
    def evaluation(self) -> dict[str, Any]:  # JSON
        """What evaluation.json says. Raises TrainingError if there is none, or it is damaged."""
        return read_evaluation(self.folder)

    @property
    def evaluation_is_old(self) -> bool:
        """Whether there is an evaluation, and of an earlier step than the network's last one."""
        try:
            evaluation = self.evaluation
        except TrainingError:
            return False
        return bool(evaluation["steps"] != self.codec.step)

    def refuse_old_evaluation(self) -> None:
        """Raise TrainingError unless evaluation.json is of the network's last step."""
        if self.evaluation["steps"] != self.codec.step:
            raise TrainingError(
                f"expected an evaluation of step {self.codec.step}, found one of step {self.evaluation['steps']} in "
                f"{self.folder}, which was trained further since: run dcign evaluate {self.folder} again."
            )

    @property
    def results(self) -> tuple[tuple[Calibration, ...], dict[str, Any] | None]:  # JSON
        """The calibrations and the evaluation, as far as the folder holds them."""
        calibrated, evaluated = ((self.folder / name).exists() for name in (CALIBRATION_FILE, EVALUATION_FILE))
        return self.calibrations if calibrated else (), self.evaluation if evaluated else None

    @cached_property
    def published(self) -> Published:
        """What an exported network's config.json says, or would say."""
        if self.exported is not None:
            return self.exported
        header, _ = read_checkpoint(self.folder)
        return Published(self.configuration, self.description, header.step, header.seconds, self._data_model())

    def data(self, moved_to: str | Path | None = None) -> DataSource:
        """Open the data set that the run was trained on.

        moved_to: its folder, if that is no longer the folder of the configuration.

        Raises TrainingError if the data set is not there, or is another one.
        """
        return DataSource.of_run(self.configuration, self.description, moved_to)

    def refuse_other_data(self, other: TrainedRun) -> None:
        """Raise TrainingError unless both runs were trained on the same shards: their metrics would not compare."""
        if self.description.data_sha256 != other.description.data_sha256:
            raise TrainingError(
                f"expected a run of the same data set as {self.folder}, found one of another in {other.folder}: "
                "compare runs that were trained on one data set."
            )

    @property
    def name(self) -> str:
        """The recipe's name, which pictures and pages show."""
        return self.configuration.recipe.name

    @property
    def subjects(self) -> str:
        """What pages say is unseen: people, or pictures where the data are not of `dcign render`."""
        return subjects_of(self.description)

    @property
    def subject(self) -> str:
        """One of them."""
        return "person" if self.subjects == PEOPLE else "picture"

    @cached_property
    def factors(self) -> tuple[str, ...]:
        """The factors' names, with spaces."""
        return tuple(name.replace("_", " ") for name in self.description.factors)

    @cached_property
    def units(self) -> tuple[str, ...]:
        """The text that follows a value of each factor."""
        texts = ("°" if unit.startswith("deg") else f" {SHORT.get(unit, unit)}" for unit in self.description.units)
        return tuple(text if text.strip() else "" for text in texts)

    def angle(self, factor: int, value: float) -> str:
        """Format a value of a factor: rounded, with its unit, and with a sign if the factor can be negative.

        A class is named.
        """
        fit = self.calibrations[factor]
        low, high = fit.range
        if fit.classes:
            return fit.classes[int(np.clip(round(value), low, high))]
        digits = 0 if high - low >= ROUNDED_FROM else 1
        rounded = round(value, digits)
        sign = "−" if rounded < 0 else "+" if rounded > 0 > low else ""
        return f"{sign}{abs(rounded):.{digits}f}{self.units[factor]}"

    def _data_model(self) -> dict[str, str]:
        """Return the name and licence of the model that the data show, or nothing if the data set is not at hand."""
        try:
            return self.data().model()
        except (DataError, TrainingError):
            return {}
