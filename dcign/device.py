"""Where the arithmetic happens: the device, its precision, its threads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dcign.errors import TrainingError

PRECISIONS = ("auto", "bfloat16", "float32")
THREADS_A_CORE = 4  # more only wait for each other


def choose_device(name: str) -> torch.device:
    """Return the device of that name; "auto" is a GPU if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    here = devices_here()
    if name not in here:
        raise TrainingError(f"there is no device {name!r} here: choose {', '.join(here)}, or auto")
    return torch.device(name)


def devices_here() -> tuple[str, ...]:
    """Return the names of the devices that a network can be trained on here."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cuda = ("cuda", *(f"cuda:{number}" for number in range(cards))) if cards else ()
    return ("cpu", *cuda, *(("mps",) if torch.backends.mps.is_available() else ()))


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return what convolutions compute in; "auto" is bfloat16 wherever the hardware multiplies it."""
    if name not in PRECISIONS:
        raise TrainingError(f"there is no precision {name!r}: choose one of {', '.join(PRECISIONS)}")
    if name == "auto":
        # oneDNN emulates bfloat16 on a CPU without instructions for it, at a third of float32's speed.
        fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else _cpu_multiplies_bfloat16()
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if name == "bfloat16" else torch.float32


@contextmanager
def computing(device: torch.device, precision: torch.dtype) -> Iterator[None]:
    """Run convolutions and matrix products in that precision; sums and losses stay float32."""
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
        yield


@contextmanager
def threads(count: int, processes: int = 1) -> Iterator[None]:
    """Use that many CPU threads, 0 for this process's share of the cores; put back what was."""
    refuse_threads(count)
    before = torch.get_num_threads()
    torch.set_num_threads(count or max(1, _cores() // processes))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def refuse_threads(count: int) -> None:
    """Raise unless so many threads make sense here: of many thousand, the process dies without a word."""
    most = THREADS_A_CORE * _cores()
    if not 0 <= count <= most:
        raise TrainingError(
            f"threads is {count}: wanted 1 to {most}, as there are {_cores()} cores, or 0 for one a core"
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _cpu_multiplies_bfloat16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
