"""A trained network to hand on: weights alone, without an optimiser, in a folder as the Hugging Face hub has them.

    model.safetensors   the averaged weights
    config.json         what they are the weights of: a run's configuration, its images and factors, its last step
    calibration.json    latent <-> factor
    evaluation.json     the run's evaluation
    README.md           the model card

Nothing here needs huggingface_hub: `dcign.publish.hub` does.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dcign.errors import TrainingError
from dcign.run import configuration as run_configuration
from dcign.run.checkpoint import refuse_numbers, refuse_progress
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.run.json_files import read_json
from dcign.storage.atomic import write_atomic

FORMAT = "dcign-model"
FORMAT_VERSION = 1
CONFIGURATION_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"


@dataclass(frozen=True)
class Published:
    """What a network was trained to be: all that config.json says."""

    configuration: TrainConfiguration
    description: ImageDescription
    step: int
    seconds: float  # of training
    data_model: dict[str, str] = field(default_factory=dict)  # what the data were drawn with: name, licence


def is_published(folder: str | Path) -> bool:
    """Return whether the folder holds a network to hand on, and no run, whose own weights would come first."""
    return (Path(folder) / CONFIGURATION_FILE).is_file() and not run_configuration.holds_run(folder)


def to_json(published: Published) -> dict[str, Any]:  # JSON
    """Return JSON-able values, without the paths of the machine that trained: folders are named, not placed."""
    configuration = published.configuration
    named = replace(configuration, data=Path(configuration.data).name, out=Path(configuration.out).name)
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "step": published.step,
        "seconds": published.seconds,
        "data_model": published.data_model,
        "run": run_configuration.to_json(named, published.description),
    }


def from_json(found: Any) -> Published:  # JSON, of which nothing is known
    """Read what `to_json` gave; raises ValueError, saying what is wrong, for anything else."""
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"it is no {FORMAT}")
    if found.get("version") != FORMAT_VERSION:
        raise ValueError(f"it is not of version {FORMAT_VERSION}")
    refuse_progress(found)
    if not isinstance(found.get("run"), dict):
        raise ValueError("it holds no run's configuration")
    model = found.get("data_model")
    if not isinstance(model, dict) or not all(isinstance(text, str) for text in model.values()):
        raise ValueError(f"its data_model is {model!r}")
    return Published(*run_configuration.from_json(dict(found["run"])), found["step"], found["seconds"], model)


def write_published(folder: str | Path, published: Published, network: nn.Module) -> None:
    """Write config.json and model.safetensors, each aside and then renamed."""
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_atomic(Path(folder) / WEIGHTS_FILE, save(weights, metadata={"format": "pt"}))
    write_atomic(Path(folder) / CONFIGURATION_FILE, (json.dumps(to_json(published), indent=2) + "\n").encode())


def read_published(folder: str | Path) -> Published:
    """Read a folder's config.json, or say in one sentence why not."""
    path = Path(folder) / CONFIGURATION_FILE
    try:
        return from_json(read_json(path))
    except (ValueError, OSError) as error:
        raise _unreadable(path, error) from None


def load_weights(folder: str | Path, network: nn.Module) -> None:
    """Put a folder's model.safetensors into a network, or say in one sentence why not."""
    path = Path(folder) / WEIGHTS_FILE
    if not path.is_file():
        raise TrainingError(f"there is no {WEIGHTS_FILE} in {folder}: export the run again, or fetch the model whole")
    try:
        weights: dict[str, Tensor] = load_file(path)
        refuse_numbers(weights)
        network.load_state_dict(weights)
    except (SafetensorError, ValueError, OSError, RuntimeError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> TrainingError:
    reason = " ".join(str(error).split())[:300]
    return TrainingError(f"cannot read {path} ({reason}): export the run again, or fetch the model again")
