"""A trained network for the Hugging Face hub: `DCIGN.from_pretrained(folder or name)` and `save_pretrained`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, PyTorchModelHubMixin, snapshot_download
from torch import Tensor, nn

from dcign.errors import TrainingError
from dcign.network.autoencoder import build_model
from dcign.network.refiner import Refiner, build_refiner, refined
from dcign.publish.card import FILE as CARD_FILE
from dcign.publish.card import model_card
from dcign.run.checkpoint import REFINER
from dcign.storage.atomic import is_temporary, write_atomic
from dcign.trained.calibration import FILE as CALIBRATION_FILE
from dcign.trained.calibration import Calibration, write_calibrations
from dcign.trained.evaluation_file import FILE as EVALUATION_FILE
from dcign.trained.published import CONFIGURATION_FILE, WEIGHTS_FILE, Published, write_published
from dcign.trained.shipped import network_folder, shipped_names
from dcign.trained.trained_run import TrainedRun

FILES = (WEIGHTS_FILE, REFINER, CONFIGURATION_FILE, CALIBRATION_FILE, EVALUATION_FILE, CARD_FILE)


class DCIGN(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="dcign",
    license="mit",
    tags=["disentanglement", "inverse-graphics", "variational-autoencoder"],
):
    """A run's network with its averaged weights and calibrations, and its refiner, if it has one (else None).

    encode: images (N, C, S, S) 0..1 -> mu, logvar (N, Z). decode: code (N, Z) -> images (N, C, S, S), 0..1.
    """

    def __init__(
        self,
        config: Published,
        calibrations: Sequence[Calibration] = (),
        evaluation: dict[str, Any] | None = None,  # JSON
    ) -> None:
        """Build the network with arbitrary weights; `from_pretrained` loads them."""
        super().__init__()
        self.config = config
        self.calibrations = tuple(calibrations)
        self.evaluation = evaluation
        recipe, description = config.configuration.recipe, config.description
        self.network = build_model(recipe, description)
        self.refiner: Refiner | None = build_refiner(recipe, description) if config.configuration.refine else None

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors' names, in the data set's order."""
        return self.config.description.factors

    @property
    def units(self) -> tuple[str, ...]:
        """The factors' units."""
        return self.config.description.units

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the posterior's mean and log variance: (N, C, S, S) 0..1 -> (N, Z), (N, Z).

        Raises TrainingError for images of another shape than the network's, or of values that are not 0..1.
        """
        self._refuse_images(images)
        return self.network.encode(images)

    def decode(self, code: Tensor, *, refine: bool = False) -> Tensor:
        """Return pictures: (N, Z) -> (N, C, S, S), 0..1.

        refine: whether the refiner sharpens them. Raises TrainingError if there is none.
        """
        pictures = self.network.decode(code)
        if not refine:
            return pictures
        if self.refiner is None:
            raise TrainingError(
                "expected a network with a refiner, found one without: train it with dcign train --refine N, or leave "
                "refine out."
            )
        return refined(self.refiner, pictures, code)

    def forward(self, images: Tensor) -> Tensor:
        """Reconstruct images: (N, C, S, S) -> (N, C, S, S), 0..1."""
        return self.decode(self.encode(images)[0])

    def _refuse_images(self, images: Tensor) -> None:
        size, channels = self.config.description.size, self.config.description.channels
        if not images.is_floating_point() or images.shape[1:] != (channels, size, size) or not len(images):
            raise TrainingError(
                f"expected images of floats (N, {channels}, {size}, {size}), one or more, found {images.dtype} "
                f"{tuple(images.shape)}: convert them."
            )
        low, high = (float(end) for end in images.detach().aminmax())
        if not (low >= 0 and high <= 1):  # true for NaN, too
            raise TrainingError(f"expected values from 0 to 1, found {low:g} to {high:g}: divide bytes by 255.")

    @classmethod
    def of_run(cls, run: TrainedRun) -> DCIGN:
        """Return the network of an opened run, in evaluation mode, with its calibrations and evaluation.

        It has neither, with a warning, if the run was trained further since its evaluation.
        """
        calibrations, evaluation = run.results
        if run.evaluation_is_old:
            calibrations, evaluation = (), None
        model = cls(run.published, calibrations, evaluation)
        model.network, model.refiner = run.sharp_codec.model, run.sharp_codec.refiner
        return model.eval()

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **options: Any) -> DCIGN:  # the mixin's
        """Read the folder of a run or of an exported network, or "face" or "wild", which come with the package.

        Any other name is looked up on the hub.

        Raises TrainingError if it is not there or is damaged.
        """
        where = network_folder(pretrained_model_name_or_path)
        if not where.is_dir():
            where = _fetched(str(pretrained_model_name_or_path), options)
        return cls.of_run(TrainedRun.open(where))

    def save_pretrained(self, save_directory: str | Path, **options: Any) -> str | None:  # the mixin's
        """Write the folder that `from_pretrained` reads.

        Raises TrainingError if the folder is not empty, or if it cannot be written.
        """
        folder = Path(save_directory)
        with folder_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            held = sorted(path.name for path in folder.iterdir() if not is_temporary(path))
        if held:
            raise TrainingError(f"expected a new or empty folder, found {held[0]} in {folder}: choose another folder.")
        found: str | None = super().save_pretrained(folder, **options)
        return found

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write weights, configuration, calibrations, evaluation and model card; the mixin calls this."""
        with folder_errors(save_directory):
            networks: dict[str, nn.Module] = {WEIGHTS_FILE: self.network}
            if self.refiner is not None:
                networks[REFINER] = self.refiner
            write_published(save_directory, self.config, networks)
            if self.calibrations:
                write_calibrations(save_directory, self.calibrations)
            if self.evaluation is not None:
                report = json.dumps(self.evaluation, indent=2) + "\n"
                write_atomic(save_directory / EVALUATION_FILE, report.encode())
            content = model_card(self.config, self.calibrations, self.evaluation)
            write_atomic(save_directory / CARD_FILE, content.encode())

    def generate_model_card(self, *arguments: Any, **options: Any) -> ModelCard:  # the mixin's
        """Return the model card that `save_pretrained` writes."""
        return ModelCard(model_card(self.config, self.calibrations, self.evaluation))


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Raise OSErrors of writing as TrainingError."""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"cannot write into {folder} ({error.strerror or error}): repair that, or choose another folder."
        ) from None


def _fetched(name: str, options: dict[str, Any]) -> Path:
    """Return the folder of a model of the hub, downloaded if it is not in the cache."""
    known = ("revision", "cache_dir", "force_download", "local_files_only", "token")
    chosen = {key: options[key] for key in known if key in options}
    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES), **chosen))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(
            f"expected a run's folder, an exported one, a network of the package ({', '.join(shipped_names())}), or "
            f"USER/MODEL on the hub, found {name}, which cannot be read ({reason}): check the name."
        ) from None
