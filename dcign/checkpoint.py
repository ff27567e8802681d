"""A run's state on disk: one safetensors file, tensors in its body, JSON in its header, renamed when whole."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dcign.errors import TrainingError

FORMAT = "dcign-checkpoint"
FORMAT_VERSION = 1
FILE = "checkpoint.safetensors"


@dataclass(eq=False)
class TrainingState:
    """All that changes while training: weights, their average, the optimiser's moments, the step reached."""

    model: nn.Module
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int
    seconds: float  # spent training so far, over all sittings


def save_checkpoint(folder: str | Path, state: TrainingState) -> Path:
    """Write the state aside and rename it over the last one, so that there is always a whole one."""
    tensors = {f"weights.{name}": value for name, value in state.model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in state.average.items()}
    numbers: dict[str, Any] = {}  # an optimiser's own JSON-able values
    for index, moments in state.optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{name}"] = value
            else:
                numbers[f"{index}.{name}"] = value
    header = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "step": state.step,
        "seconds": state.seconds,
        "optimizer": numbers,
    }
    path = Path(folder) / FILE
    part = path.with_name(f".{FILE}.part")
    whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    try:
        save_file(whole, part, metadata={"dcign": json.dumps(header)})
        part.replace(path)
    except SafetensorError as error:  # its word for a full disk, among others
        raise OSError(str(error)) from None
    finally:
        part.unlink(missing_ok=True)
    return path


@torch.no_grad()
def load_checkpoint(folder: str | Path, state: TrainingState) -> None:
    """Put a checkpoint back into a state of the same network and optimiser."""
    header, tensors = read_checkpoint(folder)
    state.model.load_state_dict(_part(tensors, "weights."))
    for name, value in _part(tensors, "average.").items():
        state.average[name].copy_(value)
    weights = list(state.model.parameters())
    moments: dict[int, dict[str, Any]] = {}  # tensors, and whatever numbers an optimiser keeps
    for key, value in (_part(tensors, "optimizer.") | header["optimizer"]).items():
        index, name = key.split(".", 1)
        if isinstance(value, Tensor) and value.shape == weights[int(index)].shape:
            # A fused optimiser walks memory: moments must lie as their weights do (channels_last).
            value = torch.empty_like(weights[int(index)]).copy_(value)
        moments.setdefault(int(index), {})[name] = value
    whole = state.optimizer.state_dict()
    state.optimizer.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})
    state.step, state.seconds = header["step"], header["seconds"]


def read_checkpoint(folder: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:  # the header is JSON
    """Read a checkpoint's header and tensors, or say in one sentence why not."""
    path = Path(folder) / FILE
    if not path.is_file():
        raise TrainingError(f"there is no {FILE} in {folder}: nothing to go on from; train without --resume")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("dcign", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, ValueError, OSError) as error:
        raise TrainingError(f"cannot read {path} ({error}): train again into a new folder") from None
    if header.get("format") != FORMAT or header.get("version") != FORMAT_VERSION:
        raise TrainingError(f"{path} is not a {FORMAT} of version {FORMAT_VERSION}: train again into a new folder")
    return header, tensors


def averaged_weights(folder: str | Path) -> tuple[int, float, dict[str, Tensor]]:
    """Return the step, the seconds of training and the averaged weights of a run's last checkpoint."""
    header, tensors = read_checkpoint(folder)
    return header["step"], header["seconds"], _part(tensors, "average.")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
