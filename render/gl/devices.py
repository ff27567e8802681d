"""Choose the EGL device that a worker draws with: its own GPU if there are enough, a shared one, or the CPU.

EGL lists both GPUs and Mesa's software renderer. A process takes the GPU that the fewest other processes use. They
count each other by locked files, which works for any number of processes, whoever started them. The user's
EGL_DEVICE_ID overrides all this.
"""

from __future__ import annotations

import functools
import itertools
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dcign.data.doctor import Unanswered, ask_subprocess
from dcign.errors import RenderError
from dcign.render.gl.context import Renderer, choose_egl, describe_renderer, open_context

VARIABLE = "EGL_DEVICE_ID"  # pyrender's own convention
SIGNS = ("/dev/nvidia[0-9]*", "/dev/dri/renderD*")  # without any of these there is no GPU
ASKING_SECONDS = 30.0
MOST_CLAIMS = 1_000  # most processes per device


def worker_count(cores: int) -> int:
    """Return the number of workers for this machine: one per GPU, or one per core without a GPU."""
    return len(gpus()) or cores


def claim_gpu() -> None:
    """Let this process draw with the GPU that the fewest others use, unless there is none or the user chose one.

    The claim ends with the process.
    """
    if VARIABLE not in os.environ and gpus():
        os.environ[VARIABLE] = str(least_used(gpus(), Path(tempfile.gettempdir())))


@functools.cache
def gpus() -> tuple[int, ...]:
    """Return the numbers of the EGL devices that are working GPUs; only the user's choice, if there is one.

    A child process tries them, because drivers can crash; if it fails there are none.
    """
    if not any(any(Path("/").glob(sign[1:])) for sign in SIGNS):
        return ()
    try:
        return tuple(ask_subprocess(__name__, "drawing_gpus", ASKING_SECONDS))
    except Unanswered:
        return ()


def drawing_gpus() -> list[int]:
    """In a child process: return the numbers of the EGL devices that work and are not software."""
    choose_egl()
    from pyrender.platforms import egl

    chosen = os.environ.get(VARIABLE)
    listed = range(len(egl.query_devices())) if chosen is None else [int(chosen)]
    return [device for device in listed if _is_gpu(device)]


def least_used(devices: Sequence[int], folder: Path) -> int:
    """Claim the device with the fewest claims of other processes, which are locked files in the folder.

    The claim ends with this process. If the folder cannot be locked or written to, the process's ID chooses the device.
    """
    try:
        for claim, device in itertools.product(range(MOST_CLAIMS), devices):
            if _lock(folder / f"dcign-{os.getuid()}-device-{device}-{claim}.lock"):
                return device
    except (ImportError, OSError):
        pass
    return devices[os.getpid() % len(devices)]


def _lock(path: Path) -> bool:
    """Lock the file until this process ends, and return whether that succeeded.

    Raises ImportError or OSError if the system has no locks.
    """
    import fcntl

    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        if isinstance(error, BlockingIOError):  # another process has it
            return False
        raise
    return True


def _is_gpu(device: int) -> bool:
    os.environ[VARIABLE] = str(device)
    try:
        context = open_context()
    except RenderError:  # listed, but without permission or a driver
        return False
    context.make_current()
    renderer: Renderer = describe_renderer()
    context.close()
    return not renderer.software
