"""A trained network, for arrays: images to codes and back, any number at a time, without gradients."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dcign import configuration as run_configuration
from dcign.checkpoint import averaged_weights
from dcign.configuration import ImageDescription, TrainConfiguration
from dcign.device import choose_device
from dcign.model import AutoEncoder, build_model

AT_ONCE = 256  # images in a pass

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Codec:
    """A network with its averaged weights, and what it was trained on."""

    model: AutoEncoder
    configuration: TrainConfiguration
    description: ImageDescription
    step: int
    seconds: float  # of training
    device: torch.device

    @torch.no_grad()
    def encode(self, images: NDArray[np.uint8]) -> tuple[Array, Array]:
        """Return the posterior's mean and log variance: (N, S, S, C) uint8 -> (N, Z), (N, Z)."""
        means, logvars = [], []
        for start in range(0, len(images), AT_ONCE):
            part = torch.from_numpy(np.ascontiguousarray(images[start : start + AT_ONCE])).to(self.device)
            mu, logvar = self.model.encode(part.permute(0, 3, 1, 2).to(torch.float32) / 255)
            means.append(mu.cpu().numpy())
            logvars.append(logvar.cpu().numpy())
        return np.concatenate(means), np.concatenate(logvars)

    @torch.no_grad()
    def decode(self, codes: NDArray[np.floating]) -> Array:
        """Return pictures, 0..1: (N, Z) -> (N, S, S, C)."""
        pictures = []
        for start in range(0, len(codes), AT_ONCE):
            part = torch.from_numpy(codes[start : start + AT_ONCE].astype(np.float32)).to(self.device)
            pictures.append(self.model.decode(part).permute(0, 2, 3, 1).cpu().numpy())
        return np.concatenate(pictures)


def load_codec(folder: str | Path, device: str = "cpu") -> Codec:
    """Build a run's network and fill it with the averaged weights of its last checkpoint."""
    configuration, description = run_configuration.read(folder)
    step, seconds, weights = averaged_weights(folder)
    where = choose_device(device)
    model = build_model(configuration, description)
    model.load_state_dict(weights)
    model.to(where).eval()
    return Codec(model, configuration, description, step, seconds, where)
