"""The training of a run's auto-encoder, step by step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dcign.arrays import Int64
from dcign.data.schema import ALL
from dcign.errors import TrainingError
from dcign.inputs.batches import EVERYTHING, ImageBatches, batches_by_kind, step_generator
from dcign.inputs.trainable import ONE_THING_VARIES
from dcign.network.autoencoder import build_model, count_parameters
from dcign.network.halves import initialise
from dcign.run import checkpoint
from dcign.run.checkpoint import TrainingState
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.augmentation import build_augmentation
from dcign.train.distributed import Ranks
from dcign.train.feed import StepFeed
from dcign.train.loop import TrainingLoop
from dcign.train.loss import TERMS, StepLoss, compile_step, invariance_weight
from dcign.train.optimiser import build_optimiser

INITIALISATION = 2**31  # takes the place of a step's number in the seed: no run is that long


class Trainer(TrainingLoop):
    """The training of an auto-encoder by its recipe. Losses are in nats per image."""

    def __init__(
        self, batches: ImageBatches, description: ImageDescription, configuration: TrainConfiguration, ranks: Ranks
    ) -> None:
        """Build the network with its first weights."""
        recipe = configuration.recipe
        model = build_model(recipe, description)
        if (weights := count_parameters(model)) > checkpoint.MOST_WEIGHTS:
            raise TrainingError(
                f"expected a network of at most {checkpoint.MOST_WEIGHTS:,} weights, so that its checkpoint can be "
                f"read again, found {weights:,}: lower its widths."
            )
        initialise(model, recipe.gain, step_generator(configuration.seed, INITIALISATION))
        model.to(ranks.device)
        super().__init__(
            step_feed(batches, description, configuration, ranks),
            TrainingState.of(model, build_optimiser(model, recipe)),
            configuration,
            ranks,
            stage=recipe.name,
            steps=configuration.steps,
            terms=TERMS,
            images_per_step=recipe.groups * min(recipe.images, batches.size),
        )
        loss = StepLoss(model, recipe, CodeLayout.of(description, recipe))
        self.loss = ranks.module(compile_step(loss, self.device))

    def losses(self, step: int) -> Tensor:
        """Return the terms of the loss of a step, on the device."""
        inputs = self.feed(step).to(self.device)
        unclamped = step < self.recipe.pretrain_steps
        weight = invariance_weight(self.recipe, step, self.steps)
        if self.device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]  # torch's own
        # Numbers are filled in on the device: a copy would make the host wait.
        numbers = (torch.full((), number, device=self.device) for number in (unclamped, weight))
        values: Tensor = self.loss(*inputs, *numbers)
        return values


def step_feed(
    batches: ImageBatches, description: ImageDescription, configuration: TrainConfiguration, ranks: Ranks
) -> StepFeed:
    """Return what draws the groups of any step of a run. Raises TrainingError if the data set cannot provide them."""
    recipe = configuration.recipe
    kinds, kind, ratio = drawn_kinds(batches.kind, description, configuration)
    if len(ratio) != len(kinds):
        raise TrainingError(
            f"expected a ratio of {len(description.kinds)} shares, for {':'.join(description.kinds)}, found "
            f"{len(ratio)}: give one with --ratio."
        )
    if recipe.groups % ranks.process.count:
        raise TrainingError(
            f"expected processes that share the {recipe.groups} groups of a step evenly, found {ranks.process.count}: "
            "start another number of processes, or use --set groups=..."
        )
    return StepFeed(
        batches,
        batches_by_kind(kind, kinds, ratio),
        ratio,
        recipe,
        CodeLayout.of(description, recipe),
        configuration.seed,
        ranks.process,
        description.size,
        build_augmentation(recipe, batches, description.channels, description.size),
    )


def drawn_kinds(
    kind: Int64, description: ImageDescription, configuration: TrainConfiguration
) -> tuple[tuple[str, ...], Int64, tuple[float, ...]]:
    """Return the K kinds of batches that a run draws, the kind of each batch (B,), and the K shares.

    Where the data set's own factors are what can vary, kinds without batches get no share, and a recipe that clamps
    nothing also draws batches in which everything varies.

    Raises TrainingError if there is nothing to draw.
    """
    kinds, recipe, asked = description.kinds, configuration.recipe, configuration.ratio
    if not description.open_kinds:
        return kinds, kind, asked or recipe.ratio or (1.0,) * len(kinds)
    first, *_, last = recipe.ratio or (1.0, 1.0)
    shares = asked or (*(first for _ in kinds[:-1]), last)
    if recipe.reference == "none" and (kind == EVERYTHING).any():
        kinds, kind = (*kinds, ALL), np.where(kind == EVERYTHING, len(kinds), kind)
        shares = (*shares, 0.0 if asked else 1.0)
    if not asked:
        shares = tuple(share * (kind == index).any() for index, share in enumerate(shares))
    if not any(shares):
        raise TrainingError(ONE_THING_VARIES)
    return kinds, kind, shares
