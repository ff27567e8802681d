"""The inputs of each step: its images and random numbers.

They depend on (seed, step) only, so they can be computed in advance. Where the images are on disk, a thread reads whole
batches, one chunk each, in the order in which the steps need them.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from dcign.inputs.batches import ImageBatches, draw_groups, sent, step_generator
from dcign.recipes.registry import Recipe
from dcign.train.clamp import draw_donors
from dcign.train.distributed import Process

AHEAD = 16  # steps that are read before they are needed
CHECK_INTERVAL = 0.1  # seconds after which a waiting thread checks whether it was closed


@dataclass(frozen=True, eq=False)
class StepInput:
    """The groups of one rank in a step.

    images (G, n, S, S, C) uint8; kind (G,); mirrored (G,) bool; noise (G, n, Z) N(0, 1); donors (G, n, F + 1).
    """

    images: Tensor
    kind: Tensor
    mirrored: Tensor
    noise: Tensor
    donors: Tensor

    def to(self, device: torch.device) -> StepInput:
        """Return a copy on a device."""
        return StepInput(*(sent(getattr(self, field.name), device) for field in fields(self)))


Feed = Callable[[int], StepInput]


@dataclass(frozen=True, eq=False)
class StepFeed:
    """Draws all groups of any step, and keeps those of this rank."""

    batches: ImageBatches
    members: list[Tensor]  # the batches of each kind
    ratio: tuple[float, ...]
    recipe: Recipe
    blocks: int  # number of blocks of latents, each with its own donors
    seed: int
    process: Process

    def __call__(self, step: int) -> StepInput:
        """Return the inputs of a step."""
        recipe, size = self.recipe, self.batches.size
        generator = step_generator(self.seed, step)
        count = min(recipe.images, size)
        draw = draw_groups(self.members, self.ratio, recipe.groups, count, size, recipe.flip, generator)
        noise = torch.randn(recipe.groups, count, recipe.latents, generator=generator)
        donors = draw_donors(recipe.groups, count, self.blocks, generator)
        batch, image, *rest = (
            values[self.process.rank :: self.process.count]
            for values in (draw.batch, draw.image, draw.kind, draw.mirrored, noise, donors)
        )
        return StepInput(self.batches.take(batch, image), *rest)


class ReadAhead:
    """A feed that makes the next steps in a thread while this one is computed. Close it, or use it in a `with`."""

    def __init__(self, feed: Feed, steps: int) -> None:
        """Read ahead of a feed, up to the last of `steps` steps."""
        self._feed, self._steps = feed, steps
        self._next = 0
        self._thread: threading.Thread | None = None
        self._made: queue.Queue[StepInput | BaseException] = queue.Queue(AHEAD)
        self._closed = threading.Event()

    def __call__(self, step: int) -> StepInput:
        """Return the inputs of a step. Raises the error that the thread met when it made them."""
        if self._thread is None or step != self._next:
            self._begin(step)
        self._next = step + 1
        made = self._made.get()
        if isinstance(made, BaseException):
            self.close()
            raise made
        return made

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._closed.set()
            self._thread.join()
            self._thread = None

    def _begin(self, step: int) -> None:
        self.close()
        self._closed, self._made = threading.Event(), queue.Queue(AHEAD)
        arguments = (step, self._made, self._closed)
        self._thread = threading.Thread(target=self._make, args=arguments, name="reading ahead", daemon=True)
        self._thread.start()

    def _make(self, step: int, made: queue.Queue[StepInput | BaseException], closed: threading.Event) -> None:
        while step < self._steps and not closed.is_set():
            try:
                found: StepInput | BaseException = self._feed(step)
            except Exception as error:  # raised where the step is asked for
                found, step = error, self._steps
            while not closed.is_set():
                try:
                    made.put(found, timeout=CHECK_INTERVAL)
                    break
                except queue.Full:
                    continue
            step += 1
