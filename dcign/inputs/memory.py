"""The free memory, and whether the training images fit into it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dcign.errors import TrainingError

if TYPE_CHECKING:
    import torch

    from dcign.run.configuration import Storage

SHARE = 0.6  # of the free memory that images may fill: the network, its gradients and the evaluation need the rest

MEMORY_OF_MACHINE = Path("/proc/meminfo")
MEMORY_OF_GROUP = Path("/sys/fs/cgroup")


def choose_storage(asked: Storage, needed: int, free: int) -> Storage:
    """Return "memory" or "disk", given the size of the images and the free memory, both in bytes.

    Raises TrainingError if memory was asked for and cannot hold them.
    """
    if asked == "memory" and needed > free:
        raise TrainingError(
            f"expected memory for {gigabytes(needed)} of training images, found {gigabytes(free)} free: "
            "train with --data-in disk."
        )
    if asked == "auto":
        return "memory" if needed <= SHARE * free else "disk"
    return asked


def fits_on_device(needed: int, device: torch.device) -> bool:
    """Return whether `needed` bytes of images fit on a GPU, beside what training needs there."""
    import torch  # only here: `dcign doctor` asks for the free memory even where torch is missing

    return device.type == "cuda" and needed <= SHARE * torch.cuda.mem_get_info(device)[0]


def free_memory() -> int:
    """Return the bytes that this process may still allocate, within the machine and its control group."""
    return min(_free_of_machine(), _free_of_group())


def gigabytes(count: float) -> str:
    """Return the text of a number of bytes."""
    return f"{count / 1e9:.1f} GB"


def _free_of_machine() -> int:
    try:
        lines = dict(line.split(":", 1) for line in MEMORY_OF_MACHINE.read_text().splitlines() if ":" in line)
        return 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):  # not Linux: half of the installed memory
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _free_of_group() -> int:
    try:
        most, used = ((MEMORY_OF_GROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return 2**63 if most == "max" else max(0, int(most) - int(used))
    except (OSError, ValueError):
        return 2**63
