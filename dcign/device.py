"""The device that computes, its precision, and the number of CPU threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from dcign.errors import TrainingError
from dcign.machine import available_cores

if TYPE_CHECKING:
    from dcign.run.configuration import Precision

THREADS_PER_CORE = 4  # more would only wait for each other


def choose_device(name: str) -> torch.device:
    """Return the device of that name; "auto" is a GPU if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    here = devices_here()
    if name not in here:
        raise TrainingError(f"expected a device of this machine, found {name!r}: choose {', '.join(here)}, or auto.")
    return torch.device(name)


def devices_here() -> tuple[str, ...]:
    """Return the names of the devices on which this machine can train a network."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cuda = ("cuda", *(f"cuda:{number}" for number in range(cards))) if cards else ()
    return ("cpu", *cuda, *(("mps",) if torch.backends.mps.is_available() else ()))


def choose_precision(name: Precision, device: torch.device) -> torch.dtype:
    """Return the precision of convolutions. "auto" is bfloat16 where the hardware multiplies it."""
    half = name == "bfloat16"
    if name == "auto" and device.type == "cuda":
        half = torch.cuda.is_bf16_supported()
    elif name == "auto":  # oneDNN emulates bfloat16 on a CPU without instructions for it, at a third of float32's speed
        half = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if half else torch.float32


def computing(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Return a context that computes convolutions and matrix products in this precision; sums stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == torch.bfloat16)


@contextmanager
def threads(count: int, processes: int = 1) -> Iterator[None]:
    """Use `count` CPU threads, 0 for this process's share of the cores, and restore the old number afterwards."""
    refuse_threads(count)
    before = torch.get_num_threads()
    torch.set_num_threads(count or max(1, available_cores() // processes))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def refuse_threads(count: int) -> None:
    """Raise TrainingError for too many threads: with many thousands, the process dies without an error message."""
    most = THREADS_PER_CORE * available_cores()
    if not 0 <= count <= most:
        raise TrainingError(
            f"expected 1 to {most} threads on {available_cores()} cores, or 0 for one per core, found {count}: "
            "change --threads."
        )
