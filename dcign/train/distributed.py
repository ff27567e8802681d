"""The processes that train one run: a single one or, under torchrun, several, each with its rank.

Every rank draws the same groups of a step and keeps every R-th of them. So a batch is never split between ranks, and
the clamp needs no communication. The gradients are averaged. Only the first rank writes files and messages.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dcign.device import choose_device, computing
from dcign.errors import TrainingError

PATIENCE = 20.0  # seconds within which torchrun ends the other ranks, after the first has reported the error


@dataclass(frozen=True)
class Process:
    """This process: its number among all that train the run, and among those on this machine."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    local_count: int = 1

    @property
    def first(self) -> bool:
        """Return whether this process writes files and messages."""
        return self.rank == 0


ALONE = Process()


def this_process() -> Process:
    """Return this process as torchrun describes it, or `ALONE` without torchrun."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return ALONE
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    return Process(*(int(os.environ[name]) for name in names))


def device_of_rank(name: str, process: Process) -> torch.device:
    """Return the device of that name for this process. Several processes share the CPU, or have one GPU each."""
    if process.count == 1:
        return choose_device(name)
    if name not in ("auto", "cpu", "cuda"):
        raise TrainingError(
            f"expected device cpu or cuda for {process.count} processes, found {name!r}, which is one device: ask for "
            "cpu or cuda, so that each process gets its own."
        )
    device = choose_device(name)
    if device.type == "cpu":
        return device
    cards = torch.cuda.device_count()
    if cards < process.local_count:
        raise TrainingError(
            f"expected at most one process per GPU, found {process.local_count} processes and {cards} GPUs: use "
            f"torchrun --nproc-per-node {cards}."
        )
    return torch.device("cuda", process.local_rank)


def device_name(device: torch.device, process: Process) -> str:
    """Return the name with which every process gets its own device of this type."""
    return str(device) if process.count == 1 else device.type


class Ranks:
    """The processes of a run, joined by Lightning Fabric. All enter and leave its `with` block together."""

    def __init__(self, device: torch.device, precision: torch.dtype, process: Process) -> None:
        self.process, self.device, self.precision = process, device, precision
        self._fabric = _fabric(device, precision, process)

    def __enter__(self) -> Ranks:
        self._fabric.launch()
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.count > 1 and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    def module(self, module: nn.Module) -> nn.Module:
        """Wrap a module that returns a loss: computed in the run's precision, gradients averaged over ranks."""
        wrapped: nn.Module = self._fabric.setup_module(module)
        return wrapped

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss () to those of the weights."""
        self._fabric.backward(loss)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of a tensor of any shape over the ranks."""
        if self.process.count == 1:
            return values
        reduced: Tensor = self._fabric.all_reduce(values, reduce_op="mean")
        return reduced

    def any(self, value: bool) -> bool:
        """Return whether the value is true on any rank."""
        if self.process.count == 1:
            return value
        return bool(self.mean(torch.tensor(float(value), device=self.device)) > 0)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Raise on every rank the error that one raises, so that none waits for another. The first rank reports it."""
        try:
            yield
            error = None
        except Exception as found:
            error = found
        if self.process.count > 1:
            messages: list[str | None] = [None] * self.process.count
            torch.distributed.all_gather_object(messages, None if error is None else str(error))
            message = next((each for each in messages if each is not None), None)
            if message is not None:
                finish_other_processes(self.process)
                error = error or TrainingError(message)
        if error is not None:
            raise error


def finish_other_processes(process: Process) -> None:
    """End every rank but the first without a message, after the first has had time to report the error."""
    if not process.first:
        time.sleep(PATIENCE)  # torchrun ends all as soon as one has failed
        raise SystemExit(1)


def is_lost_rank(error: RuntimeError) -> bool:
    """Return whether an error means that another rank has ended. gloo has no class for it."""
    return "gloo" in str(error) or isinstance(error, getattr(torch.distributed, "DistError", ()))


def _fabric(
    device: torch.device, precision: torch.dtype, process: Process
) -> Any:  # Any: Fabric, imported where needed
    import logging

    from lightning_fabric import Fabric
    from lightning_fabric.plugins import MixedPrecision
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    class Autocast(MixedPrecision):
        """Mixed precision that leaves the images float32: Fabric's own rounds them before the loss compares them."""

        def forward_context(self) -> Any:
            return computing(device, precision)

        def convert_input(self, data: Any) -> Any:
            return data

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it would repeat the options in the terminal
    half = precision == torch.bfloat16
    plugins: list[Any] = [Autocast("bf16-mixed", device.type)] if half else []
    if process.count == 1:
        devices: Any = [device.index or 0] if device.type == "cuda" else 1
        return Fabric(accelerator=device.type, devices=devices, plugins=[*plugins, LightningEnvironment()])
    backend = "nccl" if device.type == "cuda" else "gloo"
    return Fabric(
        accelerator=device.type,
        devices=process.local_count,
        num_nodes=process.count // process.local_count,
        strategy=DDPStrategy(process_group_backend=backend, gradient_as_bucket_view=True),
        plugins=[*plugins, TorchElasticEnvironment()],
    )
