"""The checkpoint of a run: one safetensors file, with tensors in its body and JSON in its header."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import torch
from msgspec import Meta
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dcign.errors import DataError, TrainingError
from dcign.storage.atomic import temporary_path

FILE = "checkpoint.safetensors"
REFINER = "refiner.safetensors"  # the same of a refiner
LARGEST = 2**31  # bytes of a file
MOST_WEIGHTS = LARGEST // 20  # each with its average and at most two moments, 4 bytes each, and some space

# What each optimiser stores per weight. Without momentum, RMSprop has no momentum_buffer.
MOMENTS = {
    "Adam": {"step", "exp_avg", "exp_avg_sq"},
    "RMSprop": {"step", "square_avg", "momentum_buffer"},
    "Muon": {"step", "momentum_buffer"},
}
NEVER_NEGATIVE = ("step", "exp_avg_sq", "square_avg")


@dataclass(frozen=True)
class Progress:
    """How far a run was trained, as its files say."""

    step: Annotated[int, Meta(ge=0)]
    seconds: Annotated[float, Meta(ge=0, le=1e300)]  # of training


@dataclass(frozen=True)
class Header(Progress):
    """The JSON in the header of a checkpoint."""

    format: Literal["dcign-checkpoint"]
    version: Literal[1]
    optimizer: dict[str, float]  # moments as numbers; the optimisers of today's PyTorch keep tensors only


@dataclass(eq=False)
class TrainingState:
    """What changes in training: the weights, their average, the optimiser's moments, the step."""

    model: nn.Module
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int
    seconds: float  # of training so far, over all interruptions
    file: str = FILE  # the checkpoint's name in the run's folder

    @classmethod
    def of(cls, model: nn.Module, optimizer: torch.optim.Optimizer, file: str = FILE) -> TrainingState:
        """Return the state of a network before its first step. Weights that are not trained have no average."""
        average = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        return cls(model, average, optimizer, 0, 0.0, file)


def save_checkpoint(folder: str | Path, state: TrainingState) -> Path:
    """Write the state to a temporary file and rename it, so that the folder always has a complete checkpoint."""
    tensors = {f"weights.{name}": value for name, value in state.model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in state.average.items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    header = Header(state.step, state.seconds, "dcign-checkpoint", 1, {})
    path = Path(folder) / state.file
    whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    try:
        with temporary_path(path) as part:
            save_file(whole, part, metadata={"dcign": json.dumps(asdict(header))})
    except (DataError, SafetensorError) as error:  # the latter for a full disk, among others
        raise TrainingError(
            f"{error} Correct that and go on with dcign train --resume --out {folder}, or choose another --out."
        ) from None
    return path


@torch.no_grad()
def load_checkpoint(folder: str | Path, state: TrainingState) -> None:
    """Load a checkpoint into a state of the same network and optimiser. Raises TrainingError if that is impossible."""
    header, tensors = read_checkpoint(folder, state.file)
    with _one_sentence(folder, state.file):
        state.model.load_state_dict(_part(tensors, "weights."))
        average = _part(tensors, "average.")
        _refuse_others(average.keys(), state.average.keys(), "averaged weights")
        for name, value in average.items():
            state.average[name].copy_(value)
        moments = _moments(_part(tensors, "optimizer.") | header.optimizer, state)
        if bool(moments) != (header.step > 0):
            raise ValueError(f"expected moments from the first step on, found {len(moments)} after {header.step} steps")
        whole = state.optimizer.state_dict()
        state.optimizer.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})
        state.step, state.seconds = header.step, header.seconds


def load_average(folder: str | Path, model: nn.Module, file: str = FILE) -> tuple[int, float]:
    """Load the averaged weights of a checkpoint into a network. Returns its step and seconds of training."""
    header, tensors = read_checkpoint(folder, file)
    with _one_sentence(folder, file):
        model.load_state_dict(_part(tensors, "average."))
    return header.step, header.seconds


def read_checkpoint(folder: str | Path, file: str = FILE) -> tuple[Header, dict[str, Tensor]]:
    """Read a checkpoint's header and tensors.

    Tensors: `weights.NAME` and `average.NAME`, of each weight's shape, and `optimizer.INDEX.NAME`.

    Raises TrainingError if there is none, or the file is damaged or not a checkpoint.
    """
    path = Path(folder) / file
    if not path.is_file():
        raise TrainingError(
            f"expected {file} in {folder}, found none, as its training was stopped before the first: go on with "
            f"dcign train --resume --out {folder}."
        )
    with _one_sentence(folder, file):
        if path.stat().st_size > LARGEST:
            raise ValueError(f"expected at most {LARGEST} bytes, found {path.stat().st_size}")
        with safe_open(path, framework="pt") as opened:
            header = msgspec.json.decode((opened.metadata() or {}).get("dcign", "{}"), type=Header)
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a mapping
        refuse_numbers(tensors)
    return header, tensors


def refuse_numbers(tensors: dict[str, Tensor]) -> None:
    """Raise ValueError unless all tensors are of floating point and finite, as weights, averages and moments are."""
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise ValueError(f"expected {name} to be finite and of floating point, found other numbers")


def refuse_progress(found: Any) -> None:  # JSON
    """Raise ValueError unless the step and the seconds of training in a record are possible."""
    msgspec.convert(found, Progress)


def _moments(found: dict[str, Any], state: TrainingState) -> dict[int, dict[str, Any]]:
    """Return the optimiser's moments by the index of the weight. Raises ValueError unless they fit the weights."""
    groups = state.optimizer.param_groups
    weights = [(weight, group) for group in groups for weight in group["params"]]
    moments: dict[int, dict[str, Any]] = {}
    for key, value in found.items():
        index, name = key.split(".", 1)
        weight, _ = weights[int(index)]
        there = torch.as_tensor(value, dtype=torch.float32)
        least = 0 if name in NEVER_NEGATIVE else -math.inf
        possible = bool((there.isfinite() & (there >= least)).all())
        if not possible or there.shape not in (weight.shape, torch.Size()):
            raise ValueError(
                f"expected optimizer.{key} to be finite, of shape {tuple(weight.shape)} or (), and not negative if it "
                f"is a square or a step, found shape {tuple(there.shape)} or other numbers"
            )
        if isinstance(value, Tensor):
            # A fused optimiser assumes one memory layout: moments must have that of their weights (channels_last).
            value = (torch.empty_like(weight) if value.shape == weight.shape else torch.empty(())).copy_(value)
        moments.setdefault(int(index), {})[name] = value
    if moments:
        _refuse_others(moments.keys(), range(len(weights)), "optimiser's moments")
        for (_, group), each in zip(weights, (moments[number] for number in range(len(weights))), strict=True):
            wanted = MOMENTS[group.get("method", type(state.optimizer).__name__)]
            if not group.get("momentum", 1):
                wanted = wanted - {"momentum_buffer"}
            _refuse_others(each.keys(), wanted, "optimiser's moments")
    return moments


def _refuse_others(found: Iterable[Any], wanted: Iterable[Any], what: str) -> None:
    differing = set(found) ^ set(wanted)
    if differing:
        raise ValueError(f"expected {what} of this network, found a difference in {min(map(str, differing))}")


@contextmanager
def _one_sentence(folder: str | Path, file: str) -> Iterator[None]:
    """Convert any error that a damaged or foreign checkpoint can raise to a TrainingError."""
    try:
        yield
    except (SafetensorError, ValueError, OSError, RuntimeError, KeyError, TypeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise TrainingError(
            f"cannot read {Path(folder) / file} ({reason[:300]}): train again into a new folder."
        ) from None


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
