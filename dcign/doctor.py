"""The checks of `dcign doctor` for training: memory, PyTorch, device, bfloat16. Does not import PyTorch itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dcign.data.doctor import GOOD, MISSING, SLOW, Check, Unanswered, ask_subprocess, guarded
from dcign.inputs.memory import free_memory, gigabytes

TORCH_SECONDS = 120.0  # for a first import from a cold or shared disk
LEAST_MEMORY, EASY_MEMORY = 0.5e9, 2e9  # bytes: for torch alone; for training, or two workers, in the default settings
NVIDIA = Path("/proc/driver/nvidia/version")
TORCH_MEND = (
    "Install PyTorch again: the command for your machine is on https://pytorch.org/get-started/locally/; the version "
    "is in constraints.txt."
)


def check_training() -> Iterator[Check]:
    """Yield checks of the memory, of PyTorch, and of the device and precision that `dcign train` would use."""
    yield guarded("memory", "This system does not report its free memory.", lambda: _memory(free_memory()))
    try:
        found: dict[str, Any] = ask_subprocess(__name__, "describe_torch", TORCH_SECONDS)
    except Unanswered as error:
        yield Check("pytorch", MISSING, str(error), TORCH_MEND)
        return
    yield Check("pytorch", GOOD, f"{found['version']}, imports", facts={"version": found["version"]})
    yield guarded("device", TORCH_MEND, lambda: _device(found))
    yield guarded("bfloat16", TORCH_MEND, lambda: _bfloat16(found))


def _memory(free: int) -> Check:
    verdict = MISSING if free < LEAST_MEMORY else SLOW if free < EASY_MEMORY else GOOD
    mend = {
        MISSING: "End other programs, or raise the memory limit of this control group.",
        SLOW: "Render with fewer --workers, and train with --data-in disk.",
        GOOD: "",
    }[verdict]
    return Check("memory", verdict, f"{gigabytes(free)} free", mend, facts={"bytes_free": free})


def _device(found: dict[str, Any]) -> Check:
    if found["device"] != "cpu":
        return Check("device", GOOD, f"{found['device']}: {found['gpu']}", facts=found)
    text = "no GPU for PyTorch; dcign train would use the CPU"
    if not NVIDIA.exists():
        mend = "Nothing is broken: training only takes longer. A GPU would be used automatically."
    elif found["cuda"] is None:
        mend = "There is a GPU and this PyTorch is built without CUDA: install the build for your CUDA version."
    else:
        mend = f"There is a GPU that CUDA {found['cuda']} cannot use: `nvidia-smi` says whether its driver is too old."
    return Check("device", SLOW, text, mend, facts=found)


def _bfloat16(found: dict[str, Any]) -> Check:
    fast = found["precision"] == "bfloat16"
    text = "multiplied by the hardware, and used" if fast else "emulated here; dcign train computes in float32"
    mend = "" if fast else "Nothing is broken: a CPU with AVX-512 BF16 or AMX, or a newer GPU, trains faster."
    return Check("bfloat16", GOOD if fast else SLOW, text, mend, facts={"precision": found["precision"]})


def describe_torch() -> dict[str, Any]:
    """Return PyTorch's version, and what `dcign train` would choose. Runs in a child process."""
    import torch

    from dcign.device import choose_device, choose_precision

    device = choose_device("auto")
    torch.ones(2, 2, device=device).sum().item()  # a GPU that is listed may still be broken
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda,
        "device": str(device),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "precision": str(choose_precision("auto", device)).removeprefix("torch."),
    }
