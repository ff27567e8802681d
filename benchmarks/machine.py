"""The machine that a benchmark measures."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

CPUS = Path("/proc/cpuinfo")


def device_name(device: torch.device) -> str:
    """Return the name of a GPU, or of this machine's CPU."""
    import torch

    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    lines = CPUS.read_text().splitlines() if CPUS.exists() else []
    known = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return known[0] if known else f"a CPU of type {platform.machine()}"
