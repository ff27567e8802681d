"""The inputs of each step: its images and random numbers.

They depend on (seed, step) only, so they can be computed in advance. Where the images are on disk, a thread reads whole
batches, one chunk each, in the order in which the steps need them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from dcign.inputs.batches import ImageBatches, draw_groups, sent, step_generator
from dcign.inputs.scaling import scaled
from dcign.recipes.registry import Recipe
from dcign.run.code_layout import CodeLayout
from dcign.train.augmentation import Augmentation
from dcign.train.clamp import draw_donors
from dcign.train.distributed import Process

AHEAD = 16  # steps that are read before they are needed


class StepInput(NamedTuple):
    """The groups of one rank in a step.

    images (G, n, S, S, C) uint8, what the encoder sees; targets: what the decoder must draw, of the same shape;
    kind (G,); mirrored (G,) bool; noise (G, n, Z) N(0, 1); donors (G, n, blocks).
    """

    images: Tensor
    targets: Tensor
    kind: Tensor
    mirrored: Tensor
    noise: Tensor
    donors: Tensor

    def to(self, device: torch.device) -> StepInput:
        """Return a copy on a device."""
        images, targets, *rest = self
        shown = sent(images, device)
        drawn = shown if targets is images else sent(targets, device)
        return StepInput(shown, drawn, *(sent(values, device) for values in rest))


Feed = Callable[[int], StepInput]


@dataclass(frozen=True, eq=False)
class StepFeed:
    """Draws all groups of any step, and keeps those of this rank."""

    batches: ImageBatches
    members: list[Tensor]  # the batches of each kind
    ratio: tuple[float, ...]
    recipe: Recipe
    layout: CodeLayout  # each of its blocks has its own donors
    seed: int
    process: Process
    picture_size: int  # px of the network's pictures; the batches' may be larger
    augmentation: Augmentation | None = None

    def __call__(self, step: int) -> StepInput:
        """Return the inputs of a step."""
        recipe, size = self.recipe, self.batches.size
        generator = step_generator(self.seed, step)
        count = min(recipe.images, size)
        draw = draw_groups(self.members, self.ratio, recipe.groups, count, size, recipe.flip, generator)
        noise = torch.randn(recipe.groups, count, self.layout.size, generator=generator)
        donors = draw_donors(recipe.groups, count, len(self.layout.blocks), generator)
        batch, image, *rest = (values[self.process.rank :: self.process.count] for values in (*draw, noise, donors))
        images = self.batches.take(batch, image)
        if self.augmentation is None:
            clean = scaled(images, self.picture_size)
            return StepInput(clean, clean, *rest)
        drawn = self.augmentation.draw(recipe.groups, self.batches, generator)
        mine = drawn.of_rank(self.process.rank, self.process.count)
        augmented = self.augmentation.apply(images, self.batches, batch, image, mine)
        return StepInput(augmented, scaled(images, self.picture_size) if recipe.target == "clean" else augmented, *rest)


class ReadAhead:
    """A feed that makes the next steps in a thread while this one is computed. Use it in a `with`."""

    def __init__(self, feed: Feed, steps: int) -> None:
        """Read ahead of a feed, up to the last of `steps` steps."""
        self._feed, self._steps = feed, steps
        self._pool = ThreadPoolExecutor(1, "reading ahead")
        self._made: dict[int, Future[StepInput]] = {}

    def __call__(self, step: int) -> StepInput:
        """Return the inputs of a step. Raises the error that the thread met when it made them."""
        wanted = range(step, min(step + AHEAD + 1, self._steps))
        for other in self._made.keys() - set(wanted):
            self._made.pop(other).cancel()
        for each in wanted:
            if each not in self._made:
                self._made[each] = self._pool.submit(self._feed, each)
        return self._made.pop(step).result()

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
