"""The trainer: a run in memory, stepped through to its end.

Every step is a function of the state before it, the seed and its own number, so that a resumed run ends in
the same weights as one left alone, bit for bit on a CPU. On a GPU losses stay there until they are reported, so
that it need not wait; each is kept until then, so that the first that is not finite is named by its step.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from dcign.batches import TrainingBatches, batches_by_kind, draw_groups, step_generator, take_images
from dcign.checkpoint import FILE as CHECKPOINT
from dcign.checkpoint import TrainingState, save_checkpoint
from dcign.clamp import active_latents, block_of_latents, draw_donors
from dcign.configuration import ImageDescription, TrainConfiguration
from dcign.device import choose_device, choose_precision, computing
from dcign.errors import TrainingError, TrainingInterrupted
from dcign.model import AutoEncoder, build_model
from dcign.network import initialise
from dcign.objective import TERMS, Draws, invariance_weight, learning_rate, terms
from dcign.recipes import Recipe
from dcign.runlog import RunLog

READ = (*TERMS, "gradient_norm")  # what is read of a step
INITIALISATION = 2**31  # in the place of a step's number: no run is that long


@dataclass(frozen=True)
class Progress:
    """How far a run is, told every few steps: losses in nats an image, images a second of this sitting."""

    step: int
    steps: int
    losses: dict[str, float]
    images_per_second: float


Report = Callable[[Progress], None]


class Trainer:
    """A run in memory: the batches, the state, and what is fixed about a step."""

    def __init__(
        self, batches: TrainingBatches, description: ImageDescription, configuration: TrainConfiguration
    ) -> None:
        recipe = configuration.recipe
        self.configuration, self.recipe = configuration, recipe
        self.device = choose_device(configuration.device)
        self.precision = choose_precision(configuration.precision, self.device)
        ratio = configuration.ratio or recipe.ratio or (1.0,) * len(description.kinds)
        if len(ratio) != len(description.kinds):
            raise TrainingError(
                f"the ratio has {len(ratio)} shares: wanted {len(description.kinds)}, for {':'.join(description.kinds)}"
            )
        self.ratio = ratio
        self.members = batches_by_kind(batches.kind, description.kinds, ratio)
        self.images = batches.to(self.device).images
        factors = len(description.factors)
        self.active = active_latents(recipe, factors).to(self.device)
        self.blocks = block_of_latents(factors, recipe.latents).to(self.device)
        self.state = self._first_state(description)

    def train(self, log: RunLog, progress: Report | None, asked: Callable[[], bool]) -> None:
        """Go on from the state to the last step."""
        settings, state = self.configuration, self.state
        first, started, before = state.step, time.monotonic(), state.seconds
        unread: list[Tensor] = []
        while state.step < settings.steps:
            unread.append(self._step())
            state.step += 1
            if self.device.type == "cpu":
                self._refuse_not_finite(unread[-1:])
            state.seconds = before + time.monotonic() - started
            stops = asked()  # once a step: it may come at any time
            saves = stops or state.step == settings.steps or state.step % settings.checkpoint_every == 0
            if saves or state.step % settings.log_every == 0:
                losses = self._read(unread)
                unread.clear()
                speed = (state.step - first) * self._images_a_step() / (state.seconds - before)
                log.write(state.step, {**losses, "images_per_second": speed, "seconds": state.seconds})
                if saves:
                    save_checkpoint(settings.out, state)
                told = {name: losses[name] for name in TERMS}
                self._tell(progress, Progress(state.step, settings.steps, told, speed))
            if stops and state.step < settings.steps:
                self._stop()

    def _tell(self, progress: Report | None, now: Progress) -> None:
        if progress is None:
            return
        try:
            progress(now)
        except KeyboardInterrupt:  # from the caller's own handler; the step is whole
            save_checkpoint(self.configuration.out, self.state)
            self._stop()

    def _step(self) -> Tensor:
        """Take one step; returns its terms, still on the device."""
        recipe, state = self.recipe, self.state
        generator = step_generator(self.configuration.seed, state.step)
        size = self.images.shape[1]
        draw = draw_groups(
            self.members, self.ratio, recipe.groups, min(recipe.images, size), size, recipe.flip, generator
        )
        images = take_images(self.images, draw)
        groups, count = images.shape[:2]
        draws = Draws(
            torch.randn(groups, count, recipe.latents, generator=generator).to(self.device),
            draw_donors(groups, count, int(self.blocks[-1]) + 1, generator).to(self.device),
        )
        weight = invariance_weight(recipe, state.step, self.configuration.steps)
        active = self.active[draw.kind.to(self.device)][:, None] | (state.step < recipe.pretrain_steps)
        with computing(self.device, self.precision):
            values = terms(self._model(), recipe, images, active, self.blocks, draws, weight)
        return torch.cat([values.detach(), self._descend(values[0])[None]])

    def _descend(self, loss: Tensor) -> Tensor:
        """Move the weights and their average; returns the norm of the gradient, before it is clipped."""
        recipe, state = self.recipe, self.state
        weights = list(state.model.parameters())
        state.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        norm = torch.nn.utils.clip_grad_norm_(weights, recipe.gradient_norm or math.inf)
        for group in state.optimizer.param_groups:
            group["lr"] = learning_rate(recipe, state.step, self.configuration.steps)
        state.optimizer.step()
        with torch.no_grad():
            # A young average would remember the first weights: its decay grows to the recipe's.
            decay = min(recipe.average, (state.step + 1) / (state.step + 10))
            torch._foreach_lerp_(list(state.average.values()), list[Tensor](weights), 1 - decay)
        return norm

    def _read(self, unread: list[Tensor]) -> dict[str, float]:
        """Return the mean terms of the steps since the last reading, and of the gradient's norm."""
        self._refuse_not_finite(unread)
        return dict(zip(READ, torch.stack(unread).mean(dim=0).tolist(), strict=True))

    def _refuse_not_finite(self, unread: list[Tensor]) -> None:
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

    def _stop(self) -> None:
        settings, step = self.configuration, self.state.step
        raise TrainingInterrupted(
            f"stopped after step {step} of {settings.steps}, which is kept in {settings.out}: "
            "run the same command with --resume to go on"
        )

    def _model(self) -> AutoEncoder:
        assert isinstance(self.state.model, AutoEncoder)
        return self.state.model

    def _images_a_step(self) -> int:
        return self.recipe.groups * min(self.recipe.images, self.images.shape[1])

    def _first_state(self, description: ImageDescription) -> TrainingState:
        recipe = self.recipe
        model = build_model(self.configuration, description)
        initialise(model, step_generator(self.configuration.seed, INITIALISATION))
        model.to(self.device)
        average = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        return TrainingState(model, average, OPTIMIZERS[recipe.optimizer](model, recipe), 0, 0.0)


def _adam(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        model.parameters(),
        lr=recipe.learning_rate,
        betas=(float(recipe.momentum), float(recipe.square_decay)),
        eps=recipe.epsilon,
        weight_decay=recipe.weight_decay,
        fused=True,
    )


def _rmsprop(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(
        model.parameters(),
        lr=recipe.learning_rate,
        alpha=recipe.square_decay,
        eps=recipe.epsilon,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )


OPTIMIZERS: dict[str, Callable[[nn.Module, Recipe], torch.optim.Optimizer]] = {
    "adam": _adam,
    "rmsprop": _rmsprop,
}
