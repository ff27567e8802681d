"""The trainer: a run in memory, stepped through to its end.

Every step is a function of the state before it, the seed and its own number, so that a resumed run ends in
the same weights as one left alone, bit for bit on a CPU. On a GPU losses stay there until they are reported, so
that it need not wait; each is kept until then, so that the first that is not finite is named by its step.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dcign.errors import TrainingError, TrainingInterrupted
from dcign.inputs.batches import ImageBatches, batches_by_kind, step_generator
from dcign.network.autoencoder import AutoEncoder, build_model
from dcign.network.halves import initialise
from dcign.run.checkpoint import FILE as CHECKPOINT
from dcign.run.checkpoint import TrainingState, save_checkpoint
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.run.log import RunLog
from dcign.train.clamp import block_of_latents
from dcign.train.distributed import Ranks
from dcign.train.feed import Feed, StepFeed
from dcign.train.loss import TERMS, invariance_weight
from dcign.train.optimiser import OPTIMIZERS, optimiser_step
from dcign.train.step import StepLoss, compile_step

READ = (*TERMS, "gradient_norm")  # what is read of a step
INITIALISATION = 2**31  # in the place of a step's number: no run is that long


@dataclass(frozen=True)
class TrainingProgress:
    """How far a run is, told every few steps: losses in nats an image, images a second of this sitting."""

    step: int
    steps: int
    losses: dict[str, float]
    images_per_second: float


Report = Callable[[TrainingProgress], None]


class Trainer:
    """A run in memory: what feeds it, the state, and what is fixed about a step."""

    def __init__(
        self, batches: ImageBatches, description: ImageDescription, configuration: TrainConfiguration, ranks: Ranks
    ) -> None:
        recipe = configuration.recipe
        self.configuration, self.recipe, self.ranks = configuration, recipe, ranks
        self.device = ranks.device
        self.feed: Feed = _feed(batches, description, configuration, ranks)
        self.images_a_step = recipe.groups * min(recipe.images, batches.size)
        model = build_model(configuration, description)
        self.state = _first_state(model, configuration, ranks)
        loss = StepLoss(model, recipe, len(description.factors))
        self.loss = ranks.module(compile_step(loss, self.device))

    def train(self, log: RunLog | None, progress: Report | None, asked: Callable[[], bool]) -> None:
        """Go on from the state to the last step; the first rank alone has a log, and saves."""
        settings, state = self.configuration, self.state
        first, started, before = state.step, time.monotonic(), state.seconds
        unread: list[Tensor] = []
        while state.step < settings.steps:
            unread.append(self.step())
            state.step += 1
            waits = self.device.type == "cpu"  # where reading a loss costs nothing
            if waits:
                self.refuse_not_finite(unread[-1:])
            state.seconds = before + time.monotonic() - started
            reads = state.step == settings.steps or 0 in (
                state.step % settings.log_every,
                state.step % settings.checkpoint_every,
            )
            # Ctrl-C may come at any time, and to each rank at another: they agree where they meet.
            stops = (reads or waits or self.ranks.place.count == 1) and self.ranks.any(asked())
            if stops or reads:
                saves = stops or state.step == settings.steps or state.step % settings.checkpoint_every == 0
                speed = (state.step - first) * self.images_a_step / (state.seconds - before)
                self._report(self.read(unread), speed, saves, log, progress)
                unread.clear()
            if stops and state.step < settings.steps:
                self._stop()

    def step(self) -> Tensor:
        """Take one step; returns its terms and the norm of its gradient (5,), still on the device."""
        fed = self.feed(self.state.step).to(self.device)
        free = self.state.step < self.recipe.pretrain_steps
        weight = invariance_weight(self.recipe, self.state.step, self.configuration.steps)
        if self.device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]  # torch's own
        values: Tensor = self.loss(
            fed.images,
            fed.kind,
            fed.mirrored,
            fed.noise,
            fed.donors,
            torch.full((), free, device=self.device),  # filled there: a copy would be waited for
            torch.full((), weight, device=self.device),
        )
        self.state.optimizer.zero_grad()  # here, so that what it frees is what the gradients take
        self.ranks.backward(values[0])
        norm = optimiser_step(self.state, self.recipe, self.configuration.steps)
        return self.ranks.mean(torch.cat([values.detach(), norm[None]]))

    def read(self, unread: list[Tensor]) -> dict[str, float]:
        """Return the mean terms of the steps since the last reading, and of the gradient's norm."""
        self.refuse_not_finite(unread)
        return dict(zip(READ, torch.stack(unread).mean(dim=0).tolist(), strict=True))

    def refuse_not_finite(self, unread: list[Tensor]) -> None:
        """Stop at the first step whose loss or gradient is not finite: what it did to the weights is not saved."""
        finite = torch.stack(unread).isfinite()
        if bool(finite.all()):
            return
        first = int((~finite.all(dim=1)).nonzero()[0])
        what = "gradient" if bool(finite[first, : len(TERMS)].all()) else "loss"
        kept = Path(self.configuration.out) / CHECKPOINT
        raise TrainingError(
            f"the {what} of step {self.state.step - len(unread) + first + 1} is not finite: "
            + (f"{kept} is the last good checkpoint; " if kept.exists() else "no checkpoint was written yet; ")
            + "train again with another --seed, or with a smaller step: --set learning_rate=..."
        )

    def _report(
        self, losses: dict[str, float], speed: float, saves: bool, log: RunLog | None, progress: Report | None
    ) -> None:
        settings, state = self.configuration, self.state
        if log is None:
            return
        log.write(state.step, {**losses, "images_per_second": speed, "seconds": state.seconds})
        if saves:
            save_checkpoint(settings.out, state)
        if progress is None:
            return
        try:
            progress(TrainingProgress(state.step, settings.steps, {name: losses[name] for name in TERMS}, speed))
        except KeyboardInterrupt:  # from the caller's own handler; the step is whole
            save_checkpoint(settings.out, state)
            self._stop()

    def _stop(self) -> None:
        settings, step = self.configuration, self.state.step
        raise TrainingInterrupted(
            f"stopped after step {step} of {settings.steps}, which is kept in {settings.out}: "
            "run the same command with --resume to go on"
        )


def _feed(
    batches: ImageBatches, description: ImageDescription, configuration: TrainConfiguration, ranks: Ranks
) -> StepFeed:
    recipe = configuration.recipe
    ratio = configuration.ratio or recipe.ratio or (1.0,) * len(description.kinds)
    if len(ratio) != len(description.kinds):
        raise TrainingError(
            f"the ratio has {len(ratio)} shares: wanted {len(description.kinds)}, for {':'.join(description.kinds)}"
        )
    if recipe.groups % ranks.place.count:
        raise TrainingError(
            f"a step has {recipe.groups} groups, which {ranks.place.count} processes cannot share evenly: "
            "start as many as divide them, or --set groups=..."
        )
    return StepFeed(
        batches,
        batches_by_kind(batches.kind, description.kinds, ratio),
        ratio,
        recipe,
        int(block_of_latents(len(description.factors), recipe.latents)[-1]) + 1,
        configuration.seed,
        ranks.place,
    )


def _first_state(model: AutoEncoder, configuration: TrainConfiguration, ranks: Ranks) -> TrainingState:
    recipe = configuration.recipe
    initialise(model, recipe.gain, step_generator(configuration.seed, INITIALISATION))
    model.to(ranks.device)
    average = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    return TrainingState(model, average, OPTIMIZERS[recipe.optimizer](model, recipe), 0, 0.0)
