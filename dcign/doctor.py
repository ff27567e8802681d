"""What `dcign doctor` finds out about training: memory, PyTorch, device, bfloat16. Imports nothing of these itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dcign.data.doctor import GOOD, MISSING, SLOW, Check, Unanswered, ask_subprocess, guarded
from dcign.inputs.memory import free_memory

TORCH_SECONDS = 120.0  # of a first import from a cold or shared disk
LEAST_MEMORY, EASY_MEMORY = 0.5e9, 2e9  # bytes: torch alone; a training, or two workers, without care
NVIDIA = Path("/proc/driver/nvidia/version")
TORCH_MEND = (
    "Install PyTorch anew: the line for your machine is on https://pytorch.org/get-started/locally/; the version is "
    "in constraints.txt."
)


def check_training() -> Iterator[Check]:
    """The memory, PyTorch, and the device and precision that `dcign train` would use."""
    yield guarded("memory", "Nothing here tells how much there is.", lambda: _memory(free_memory()))
    try:
        told: dict[str, Any] = ask_subprocess(__name__, "describe_torch", TORCH_SECONDS)
    except Unanswered as error:
        yield Check("pytorch", MISSING, str(error), TORCH_MEND)
        return
    yield Check("pytorch", GOOD, f"{told['version']}, imports", facts={"version": told["version"]})
    yield guarded("device", TORCH_MEND, lambda: _device(told))
    yield guarded("bfloat16", TORCH_MEND, lambda: _bfloat16(told))


def _memory(free: int) -> Check:
    said, facts = f"{free / 1e9:.1f} GB free", {"bytes_free": free}
    if free < LEAST_MEMORY:
        return Check("memory", MISSING, said, "End what else runs here, or raise this group's limit.", facts=facts)
    if free < EASY_MEMORY:
        mend = "Render with fewer --workers, and train with --data-in disk."
        return Check("memory", SLOW, said, mend, facts=facts)
    return Check("memory", GOOD, said, facts=facts)


def _device(told: dict[str, Any]) -> Check:
    if told["device"] != "cpu":
        return Check("device", GOOD, f"{told['device']}: {told['gpu']}", facts=told)
    said = "no GPU for PyTorch; dcign train would use the CPU"
    if not NVIDIA.exists():
        mend = "Nothing is broken: it only takes longer; a GPU would be used of itself."
    elif told["cuda"] is None:
        mend = "There is a GPU and this PyTorch is built without CUDA: install the build for your CUDA version."
    else:
        mend = f"There is a GPU that CUDA {told['cuda']} cannot use: `nvidia-smi` says whether its driver is too old."
    return Check("device", SLOW, said, mend, facts=told)


def _bfloat16(told: dict[str, Any]) -> Check:
    fast = told["precision"] == "bfloat16"
    said = "multiplied by the hardware, and used" if fast else "emulated here; dcign train computes in float32"
    mend = "" if fast else "Nothing is broken: a CPU with AVX-512 BF16 or AMX, or a newer GPU, trains faster."
    return Check("bfloat16", GOOD if fast else SLOW, said, mend, facts={"precision": told["precision"]})


def describe_torch() -> dict[str, Any]:
    """In a child process: PyTorch's version, and what `dcign train` would choose."""
    import torch

    from dcign.device import choose_device, choose_precision

    device = choose_device("auto")
    torch.ones(2, 2, device=device).sum().item()  # a GPU that is listed may be broken all the same
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda,
        "device": str(device),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "precision": str(choose_precision("auto", device)).removeprefix("torch."),
    }
