"""Tiny data sets for the tests of `data`: shaded discs with a nose, in place of rendered faces.

A test module has these fixtures by `pytest_plugins = ["tests.support.discs"]`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dcign.arrays import UInt8
from dcign.data.dataset.manifest import Manifest, ShardEntry, write_manifest
from dcign.data.schema import BATCH_SIZE, FACTORS, SPLITS, VARIES, Batch, ShardHeader, configuration_sha256
from dcign.data.shard.writer import write_shard

SIZE = 24
RANGES = {"azimuth": (-86.0, 86.0), "elevation": (-23.0, 23.0), "light_azimuth": (-80.0, 80.0)}
CONFIGURATION = {"size": SIZE, "seed": 5}
MODEL = b"a model, for all that the data package knows of it"
SPLIT_KINDS = {
    "train": [*VARIES][:4] * 2,
    "test": [*VARIES][:4],
    "iid": ("all",) * 2,
    "sweep": ("identity",),
}


def disc_batch(number: int, varies: str, split: str = "train", channels: int = 1) -> Batch:
    """A batch that keeps its promise, and whose pixels follow from its labels."""
    rng = np.random.default_rng([SPLITS.index(split), number])
    lows, highs = np.array([RANGES[factor.name] for factor in FACTORS]).T
    drawn = rng.uniform(lows, highs, (BATCH_SIZE, len(FACTORS))).astype(np.float32)
    free = np.array([varies in (factor.name, "all") for factor in FACTORS])
    factors = np.where(free, drawn, drawn[:1])
    first = SPLITS.index(split) * 1_000_000 + number * BATCH_SIZE
    index = first + np.arange(BATCH_SIZE) * (varies in ("identity", "all"))
    shape = np.stack([np.random.default_rng(person).normal(size=3) for person in index]).astype(np.float32)
    images, mask = _discs(factors, shape)
    return Batch(
        number=number,
        varies=varies,
        images=np.repeat(images[..., None], channels, axis=-1),
        factors=factors,
        identity_index=index,
        identity_shape=shape,
        identity_albedo=shape[:, :2] + 1,
        nuisance={"light_elevation": np.full(BATCH_SIZE, rng.uniform(0, 20), np.float32)},
        truth={} if split == "train" else {"mask": mask},
    )


def _discs(factors: NDArray[Any], shape: NDArray[Any]) -> tuple[UInt8, UInt8]:
    """Discs lit from one side; the nose points where the head does. (20, 3), (20, 3) -> two of (20, H, W)"""
    azimuth, elevation, light = (np.radians(factors[:, column])[:, None, None] for column in range(3))
    down, right = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j][:, None]
    widths = (0.7 + 0.05 * np.tanh(shape[:, 0]))[:, None, None]
    inside = (right / widths) ** 2 + (down / 0.8) ** 2 < 1
    nose = np.exp(-8 * ((right - 0.6 * np.sin(azimuth)) ** 2 + (down + 0.8 * np.sin(elevation)) ** 2))
    side = 1 + 0.8 * np.sin(light) * right + 0.4 * np.cos(light)
    brightness = 80 + 10 * np.tanh(shape[:, 1])[:, None, None]
    images = inside * (brightness * side + 60 * nose + 5 * np.tanh(shape[:, 2])[:, None, None] * down)
    return np.clip(images, 0, 255).astype(np.uint8), inside.astype(np.uint8) * 255


@pytest.fixture(scope="session")
def make_batch() -> Callable[..., Batch]:
    """`disc_batch`."""
    return disc_batch


@pytest.fixture(scope="session")
def draw_discs() -> Callable[..., tuple[UInt8, UInt8]]:
    """`_discs`: labels (20, 3) and coefficients (20, 3) to images and masks (20, H, W)."""
    return _discs


@pytest.fixture(scope="session")
def header() -> ShardHeader:
    """The header of a train shard."""
    return ShardHeader(
        split="train",
        seed=5,
        configuration=dict(CONFIGURATION),
        configuration_sha256=configuration_sha256(CONFIGURATION),
        model_sha256=hashlib.sha256(MODEL).hexdigest(),
        renderer={"vendor": "a test", "name": "numpy", "version": "1"},
        ranges=dict(RANGES),
        camera={"field_of_view_degrees": 20.0},
    )


@pytest.fixture
def make_shard(tmp_path: Path, header: ShardHeader) -> Callable[..., Path]:
    """Write a shard of these batches, by default one of each kind but `all`."""

    def make(batches: Iterable[Batch] | None = None, name: str = "shard.h5", **changes: Any) -> Path:
        held = list(batches or (disc_batch(number, [*VARIES][number]) for number in range(4)))
        write_shard(tmp_path / name, replace(header, **changes), held, len(held))
        return tmp_path / name

    return make


@pytest.fixture
def make_dataset(tmp_path: Path, header: ShardHeader) -> Callable[..., Path]:
    """Write a whole data set; `change` may replace any batch before it is written."""

    def make(change: Callable[[str, Batch], Batch] = lambda split, batch: batch) -> Path:
        folder = tmp_path / "faces"
        folder.mkdir()
        (folder / "model.npz").write_bytes(MODEL)
        splits = {}
        for split, kinds in SPLIT_KINDS.items():
            batches = [change(split, disc_batch(number, kind, split)) for number, kind in enumerate(kinds)]
            splits[split] = tuple(_written(folder, replace(header, split=split), batches))
        write_manifest(folder, _manifest(header, splits))
        return folder

    return make


def _written(folder: Path, header: ShardHeader, batches: list[Batch], size: int = 5) -> Iterator[ShardEntry]:
    """Shards of `size` batches, fewer in the last."""
    for number, first in enumerate(range(0, len(batches), size)):
        held = batches[first : first + size]
        name = f"{header.split}/shard-{number:05d}.h5"
        digest = write_shard(folder / name, header, held, len(held))
        yield ShardEntry(name, len(held), first, digest, (folder / name).stat().st_size)


def _manifest(header: ShardHeader, splits: dict[str, tuple[ShardEntry, ...]]) -> Manifest:
    return Manifest(
        configuration=header.configuration,
        configuration_sha256=header.configuration_sha256,
        seed=header.seed,
        model={"file": "model.npz", "sha256": header.model_sha256, "name": "discs", "licence": "MIT"},
        renderer=header.renderer,
        splits=splits,
    )
