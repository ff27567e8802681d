"""The plain eager loop that `benchmarks.train` compares with: a good first implementation.

float32, one batch of 20 per step, a DataLoader over h5py that shuffles, ordinary Adam, the loss and network of a
recipe. It keeps no average of the weights and does not clip gradients: only our loop pays for these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from dcign.network.autoencoder import AutoEncoder
from dcign.network.halves import initialise
from dcign.recipes.registry import Recipe
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription
from dcign.train.clamp import active_latents
from dcign.train.loss import invariance_weight, terms

CODES = ("azimuth", "elevation", "light_azimuth", "identity")


class ShardImages(Dataset[tuple[Tensor, int]]):
    """Batches of a training split: images (20, C, S, S) float 0..1, and the index of what varies in them."""

    def __init__(self, folder: Path) -> None:
        self._files = [h5py.File(path, "r") for path in sorted((folder / "train").glob("*.h5"))]
        names = h5py.check_enum_dtype(self._files[0]["varies"].dtype)
        kinds = {names[name]: kind for kind, name in enumerate(CODES)}
        self._rows = [
            (file, row, kinds[int(code)]) for file in self._files for row, code in enumerate(file["varies"][()])
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        file, row, kind = self._rows[index]
        images = torch.from_numpy(np.asarray(file["images"][row])).permute(0, 3, 1, 2)
        return images.float() / 255, kind


def eager_step(folder: Path, recipe: Recipe, description: ImageDescription, device: torch.device) -> Callable[[], int]:
    """Return a function that takes one step and returns its number of images."""
    layout = CodeLayout.of(description, recipe)
    torch.manual_seed(0)
    model = AutoEncoder(recipe, description.size, description.channels, layout.signs)
    initialise(model, recipe.gain, torch.Generator().manual_seed(0))
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)
    active = active_latents(recipe, layout).to(device)
    blocks = torch.tensor(layout.block_of_latent).to(device)
    batches = _endless(DataLoader(ShardImages(folder), batch_size=None, shuffle=True, pin_memory=device.type == "cuda"))
    donors = torch.stack([torch.arange(20).roll(1 + block) for block in range(len(layout.blocks))], dim=1)[None].to(
        device
    )

    def step() -> int:
        images, kind = next(batches)
        images = images.to(device)[None]
        noise = torch.randn(1, images.shape[1], layout.size, device=device)
        weight = invariance_weight(recipe, 1, 2)
        values = terms(model, recipe, images, active[kind][None, None], blocks, noise, donors, weight)
        optimizer.zero_grad()
        values[0].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return images.shape[1]

    return step


def _endless(batches: DataLoader[tuple[Tensor, int]]) -> Iterator[tuple[Tensor, int]]:
    while True:
        yield from batches
