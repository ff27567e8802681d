"""The processes that train one run: one alone, or under torchrun several of equal standing, a rank each.

Every rank draws the same groups of a step and keeps every R-th of them, so a batch never straddles ranks and the
clamp needs no communication; their gradients are averaged. The first rank alone writes and speaks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from dcign.device import choose_device, computing
from dcign.errors import TrainingError

PATIENCE = 20.0  # seconds in which torchrun ends the other ranks, once the first has said why


@dataclass(frozen=True)
class Process:
    """Which process this is: of all that train the run, and of those on this machine."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    local_count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0


ALONE = Process()


def this_process() -> Process:
    """Return what torchrun says of this process; without torchrun it is alone."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return ALONE
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    return Process(*(int(os.environ[name]) for name in names))


def device_of_rank(name: str, process: Process) -> torch.device:
    """Return the device of that name for this process: several share a CPU, or have a GPU each."""
    if process.count == 1:
        return choose_device(name)
    if name not in ("auto", "cpu", "cuda"):
        raise TrainingError(
            f"device {name!r} is one device, and {process.count} processes train: ask for cpu or cuda, of which "
            "torchrun gives each process its own"
        )
    device = choose_device(name)
    if device.type == "cpu":
        return device
    cards = torch.cuda.device_count()
    if cards < process.local_count:
        raise TrainingError(
            f"{process.local_count} processes were started here and there are {cards} GPUs: start one a GPU, "
            f"torchrun --nproc-per-node {cards}"
        )
    return torch.device("cuda", process.local_rank)


def device_name(device: torch.device, process: Process) -> str:
    """Return the name that gives every process its own such device."""
    return str(device) if process.count == 1 else device.type


class Ranks:
    """The processes of a run, joined by Lightning Fabric. Use it in a `with`, which they enter and leave together."""

    def __init__(self, device: torch.device, precision: torch.dtype, process: Process) -> None:
        self.process, self.device, self.precision = process, device, precision
        self._fabric = _fabric(device, precision, process)

    def __enter__(self) -> Ranks:
        self._fabric.launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.count > 1 and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    def module(self, module: nn.Module) -> nn.Module:
        """Wrap a module whose forward pass gives a loss: in the run's precision, gradients averaged over ranks."""
        wrapped: nn.Module = self._fabric.setup_module(module)
        return wrapped

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss () to the weights' own."""
        self._fabric.backward(loss)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over the ranks, of any shape."""
        if self.process.count == 1:
            return values
        reduced: Tensor = self._fabric.all_reduce(values, reduce_op="mean")
        return reduced

    def any(self, asked: bool) -> bool:
        """Return whether any rank says yes."""
        if self.process.count == 1:
            return asked
        return bool(self.mean(torch.tensor(float(asked), device=self.device)) > 0)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Raise on every rank what one raises, so that none waits for another; the first rank says it."""
        try:
            yield
            error = None
        except Exception as found:
            error = found
        if self.process.count > 1:
            said: list[str | None] = [None] * self.process.count
            torch.distributed.all_gather_object(said, None if error is None else str(error))
            sentence = next((each for each in said if each is not None), None)
            if sentence is not None:
                finish_other_processes(self.process)
                error = error or TrainingError(sentence)
        if error is not None:
            raise error


def finish_other_processes(process: Process) -> None:
    """End any rank but the first without a word, once the first has had the time to say what all found."""
    if not process.first:
        time.sleep(PATIENCE)  # torchrun ends all as soon as one has ended badly
        raise SystemExit(1)


def is_lost_rank(error: RuntimeError) -> bool:
    """Return whether an error says that another rank is gone: gloo has no class for it."""
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
        """Fabric's own would round the images to bfloat16 before the loss compares them."""

        def forward_context(self) -> Any:
            return computing(device, precision)

        def convert_input(self, data: Any) -> Any:
            return data

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells the terminal what was asked for
    half = precision == torch.bfloat16
    plugins: list[Any] = [Autocast("bf16-mixed", device.type)] if half else []
    if process.count == 1:
        devices: Any = 1 if device.type != "cuda" else [device.index or 0]
        return Fabric(accelerator=device.type, devices=devices, plugins=[*plugins, LightningEnvironment()])
    backend = "nccl" if device.type == "cuda" else "gloo"
    strategy = DDPStrategy(process_group_backend=backend, gradient_as_bucket_view=True)
    return Fabric(
        accelerator=device.type,
        devices=process.local_count,
        num_nodes=process.count // process.local_count,
        strategy=strategy,
        plugins=[*plugins, TorchElasticEnvironment()],
    )
