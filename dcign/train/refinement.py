"""The training of a refiner: the velocity from decoded pictures to real ones. The auto-encoder stays as it is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dcign.inputs.batches import ImageBatches, as_network_input, sent, step_generator
from dcign.network.autoencoder import AutoEncoder, build_model
from dcign.network.halves import initialise
from dcign.network.refiner import NOISE, Refiner, build_refiner
from dcign.recipes.registry import SWAP
from dcign.run.checkpoint import REFINER as FILE
from dcign.run.checkpoint import TrainingState, load_average
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.distributed import Ranks
from dcign.train.loop import TrainingLoop
from dcign.train.optimiser import build_optimiser
from dcign.train.trainer import INITIALISATION, step_feed

REFINER = "refiner"  # the name of this stage of a training
RANDOM = 2**32  # added to a step's number, so that its noise is not that of the auto-encoder's training


class RefinerLoss(nn.Module):
    """Images (G, n, S, S, C) uint8, mirrored (G,), noise (G n, C, S, S) N(0, 1), time (G n,) 0..1 -> loss (1,).

    The loss is the mean squared error of the velocity (Lipman et al. 2023, arXiv:2210.02747), in units of the noise's
    variance. The path of each image is a straight line from its decoded picture with noise to the image itself.
    """

    def __init__(self, refiner: Refiner, model: AutoEncoder) -> None:
        """Combine a refiner with the auto-encoder whose pictures it refines, which is not trained."""
        super().__init__()
        self.refiner, self.model = refiner, model.requires_grad_(False)

    def forward(self, images: Tensor, mirrored: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """Return the loss: (1,)."""
        real = as_network_input(images, mirrored).flatten(0, 1)
        with torch.no_grad():
            code, _ = self.model.encode(real)
            decoded = self.model.decode(code)
        start = decoded + NOISE * noise
        moving = torch.lerp(start, real, time[:, None, None, None])
        velocity = self.refiner(moving, decoded, code, time)
        error: Tensor = velocity - (real - start) / NOISE
        return error.square().mean()[None]


class RefinerTrainer(TrainingLoop):
    """The training of a refiner on the auto-encoder that a run's folder holds."""

    def __init__(
        self,
        batches: ImageBatches,
        description: ImageDescription,
        configuration: TrainConfiguration,
        ranks: Ranks,
    ) -> None:
        """Load the auto-encoder's averaged weights and build a refiner with its first weights."""
        recipe = configuration.recipe
        model = build_model(recipe, description)
        load_average(configuration.out, model)
        refiner = build_refiner(recipe, description)
        initialise(refiner, SWAP.gain, step_generator(configuration.seed, INITIALISATION))
        model.to(ranks.device)
        refiner.to(ranks.device)
        super().__init__(
            step_feed(batches, description, configuration, ranks),
            TrainingState.of(refiner, build_optimiser(refiner, SWAP), FILE),
            configuration,
            ranks,
            stage=REFINER,
            steps=configuration.refine,
            terms=("loss",),
            images_per_step=recipe.groups * min(recipe.images, batches.size),
        )
        self.recipe = SWAP  # whose optimiser suits the refiner's layers, whatever trained the auto-encoder
        self.loss = ranks.module(RefinerLoss(refiner, model))

    def losses(self, step: int) -> Tensor:
        """Return the loss of a step, on the device: (1,)."""
        _, images, _, mirrored, *_ = self.feed(step)
        groups, count, size, _, channels = images.shape
        process = self.ranks.process
        generator = step_generator(self.configuration.seed, RANDOM + step)
        shape = groups * process.count, count
        noise = torch.randn(*shape, channels, size, size, generator=generator)
        time = torch.rand(shape, generator=generator)
        drawn = (values[process.rank :: process.count].flatten(0, 1) for values in (noise, time))
        values: Tensor = self.loss(*(sent(each, self.device) for each in (images, mirrored, *drawn)))
        return values
