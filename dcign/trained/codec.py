"""A trained network on numpy arrays: images to codes and codes to images, without gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from dcign.arrays import Float32, Floating, UInt8
from dcign.device import computing
from dcign.errors import TrainingError
from dcign.network.autoencoder import AutoEncoder
from dcign.network.refiner import Refiner, refined
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription, TrainConfiguration

# Pixels per forward pass. On a CPU small passes are a quarter cheaper, because their feature maps stay in the cache.
PIXELS_AT_ONCE, PIXELS_AT_ONCE_GPU = 2**17, 2**22


@dataclass(frozen=True, eq=False)
class Codec:
    """A network with its averaged weights, and the description of its training images.

    refiner: what sharpens the pictures that `decode` returns, or None.
    """

    model: AutoEncoder
    configuration: TrainConfiguration
    description: ImageDescription
    step: int
    seconds: float  # duration of training
    device: torch.device
    precision: torch.dtype  # of convolutions and matrix products
    refiner: Refiner | None = None

    @cached_property
    def layout(self) -> CodeLayout:
        """The blocks of a code."""
        return CodeLayout.of(self.description, self.configuration.recipe)

    @torch.inference_mode()
    def encode(self, images: UInt8, progress: FractionProgress = no_fraction_progress) -> tuple[Float32, Float32]:
        """Return the posterior's mean and log variance: (N, S, S, C) uint8 -> (N, Z), (N, Z).

        Raises TrainingError for images of another type or shape than the network's, or for no images.
        """
        size, channels = self.description.size, self.description.channels
        if images.dtype != np.uint8 or images.shape[1:] != (size, size, channels) or not len(images):
            raise TrainingError(
                f"expected images uint8 (N, {size}, {size}, {channels}), one or more, found {images.dtype} "
                f"{images.shape}: give images as the data set holds them."
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

        Raises TrainingError for another number of latents than the network's, for no codes, or for numbers that are not
        finite.
        """
        latents = self.layout.size
        if codes.ndim != 2 or codes.shape[1] != latents or not len(codes) or not np.isfinite(codes).all():
            raise TrainingError(
                f"expected finite codes (N, {latents}), one or more, found shape {codes.shape}: give codes of this "
                "network."
            )
        pictures = []
        for chosen in self._passes(len(codes), progress):
            part = torch.from_numpy(codes[chosen].astype(np.float32)).to(self.device)
            with computing(self.device, self.precision):
                made = self.model.decode(part)
                if self.refiner is not None:
                    made = refined(self.refiner, made, part)
            pictures.append(made.permute(0, 2, 3, 1).cpu().numpy())
        return np.concatenate(pictures)

    @property
    def pass_images(self) -> int:
        """How many images go through the network at once."""
        pixels = PIXELS_AT_ONCE if self.device.type == "cpu" else PIXELS_AT_ONCE_GPU
        return max(1, pixels // self.description.size**2)

    @torch.no_grad()
    def operations(self) -> tuple[int, int]:
        """Return the floating-point operations of encoding and of decoding one image."""
        size, channels = self.description.size, self.description.channels
        with FlopCounterMode(display=False) as encoding:
            mu, _ = self.model.encode(torch.zeros(1, channels, size, size, device=self.device))
        with FlopCounterMode(display=False) as decoding:
            made = self.model.decode(mu)
            if self.refiner is not None:
                refined(self.refiner, made, mu)
        return encoding.get_total_flops(), decoding.get_total_flops()

    def _passes(self, count: int, progress: FractionProgress) -> Iterator[slice]:
        """Yield slices of `count` images for one pass each, and report the fraction done after each."""
        for start in range(0, count, self.pass_images):
            yield slice(start, start + self.pass_images)
            progress(min(1.0, (start + self.pass_images) / count))
