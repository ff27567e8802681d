"""Checks of `dcign doctor` on rendering: renderer, device and speed. Imports only what cannot be missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dcign.data.doctor import GOOD, MISSING, SLOW, Check, Unanswered, ask_subprocess, guarded

GL_SECONDS, SPEED_SECONDS = 30.0, 300.0  # the second includes building a face model on a busy machine
MEASURED_SECONDS = 1.0
SLOW_BELOW = 150.0  # images/s of one worker at 64 px: half the speed of a busy core of 2023 in software
PAPERS_IMAGES = 240_000
EGL_MEND = (
    "Install EGL and a driver: `apt install libegl1 libgl1 libopengl0 libgl1-mesa-dri` (Debian, Ubuntu), "
    "mesa-libEGL and mesa-dri-drivers (Fedora)."
)
NVIDIA = Path("/proc/driver/nvidia/version")  # exists with a GPU's driver


def check_rendering(cores: int, *, quick: bool) -> Iterator[Check]:
    """Check OpenGL and, unless `quick`, the images/s of one worker."""
    opengl = guarded("opengl", EGL_MEND, _opengl)
    yield opengl
    if quick:
        return
    if opengl.verdict == MISSING:
        yield Check("rendering", MISSING, "not measured: there is no OpenGL", EGL_MEND)
        return
    mend = (
        "Run `dcign render --batches 1 --size 64 --out trial`, which says more; `dcign doctor --quick` leaves it out."
    )
    yield guarded("rendering", mend, lambda: _rendering(cores))


def _opengl() -> Check:
    found: dict[str, Any] = ask_subprocess(__name__, "drawn_by", GL_SECONDS)
    from dcign.render.gl.context import Renderer  # and numpy, which may be missing

    software = Renderer(found["vendor"], found["name"], found["version"]).software
    where = f"EGL device {found['device']} of {found['devices']}"
    said = f"{found['vendor']}: {found['name']}, {found['version']}; {where}{', drawn by the CPU' if software else ''}"
    if software and NVIDIA.exists():
        mend = (
            "There is a GPU: install NVIDIA's own EGL (libnvidia-gl of your driver's version), or choose another "
            "device, for example with EGL_DEVICE_ID=1."
        )
        return Check("opengl", SLOW, said, mend, facts=found)
    return Check("opengl", GOOD, said, facts=found)


def _rendering(cores: int) -> Check:
    rate = float(ask_subprocess(__name__, "images_per_second", SPEED_SECONDS))
    minutes = PAPERS_IMAGES / rate / cores / 60
    said = f"{rate:,.0f} images/s of one worker at 64 px; 240,000 with {cores} in about {minutes:,.0f} min"
    facts = {"images_per_second": rate, "size": 64, "workers": 1}
    if rate < SLOW_BELOW:
        mend = "Stop other programs; if it stays slow, use a machine with faster cores or a GPU."
        return Check("rendering", SLOW, said, mend, facts=facts)
    return Check("rendering", GOOD, said, facts=facts)


def drawn_by() -> dict[str, Any]:
    """In a child process: return the OpenGL renderer, its EGL device and the number of devices.

    Raises Unanswered if there is none.
    """
    import os
    from dataclasses import asdict

    from dcign.errors import RenderError
    from dcign.render.gl.context import describe_renderer, open_context

    try:
        open_context()
    except RenderError as error:
        raise Unanswered(str(error).partition("; ")[0]) from None
    from pyrender.platforms import egl

    about = {"device": int(os.environ.get("EGL_DEVICE_ID", 0)), "devices": len(egl.query_devices())}
    return asdict(describe_renderer()) | about


def images_per_second() -> float:
    """In a child process: return images/s of one worker of `dcign render`, of training batches at 64 px."""
    from dcign.facegen.build import cache_path, procedural_model
    from dcign.render.produce import workers

    if not cache_path().exists():
        procedural_model()
    ((_, rate),) = workers.run_tasks(measured_rate, [cache_path()], 1, lambda count: None)
    return rate


def measured_rate(model_file: Path) -> float:
    """In a worker: return images/s, planned and drawn, after a warm-up."""
    from dcign.data.schema import BATCH_SIZE
    from dcign.render.plan.batches import plan_batch
    from dcign.render.plan.configuration import RenderConfiguration, Splits
    from dcign.render.produce import workers
    from dcign.storage.atomic import file_sha256

    configuration = RenderConfiguration(Splits.in_paper_proportions(1), size=64)
    renderer = workers.open_renderer(model_file, file_sha256(model_file), configuration)
    number, began, drawn = 0, 0.0, 0
    while not began or time.perf_counter() - began < MEASURED_SECONDS or number % 4:
        if number == 4:  # one batch of each kind is done: shaders are compiled
            began = time.perf_counter()
        renderer.draw_batch(plan_batch(configuration, renderer.model, "train", number))
        number += 1
        drawn += BATCH_SIZE * (began > 0)
    return drawn / (time.perf_counter() - began)
