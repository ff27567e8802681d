"""A trained network, for arrays: images to codes and back, any number at a time, without gradients."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from dcign.arrays import Float32, Floating, UInt8
from dcign.device import computing
from dcign.errors import TrainingError
from dcign.network.autoencoder import AutoEncoder
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.run.configuration import ImageDescription, TrainConfiguration

# Pixels of the images in a pass. On a CPU small passes are a quarter cheaper: their feature maps stay in its cache.
PIXELS_AT_ONCE, PIXELS_AT_ONCE_GPU = 2**17, 2**22


@dataclass(frozen=True, eq=False)
class Codec:
    """A network with its averaged weights, and what it was trained on."""

    model: AutoEncoder
    configuration: TrainConfiguration
    description: ImageDescription
    step: int
    seconds: float  # of training
    device: torch.device
    precision: torch.dtype  # of convolutions and products

    @torch.inference_mode()
    def encode(self, images: UInt8, progress: FractionProgress = no_fraction_progress) -> tuple[Float32, Float32]:
        """Return the posterior's mean and log variance: (N, S, S, C) uint8 -> (N, Z), (N, Z).

        Raises TrainingError for images of another type, size or number of channels than the network's, or none.
        """
        size, channels = self.description.size, self.description.channels
        if images.dtype != np.uint8 or images.shape[1:] != (size, size, channels) or not len(images):
            raise TrainingError(
                f"the images are {images.dtype} {images.shape}: wanted one or more, uint8 (N, {size}, {size}, "
                f"{channels}), as the data set holds them"
            )
        means, logvars = [], []
        for chosen in self._passes(len(images), progress):
            part = torch.from_numpy(np.ascontiguousarray(images[chosen])).to(self.device)
            with computing(self.device, self.precision):
                mu, logvar = self.model.encode(part.permute(0, 3, 1, 2).to(torch.float32) / 255)
            means.append(mu.cpu().numpy())
            logvars.append(logvar.cpu().numpy())
        return np.concatenate(means), np.concatenate(logvars)

    @torch.inference_mode()
    def decode(self, codes: Floating, progress: FractionProgress = no_fraction_progress) -> Float32:
        """Return pictures, 0..1: (N, Z) -> (N, S, S, C).

        Raises TrainingError for codes of another number of latents than the network's, none, or what is no number.
        """
        latents = self.configuration.recipe.latents
        if codes.ndim != 2 or codes.shape[1] != latents or not len(codes) or not np.isfinite(codes).all():
            raise TrainingError(f"codes of shape {codes.shape}: wanted one or more (N, {latents}), finite numbers")
        pictures = []
        for chosen in self._passes(len(codes), progress):
            part = torch.from_numpy(codes[chosen].astype(np.float32)).to(self.device)
            with computing(self.device, self.precision):
                pictures.append(self.model.decode(part).permute(0, 2, 3, 1).cpu().numpy())
        return np.concatenate(pictures)

    @torch.no_grad()
    def operations(self) -> tuple[int, int]:
        """Return what one image costs to encode and to decode, floating-point operations."""
        size, channels = self.description.size, self.description.channels
        with FlopCounterMode(display=False) as encoding:
            mu, _ = self.model.encode(torch.zeros(1, channels, size, size, device=self.device))
        with FlopCounterMode(display=False) as decoding:
            self.model.decode(mu)
        return encoding.get_total_flops(), decoding.get_total_flops()

    def _passes(self, count: int, progress: FractionProgress) -> Iterator[slice]:
        """Divide so many images into passes, telling how many are done after each."""
        pixels = PIXELS_AT_ONCE if self.device.type == "cpu" else PIXELS_AT_ONCE_GPU
        at_once = max(1, pixels // self.description.size**2)
        for start in range(0, count, at_once):
            yield slice(start, start + at_once)
            progress(min(1.0, (start + at_once) / count))
