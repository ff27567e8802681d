"""How large a demo fits into the given time on this machine: measured for a few seconds, then planned.

The demo renders, trains `swap` and a plain VAE at the same time, each on half of the cores, and evaluates both. What
the parts cost relative to each other was measured on 2 cores of an AMD EPYC (docs/log.md).
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

RUNS = ("swap", "vae")
SIZE = 64  # pixels
MEASURED_STEPS = 40
OTHER_IMAGES = 20 * 900  # of the splits test, iid and sweep of a small data set
# The evaluation and the report of a run take as long as so many of its training steps, and so many more per training
# batch: the other splits grow with the training split. With a GPU, which does not limit them, they take seconds.
EVALUATION_STEPS = 1_000, 1.25
EVALUATION_SECONDS = 60.0, 0.06
FIXED_SECONDS = 25.0  # starting programs, reading the data, the first picture
VAE_STEPS = 0.78  # of those of `swap`: its steps take longer, because its network is not mirror-equivariant
BESIDE = 1.05  # how much longer a step takes while another training runs beside it
SHARE_RENDERED = 0.25  # of the time
BATCHES = (300, 1_800)  # fewest and most
STEPS = (1_500, 40_000)


@dataclass(frozen=True)
class Speed:
    """What was measured: images per second of all workers of `dcign render`, and seconds per step of a training."""

    images_per_second: float
    step_seconds: float
    on_gpu: bool


@dataclass(frozen=True)
class Plan:
    """The size of a demo, and how long it will take."""

    batches: int
    steps: int
    seconds: float


def fitted(speed: Speed, minutes: float, batches: int | None = None, steps: int | None = None) -> Plan:
    """Return the largest demo that fits into the time, or the smallest that there is; what is given stays."""
    images = SHARE_RENDERED * 60 * minutes * speed.images_per_second
    batches = batches or _within(BATCHES, (images - OTHER_IMAGES) / 20, 100)
    rendering = (20 * batches + OTHER_IMAGES) / speed.images_per_second
    fixed, per_batch = EVALUATION_SECONDS if speed.on_gpu else EVALUATION_STEPS
    evaluation = (fixed + per_batch * batches) * (1.0 if speed.on_gpu else speed.step_seconds)
    other = FIXED_SECONDS + rendering + evaluation
    steps = steps or _within(STEPS, (60 * minutes - other) / speed.step_seconds, 500)
    return Plan(batches, steps, other + steps * speed.step_seconds)


def _within(limits: tuple[int, int], wanted: float, multiple: int) -> int:
    low, high = limits
    return max(low, min(high, int(wanted // multiple) * multiple))


def measure() -> Speed:
    """Measure rendering and a training step for a few seconds."""
    from dcign.device import choose_device
    from dcign.machine import available_cores
    from dcign.render.doctor import images_per_second
    from dcign.render.gl.devices import worker_count

    rate = images_per_second() * worker_count(available_cores())
    device = choose_device("auto")
    return Speed(rate, BESIDE * _step_seconds(str(device)), device.type == "cuda")


def _step_seconds(device: str) -> float:
    """Return the seconds of a training step of `swap`: the median."""
    import numpy as np
    import torch

    from dcign.data.schema import FACTORS
    from dcign.device import choose_device, choose_precision, threads
    from dcign.inputs.batches import TrainingBatches
    from dcign.recipes.registry import recipe_named
    from dcign.run.configuration import ImageDescription, TrainConfiguration
    from dcign.train.distributed import ALONE, Ranks
    from dcign.train.trainer import Trainer

    chosen = choose_device(device)
    kinds = len(FACTORS) + 1
    images = torch.randint(256, (2 * kinds, 20, SIZE, SIZE, 1), dtype=torch.uint8, device=chosen)
    batches = TrainingBatches(images, np.arange(len(images)) % kinds)
    names, units, signs = zip(*((each.name, each.units, each.mirror_sign) for each in FACTORS), strict=True)
    description = ImageDescription(SIZE, 1, names, units, signs, "")
    configuration = TrainConfiguration("", "", recipe_named("swap"), 10**6, seed=0, device=device)
    seconds = []
    with threads(threads_of_each()):
        trainer = Trainer(batches, description, configuration, Ranks(chosen, choose_precision("auto", chosen), ALONE))
        for _ in range(MEASURED_STEPS):
            began = time.perf_counter()
            trainer.step()
            trainer.state.step += 1
            if chosen.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def threads_of_each() -> int:
    """Return the threads of each of the two trainings."""
    from dcign.machine import available_cores

    return max(1, available_cores() // len(RUNS))
