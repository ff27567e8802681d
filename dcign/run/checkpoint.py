"""The checkpoint of a run: one safetensors file, with tensors in its body and JSON in its header."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dcign.errors import DataError, TrainingError
from dcign.storage.atomic import temporary_path

FORMAT = "dcign-checkpoint"
FORMAT_VERSION = 1
FILE = "checkpoint.safetensors"
LARGEST = 2**31  # bytes: more than the largest network with its average and the optimiser's moments

# What each optimiser stores per weight. Without momentum, RMSprop has no momentum_buffer.
MOMENTS = {"Adam": {"step", "exp_avg", "exp_avg_sq"}, "RMSprop": {"step", "square_avg", "momentum_buffer"}}
NEVER_NEGATIVE = ("step", "exp_avg_sq", "square_avg")


@dataclass(eq=False)
class TrainingState:
    """What changes in training: the weights, their average, the optimiser's moments, the step."""

    model: nn.Module
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int
    seconds: float  # of training so far, over all interruptions


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
    whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    try:
        with temporary_path(path) as part:
            save_file(whole, part, metadata={"dcign": json.dumps(header)})
    except (DataError, SafetensorError) as error:  # the latter for a full disk, among others
        raise TrainingError(
            f"{error} Correct that and go on with dcign train --resume --out {folder}, or choose another --out."
        ) from None
    return path


@torch.no_grad()
def load_checkpoint(folder: str | Path, state: TrainingState) -> None:
    """Load a checkpoint into a state of the same network and optimiser. Raises TrainingError if that is impossible."""
    header, tensors = read_checkpoint(folder)
    with _one_sentence(folder):
        state.model.load_state_dict(_part(tensors, "weights."))
        average = _part(tensors, "average.")
        _refuse_others(average.keys(), state.average.keys(), "averaged weights")
        for name, value in average.items():
            state.average[name].copy_(value)
        moments = _moments(_part(tensors, "optimizer.") | header["optimizer"], state)
        if bool(moments) != (header["step"] > 0):
            raise ValueError(f"it has {'' if moments else 'no '}moments of an optimiser after {header['step']} steps")
        whole = state.optimizer.state_dict()
        state.optimizer.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})
        state.step, state.seconds = header["step"], header["seconds"]


def load_average(folder: str | Path, model: nn.Module) -> tuple[int, float]:
    """Load the averaged weights of a run's checkpoint into a network. Returns its step and seconds of training."""
    header, tensors = read_checkpoint(folder)
    with _one_sentence(folder):
        model.load_state_dict(_part(tensors, "average."))
    return header["step"], header["seconds"]


def read_checkpoint(folder: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:  # the header is JSON
    """Read a checkpoint's header and tensors.

    Header: step, seconds of training, the optimiser's numbers. Tensors: `weights.NAME` and `average.NAME`, of each
    weight's shape, and `optimizer.INDEX.NAME`.

    Raises TrainingError if there is none, or the file is damaged or not a checkpoint.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise TrainingError(
            f"there is no {FILE} in {folder}, as its training was stopped before the first: go on with "
            f"dcign train --resume --out {folder}"
        )
    with _one_sentence(folder):
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is {path.stat().st_size} bytes large, no checkpoint is above {LARGEST}")
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("dcign", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        if not isinstance(header, dict) or header.get("format") != FORMAT or header.get("version") != FORMAT_VERSION:
            raise ValueError(f"it is not a {FORMAT} of version {FORMAT_VERSION}")
        refuse_progress(header)
        if not isinstance(header.get("optimizer"), dict):
            raise ValueError("it has no numbers of an optimiser")
        refuse_numbers(tensors)
    return header, tensors


def refuse_numbers(tensors: dict[str, Tensor]) -> None:
    """Raise ValueError unless all tensors are of floating point and finite, as weights, averages and moments are."""
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise ValueError(f"{name} holds numbers that no weight can be")


def refuse_progress(found: dict[str, Any]) -> None:
    """Raise ValueError unless the step and the seconds of training in a record are possible."""
    step, seconds = found.get("step"), found.get("seconds")
    if type(step) is not int or step < 0:
        raise ValueError(f"its step is {step!r}")
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ValueError(f"its seconds are {seconds!r}")


def _moments(found: dict[str, Any], state: TrainingState) -> dict[int, dict[str, Any]]:
    """Return the optimiser's moments by the index of the weight. Raises ValueError unless they fit the weights."""
    weights = list(state.model.parameters())
    moments: dict[int, dict[str, Any]] = {}
    for key, value in found.items():
        index, name = key.split(".", 1)
        weight = weights[int(index)]
        there = torch.as_tensor(value, dtype=torch.float32)
        least = 0 if name in NEVER_NEGATIVE else -math.inf
        possible = bool((there.isfinite() & (there >= least)).all())
        if not possible or there.shape not in (weight.shape, torch.Size()):
            raise ValueError(f"optimizer.{key} has shape {tuple(there.shape)} or numbers that it cannot have")
        if isinstance(value, Tensor):
            # A fused optimiser assumes one memory layout: moments must have that of their weights (channels_last).
            value = (torch.empty_like(weight) if value.shape == weight.shape else torch.empty(())).copy_(value)
        moments.setdefault(int(index), {})[name] = value
    if moments:
        _refuse_others(moments.keys(), range(len(weights)), "optimiser's moments")
        wanted = MOMENTS[type(state.optimizer).__name__]
        if not state.optimizer.param_groups[0].get("momentum", 1):
            wanted = wanted - {"momentum_buffer"}
        for each in moments.values():
            _refuse_others(each.keys(), wanted, "optimiser's moments")
    return moments


def _refuse_others(found: Iterable[Any], wanted: Iterable[Any], what: str) -> None:
    differing = set(found) ^ set(wanted)
    if differing:
        raise ValueError(f"its {what} are of another network: {sorted(map(str, differing))[0]}")


@contextmanager
def _one_sentence(folder: str | Path) -> Iterator[None]:
    """Convert any error that a damaged or foreign checkpoint can raise to a TrainingError."""
    try:
        yield
    except (SafetensorError, ValueError, OSError, RuntimeError, KeyError, TypeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise TrainingError(
            f"cannot read {Path(folder) / FILE} ({reason[:300]}): train again into a new folder"
        ) from None


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
