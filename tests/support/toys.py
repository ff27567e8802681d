"""Small data sets of format version 2: coloured figures whose position, form and hue are known.

Four rows of labels per image: `across` (a number, negated in a mirror), `form` (three classes) and `hue` (an angle).
Who is shown sets the figure's size.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dcign.arrays import Float64, Int64, UInt8
from dcign.data import Factor, NewBatch, write_dataset

ACROSS = Factor("across", "pixel", -1)
FORM = Factor("form", "", 1, classes=("disc", "square", "bar"))
HUE = Factor("hue", "degree", 1, circular=True)
TOYS = (ACROSS, FORM, HUE)
SPLITS = {"train": 24, "test": 12, "iid": 12}
PEOPLE = 1000  # of a split: nobody is in two


def drawn(labels: Float64, identity: Int64, size: int = 32, channels: int = 3) -> UInt8:
    """Draw figures: labels (n, 3), identity (n,) -> (n, S, S, C)."""
    down, right = (np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j])[:, None]
    across, form, hue = labels.T
    radius = (0.3 + 0.25 * ((identity * 0.618) % 1))[:, None, None]
    x = right - 0.5 * across[:, None, None]
    figures = np.stack([x**2 + down**2 < radius**2, np.maximum(abs(x), abs(down)) < radius,
                        (abs(x) < radius / 3) & (abs(down) < 1.5 * radius)])  # fmt: skip
    shown = np.take_along_axis(figures, form.astype(int)[None, :, None, None], axis=0)[0]
    colours = np.array([colorsys.hsv_to_rgb(value / 360 % 1, 0.8, 1) for value in hue])
    images = np.round(255 * shown[..., None] * colours[:, None, None]).astype(np.uint8)
    return images if channels == 3 else images.max(axis=-1, keepdims=True)


def toy_batches(
    kinds: Sequence[str] = ("across", "form", "hue", "identity"),
    splits: dict[str, int] = SPLITS,
    count: int = 6,
    size: int = 32,
    channels: int = 3,
    masks: bool = False,
) -> Iterator[NewBatch]:
    """Yield so many batches per split, of these kinds in turn; iid is of `all`, the sweep of levels of `across`."""
    for place, (split, batches) in enumerate(splits.items()):
        rng = np.random.default_rng([place, 7])
        for number in range(batches):
            varies = {"iid": "all", "sweep": "identity"}.get(split, kinds[number % len(kinds)])
            labels = np.stack([rng.uniform(-1, 1, count), rng.permutation(np.arange(count) % 3),
                               rng.uniform(0, 360, count)], axis=1)  # fmt: skip
            free = np.array([varies in (factor.name, "all") for factor in TOYS])
            labels = np.where(free, labels, labels[:1])
            first = PEOPLE * place + (0 if split == "sweep" else count * number)
            identity = first + np.arange(count) * (varies in ("identity", "all"))
            images = drawn(labels, identity, size, channels)
            mask = np.where(images.max(axis=-1) > 0, 255, 0).astype(np.uint8) if masks else None
            yield NewBatch(split, varies, images, labels, identity, mask)


def write_toys(folder: Path, **options: object) -> Path:
    """Write `toy_batches` and return the folder."""
    write_dataset(folder, TOYS, toy_batches(**options), name="toys", licence="CC0", source={"toys.py": "0" * 64})
    return folder


def grid_batches(size: int = 28, channels: int = 3) -> Iterator[NewBatch]:
    """Cut a whole grid of 3 x 3 x 3 labels of 8 people into triples: 6 people in train, 2 in test."""
    levels = np.array([[-1.0, 0, 1], [0, 1, 2], [0, 120, 240]])
    for person in range(8):
        for column, factor in enumerate(TOYS):
            others = [other for other in range(3) if other != column]
            for first, second in np.ndindex(3, 3):
                labels = np.empty((3, 3))
                labels[:, column] = levels[column]
                labels[:, others] = levels[others[0]][first], levels[others[1]][second]
                images = drawn(labels, np.full(3, person), size, channels)
                yield NewBatch("train" if person < 6 else "test", factor.name, images, labels, np.full(3, person))
