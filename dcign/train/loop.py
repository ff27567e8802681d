"""The loop of a training: step after step to its end, with reports, checkpoints and stops.

Every step is a function of the state before it, the seed and the step's number. So a resumed run ends in the same
weights as an uninterrupted one, bit for bit on a CPU. On a GPU, losses stay on the device until they are reported, so
that the GPU need not wait. Each is kept until then, so that the first that is not finite is reported with its step.
"""

from __future__ import annotations

import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dcign.errors import TrainingError, TrainingInterrupted
from dcign.run.checkpoint import TrainingState, save_checkpoint
from dcign.run.configuration import TrainConfiguration
from dcign.run.log import RunLog
from dcign.train.distributed import Ranks
from dcign.train.feed import Feed
from dcign.train.optimiser import optimiser_step

CHECKPOINT_SECONDS = 240.0  # at most between two checkpoints, so that a killed run loses less than five minutes


@dataclass(frozen=True)
class TrainingProgress:
    """The progress of a training. Images per second since it was started or resumed."""

    stage: str  # what is trained: the recipe's name, or "refiner"
    step: int
    steps: int
    losses: dict[str, float]  # in nats per image, or as the training's stage defines them
    images_per_second: float


Report = Callable[[TrainingProgress], None]


class TrainingLoop(ABC):
    """A training in memory: its feed, its state, and the losses of a step."""

    def __init__(
        self,
        feed: Feed,
        state: TrainingState,
        configuration: TrainConfiguration,
        ranks: Ranks,
        *,
        stage: str,
        steps: int,
        terms: tuple[str, ...],
        images_per_step: int,
    ) -> None:
        """Prepare a loop.

        stage: the name of what is trained. terms: the names of the losses of a step, of which the first is minimised.
        """
        self.feed, self.state, self.configuration, self.ranks = feed, state, configuration, ranks
        self.stage, self.steps, self.terms, self.images_per_step = stage, steps, terms, images_per_step
        self.recipe, self.device = configuration.recipe, ranks.device

    @abstractmethod
    def losses(self, step: int) -> Tensor:
        """Return the losses of a step in the order of `terms`, on the device. The first has a gradient."""

    def train(self, log: RunLog | None, progress: Report | None, stop_requested: Callable[[], int]) -> None:
        """Train from the current state to the last step. Only the first rank has a log, and saves checkpoints.

        stop_requested: returns the number of the signal that asks to stop, or 0.
        """
        settings, state, on_cpu = self.configuration, self.state, self.device.type == "cpu"
        first, started, before = state.step, time.monotonic(), state.seconds
        saved = before
        unread: list[Tensor] = []
        while state.step < self.steps:
            unread.append(self.step())
            state.step += 1
            if on_cpu:  # where reading a loss costs nothing
                self.refuse_not_finite(unread[-1:])
            state.seconds = before + time.monotonic() - started
            saves = state.step == self.steps or state.step % settings.checkpoint_every == 0
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
        """Take one step. Returns its losses and the norm of its gradient (terms + 1,), on the device."""
        values = self.losses(self.state.step)
        self.state.optimizer.zero_grad()  # here, so that the new gradients take the memory of the old ones
        self.ranks.backward(values[0])
        norm = optimiser_step(self.state, self.recipe, self.steps)
        return self.ranks.mean(torch.cat([values.detach(), norm[None]]))

    def read(self, unread: list[Tensor]) -> dict[str, float]:
        """Return the means of the losses and of the gradient's norm over the steps that were not yet read."""
        self.refuse_not_finite(unread)
        return dict(zip((*self.terms, "gradient_norm"), torch.stack(unread).mean(dim=0).tolist(), strict=True))

    def refuse_not_finite(self, unread: list[Tensor]) -> None:
        """Raise TrainingError if the loss or gradient of a step is not finite. The weights after it are not saved."""
        finite = torch.stack(unread).isfinite()
        if bool(finite.all()):
            return
        first = int((~finite.all(dim=1)).nonzero()[0])
        what = "gradient" if bool(finite[first, : len(self.terms)].all()) else "loss"
        kept = Path(self.configuration.out) / self.state.file
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
            shown = {name: losses[name] for name in self.terms}
            progress(TrainingProgress(self.stage, state.step, self.steps, shown, speed))
        except KeyboardInterrupt as stopped:  # from the caller's own handler; the step is complete
            save_checkpoint(settings.out, state)
            self._stop(getattr(stopped, "number", signal.SIGINT))

    def _stop(self, number: int) -> None:
        """Raise TrainingInterrupted for the signal of this number."""
        settings, step = self.configuration, self.state.step
        raise TrainingInterrupted(
            f"stopped after step {step} of {self.steps} of {self.stage}, which is kept in {settings.out}: "
            "run the same command with --resume to go on.",
            number,
        )
