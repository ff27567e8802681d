"""How much memory there is, and whether the training images go into it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dcign.errors import TrainingError

if TYPE_CHECKING:
    import torch

PLACES = ("auto", "memory", "disk")
SHARE = 0.6  # of what is free that images may fill unasked: the network, its gradients and the evaluation want some

MEMORY_OF_MACHINE = Path("/proc/meminfo")
MEMORY_OF_GROUP = Path("/sys/fs/cgroup")


def choose_storage(asked: str, needed: int, free: int) -> str:
    """Return "memory" or "disk" for so many bytes of images, where so many are free.

    Raises TrainingError if memory was asked for and cannot hold them.
    """
    if asked not in PLACES:
        raise TrainingError(f"there is no place {asked!r} for the data: choose one of {', '.join(PLACES)}")
    if asked == "memory" and needed > free:
        raise TrainingError(
            f"the training images take {gigabytes(needed)} and {gigabytes(free)} of memory are free: "
            "train with --data-in disk"
        )
    if asked == "auto":
        return "memory" if needed <= SHARE * free else "disk"
    return asked


def fits_on_device(needed: int, device: torch.device) -> bool:
    """Return whether so many bytes of images can lie on a GPU, beside what training needs there."""
    import torch  # here alone: `dcign doctor` asks for the memory where torch is missing

    return device.type == "cuda" and needed <= SHARE * torch.cuda.mem_get_info(device)[0]


def free_memory() -> int:
    """Return how many bytes this process may still take: of the machine, and of the group it is confined to."""
    return min(_free_of_machine(), _free_of_group())


def gigabytes(count: float) -> str:
    """Return a number of bytes in words."""
    return f"{count / 1e9:.1f} GB"


def _free_of_machine() -> int:
    try:
        lines = dict(line.split(":", 1) for line in MEMORY_OF_MACHINE.read_text().splitlines() if ":" in line)
        return 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):  # not Linux: half of what is built in
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _free_of_group() -> int:
    try:
        most, used = ((MEMORY_OF_GROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return 2**63 if most == "max" else max(0, int(most) - int(used))
    except (OSError, ValueError):
        return 2**63
