"""The loss of a refiner: the velocity from decoded pictures to real ones. The auto-encoder is trained and frozen."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dcign.inputs.batches import as_network_input
from dcign.network.autoencoder import AutoEncoder
from dcign.network.refiner import NOISE, Refiner


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
        return (velocity - (real - start) / NOISE).square().mean()[None]
