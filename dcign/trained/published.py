"""An exported network: a folder in the layout of the Hugging Face hub, with weights but without optimiser state.

    model.safetensors   the averaged weights
    refiner.safetensors likewise, of the refiner, if the run has one
    config.json         the run's configuration, its images and factors, and its last step
    calibration.json    the maps between latents and factors
    evaluation.json     the run's evaluation
    README.md           the model card

This module does not need huggingface_hub; `dcign.publish.hub` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from dcign.run.json_files import read_errors, read_json, refuse_format
from dcign.storage.atomic import write_atomic

FORMAT = "dcign-model"
FORMAT_VERSION = 1
CONFIGURATION_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
ADVICE = "export the run again, or fetch the model again"


@dataclass(frozen=True)
class Published:
    """The content of config.json."""

    configuration: TrainConfiguration
    description: ImageDescription
    step: int
    seconds: float  # of training
    data_model: dict[str, str] = field(default_factory=dict)  # name and licence of the model that the data show
    limits: tuple[str, ...] = ()  # sentences about this network for its card, beside those of every card


def is_published(folder: str | Path) -> bool:
    """Whether the folder holds an exported network. A run that was exported into its own folder is still a run."""
    return (Path(folder) / CONFIGURATION_FILE).is_file() and not run_configuration.holds_run(folder)


def to_json(published: Published) -> dict[str, Any]:  # JSON
    """Return values for JSON, with the names of folders but not their paths."""
    configuration = published.configuration
    named = replace(configuration, data=Path(configuration.data).name, out=Path(configuration.out).name)
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "step": published.step,
        "seconds": published.seconds,
        "data_model": published.data_model,
        **({"limits": list(published.limits)} if published.limits else {}),
        "run": run_configuration.to_json(named, published.description),
    }


def from_json(found: Any) -> Published:  # unchecked JSON
    """Read what `to_json` returned. Raises ValueError, which names the fault, for anything else."""
    refuse_format(found, FORMAT, FORMAT_VERSION)
    refuse_progress(found)
    if not isinstance(found.get("run"), dict):
        raise ValueError("expected a run's configuration, found none")
    model = found.get("data_model")
    if not isinstance(model, dict) or not all(isinstance(text, str) for text in model.values()):
        raise ValueError(f"expected names and texts as data_model, found {model!r}")
    limits = found.get("limits", [])
    if not isinstance(limits, list) or not all(isinstance(sentence, str) for sentence in limits):
        raise ValueError(f"expected sentences as limits, found {limits!r}")
    described = run_configuration.from_json(dict(found["run"]))
    return Published(*described, found["step"], found["seconds"], model, tuple(limits))


def write_published(folder: str | Path, published: Published, networks: Mapping[str, nn.Module]) -> None:
    """Write config.json and the weights of each network into the file of its name, each atomically."""
    for name, network in networks.items():
        weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
        write_atomic(Path(folder) / name, save(weights, metadata={"format": "pt"}))
    write_atomic(Path(folder) / CONFIGURATION_FILE, (json.dumps(to_json(published), indent=2) + "\n").encode())


def read_published(folder: str | Path) -> Published:
    """Read a folder's config.json. Raises TrainingError if it is damaged."""
    path = Path(folder) / CONFIGURATION_FILE
    with read_errors(path, ADVICE):
        found = from_json(read_json(path))
    return found


def load_weights(folder: str | Path, network: nn.Module, file: str = WEIGHTS_FILE) -> None:
    """Load a folder's file of weights into a network. Raises TrainingError if it is missing or damaged."""
    path = Path(folder) / file
    if not path.is_file():
        raise TrainingError(
            f"expected {file} in {folder}, found none: export the run again, or download the whole model."
        )
    with read_errors(path, ADVICE, SafetensorError, RuntimeError, KeyError, TypeError):
        weights: dict[str, Tensor] = load_file(path)
        refuse_numbers(weights)
        network.load_state_dict(weights)
