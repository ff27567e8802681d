"""The trainer: a run in memory, trained step by step to its end.

Every step is a function of the state before it, the seed and the step's number. So a resumed run ends in the same
weights as an uninterrupted one, bit for bit on a CPU. On a GPU, losses stay on the device until they are reported, so
that the GPU need not wait. Each is kept until then, so that the first that is not finite is reported with its step.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dcign.errors import TrainingError, TrainingInterrupted
from dcign.inputs.batches import ImageBatches, batches_by_kind, step_generator
from dcign.network.autoencoder import build_model
from dcign.network.halves import initialise
from dcign.run.checkpoint import FILE as CHECKPOINT
from dcign.run.checkpoint import TrainingState, save_checkpoint
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.run.log import RunLog
from dcign.train.distributed import Ranks
from dcign.train.feed import Feed, StepFeed
from dcign.train.loss import TERMS, StepLoss, compile_step, invariance_weight
from dcign.train.optimiser import build_optimiser, optimiser_step

LOGGED = (*TERMS, "gradient_norm")  # what a step returns
CHECKPOINT_SECONDS = 240.0  # at most between two checkpoints, so that a killed run loses less than five minutes
INITIALISATION = 2**31  # takes the place of a step's number in the seed: no run is that long


@dataclass(frozen=True)
class TrainingProgress:
    """The progress of a run. Losses in nats per image; images per second since the run was started or resumed."""

    step: int
    steps: int
    losses: dict[str, float]
    images_per_second: float


Report = Callable[[TrainingProgress], None]


class Trainer:
    """A run in memory: its feed, its state, and its loss."""

    def __init__(
        self, batches: ImageBatches, description: ImageDescription, configuration: TrainConfiguration, ranks: Ranks
    ) -> None:
        recipe = configuration.recipe
        self.configuration, self.recipe, self.ranks = configuration, recipe, ranks
        self.device = ranks.device
        self.feed: Feed = _feed(batches, description, configuration, ranks)
        self.images_per_step = recipe.groups * min(recipe.images, batches.size)
        model = build_model(recipe, description)
        initialise(model, recipe.gain, step_generator(configuration.seed, INITIALISATION))
        model.to(self.device)
        average = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        self.state = TrainingState(model, average, build_optimiser(model, recipe), 0, 0.0)
        loss = StepLoss(model, recipe, CodeLayout.of(description, recipe))
        self.loss = ranks.module(compile_step(loss, self.device))

    def train(self, log: RunLog | None, progress: Report | None, stop_requested: Callable[[], int]) -> None:
        """Train from the current state to the last step. Only the first rank has a log, and saves checkpoints.

        stop_requested: returns the number of the signal that asks to stop, or 0.
        """
        settings, state, on_cpu = self.configuration, self.state, self.device.type == "cpu"
        first, started, before = state.step, time.monotonic(), state.seconds
        saved = before
        unread: list[Tensor] = []
        while state.step < settings.steps:
            unread.append(self.step())
            state.step += 1
            if on_cpu:  # where reading a loss costs nothing
                self.refuse_not_finite(unread[-1:])
            state.seconds = before + time.monotonic() - started
            saves = state.step == settings.steps or state.step % settings.checkpoint_every == 0
            reports = saves or state.step % settings.log_every == 0
            # A signal reaches each rank at another time: they agree at the steps at which they communicate anyway.
            stops = (reports or on_cpu or self.ranks.process.count == 1) and self.ranks.any(stop_requested() > 0)
            saves = saves or stops or state.seconds - saved >= CHECKPOINT_SECONDS
            if stops or reports:
                speed = (state.step - first) * self.images_per_step / (state.seconds - before)
                self._report(self.read(unread), speed, saves, log, progress)
                unread.clear()
            elif saves and log is not None:
                self.refuse_not_finite(unread)
                save_checkpoint(settings.out, state)
            saved = state.seconds if saves else saved
            if stops:
                self._stop(stop_requested() or signal.SIGINT)

    def step(self) -> Tensor:
        """Take one step. Returns the terms of its loss and the norm of its gradient (5,), on the device."""
        inputs = self.feed(self.state.step).to(self.device)
        unclamped = self.state.step < self.recipe.pretrain_steps
        weight = invariance_weight(self.recipe, self.state.step, self.configuration.steps)
        if self.device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]  # torch's own
        # Numbers are filled in on the device: a copy would make the host wait.
        numbers = (torch.full((), number, device=self.device) for number in (unclamped, weight))
        values: Tensor = self.loss(*inputs, *numbers)
        self.state.optimizer.zero_grad()  # here, so that the new gradients take the memory of the old ones
        self.ranks.backward(values[0])
        norm = optimiser_step(self.state, self.recipe, self.configuration.steps)
        return self.ranks.mean(torch.cat([values.detach(), norm[None]]))

    def read(self, unread: list[Tensor]) -> dict[str, float]:
        """Return the means of `LOGGED` over the steps that were not yet read."""
        self.refuse_not_finite(unread)
        return dict(zip(LOGGED, torch.stack(unread).mean(dim=0).tolist(), strict=True))

    def refuse_not_finite(self, unread: list[Tensor]) -> None:
        """Raise TrainingError if the loss or gradient of a step is not finite. The weights after it are not saved."""
        finite = torch.stack(unread).isfinite()
        if bool(finite.all()):
            return
        first = int((~finite.all(dim=1)).nonzero()[0])
        what = "gradient" if bool(finite[first, : len(TERMS)].all()) else "loss"
        kept = Path(self.configuration.out) / CHECKPOINT
        raise TrainingError(
            f"expected a finite {what}, found NaN or infinity in step {self.state.step - len(unread) + first + 1}: "
            + (f"{kept} is the last good checkpoint; " if kept.exists() else "no checkpoint was written yet; ")
            + "train again with another --seed, or with a lower --set learning_rate=..."
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
        except KeyboardInterrupt as stopped:  # from the caller's own handler; the step is complete
            save_checkpoint(settings.out, state)
            self._stop(getattr(stopped, "number", signal.SIGINT))

    def _stop(self, number: int) -> None:
        """Raise TrainingInterrupted for the signal of this number."""
        settings, step = self.configuration, self.state.step
        after = "evaluate it" if step == settings.steps else "go on"
        raise TrainingInterrupted(
            f"stopped after step {step} of {settings.steps}, which is kept in {settings.out}: "
            f"run the same command with --resume to {after}.",
            number,
        )


def _feed(
    batches: ImageBatches, description: ImageDescription, configuration: TrainConfiguration, ranks: Ranks
) -> StepFeed:
    recipe = configuration.recipe
    ratio = configuration.ratio or recipe.ratio or (1.0,) * len(description.kinds)
    if len(ratio) != len(description.kinds):
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
        batches_by_kind(batches.kind, description.kinds, ratio),
        ratio,
        recipe,
        CodeLayout.of(description, recipe),
        configuration.seed,
        ranks.process,
    )
