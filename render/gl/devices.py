"""Which EGL device a worker draws with: a GPU of its own where there are GPUs, else the CPU.

EGL lists GPUs and Mesa's software renderer alike. Whoever draws takes the GPU that fewest others draw with, which the
processes of a machine tell each other by locks on files: so it works for any number of them, whoever started them. A
user's EGL_DEVICE_ID stands above all this.
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
SIGNS = ("/dev/nvidia[0-9]*", "/dev/dri/renderD*")  # without one of these there is no GPU, and nobody needs to be asked
ASKING_SECONDS = 30.0
PLACES = 1_000  # processes that a device may have


def worker_count(cores: int) -> int:
    """How many workers suit this machine: one a GPU where there are any, else one a core."""
    return len(gpus()) or cores


def claim_gpu() -> None:
    """Let this process draw with the GPU that fewest others draw with; nothing where there is none, or the user chose.

    The claim ends with the process.
    """
    if VARIABLE not in os.environ and gpus():
        os.environ[VARIABLE] = str(least_used(gpus(), Path(tempfile.gettempdir())))


@functools.cache
def gpus() -> tuple[int, ...]:
    """Numbers of the EGL devices that are GPUs and draw; at most the user's choice, if there is one.

    A child process finds out, for drivers can crash; where it fails there are none.
    """
    if not any(any(Path("/").glob(sign[1:])) for sign in SIGNS):
        return ()
    try:
        return tuple(ask_subprocess(__name__, "drawing_gpus", ASKING_SECONDS))
    except Unanswered:
        return ()


def drawing_gpus() -> list[int]:
    """In a child process: numbers of the EGL devices that draw and are not software."""
    choose_egl()
    from pyrender.platforms import egl

    chosen = os.environ.get(VARIABLE)
    listed = range(len(egl.query_devices())) if chosen is None else [int(chosen)]
    return [device for device in listed if _is_gpu(device)]


def least_used(devices: Sequence[int], folder: Path) -> int:
    """The device of these that fewest processes claim by a lock in the folder; this process claims it until it ends.

    Where the folder has no locks, or may not be written to, one by the process's number.
    """
    try:
        for place, device in itertools.product(range(PLACES), devices):
            if _lock(folder / f"dcign-{os.getuid()}-device-{device}-{place}.lock"):
                return device
    except (ImportError, OSError):
        pass
    return devices[os.getpid() % len(devices)]


def _lock(path: Path) -> bool:
    """Whether this process has locked the file now; it stays open, and so locked, as long as this process lives.

    Raises ImportError or OSError where there are no locks.
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
    except RenderError:  # listed, and not for us: no permission, or no driver
        return False
    context.make_current()
    renderer: Renderer = describe_renderer()
    context.close()
    return not renderer.software
