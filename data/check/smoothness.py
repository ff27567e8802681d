"""Find images that are blank, repeated, out of order, or unlike their neighbours, from the pixels alone.

The images of a batch, sorted by the label that varies, form a smooth path: each image lies between its two neighbours,
and no exchange of two labels makes the path much shorter. This needs no renderer. It misses a label that is wrong by
less than the distance to the next one; for that, `dcign.render.produce.verification` renders again. Objects are an
exception: flat surfaces in moving light become lighter and then darker again, many objects look the same from several
sides, and a thin sheet from above as from below. So the path goes back the way it came, and is not checked.
"""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float32, Float64, UInt8

GRID = 16  # images are averaged to GRID x GRID, so that fine texture does not make all distances similar
# Correct paths, 64 px faces, default ranges, 400 batches: no detour above 1.5, no saving above 0.003. Azimuth and light
# azimuth +-180, elevation +-90, with and without four further factors, or age and sex, at 32 and 64 px, 1,211 batches:
# 2.3 and 0.031; with a grain of 0.5, 3.5. An image of another batch is found in 86 % of default batches. Within the
# widest bounds of all (heads of one pixel, or a cheek that fills the picture), 13 of 434 correct batches are suspected.
DETOUR = 3.0  # length of the path through an image / length without it
GRAIN = 1.5  # of the median step: closer images differ as much by the grain of small images as by their label
SHORTCUT = 0.06  # share of the path that an exchange of two labels may save; distant labels save 30 %
NEIGHBOURS = "neighbours in"  # in every sentence about the order of images
HAIR = 0.02  # of the batch's range of labels: closer labels may give the same image


def pixel_faults(images: UInt8, labels: Float32 | None, factor: str = "label", *, alike: bool = False) -> list[str]:
    """Return what is wrong with a batch's pixels (20, H, W, C).

    labels (20,): of the one factor that varies; None if people or everything varies, or if their order says
    nothing. factor: its name; alike: whether images may be equal.
    """
    flat = images.reshape(len(images), -1)
    blank = (flat == flat[:, :1]).all(axis=1)
    faults = [f"image {image} is blank" for image in np.flatnonzero(blank)]
    if not faults and not alike:
        faults = _repeats(images, labels)
    if not faults and labels is not None:
        faults = _disorder(_thumbnails(images), labels, factor)
    return faults


def is_suspicion(fault: str) -> bool:
    """Return whether a fault is only a suspicion from the order of the images, which drawing them again can refute."""
    return NEIGHBOURS in fault


def _repeats(images: UInt8, labels: Float32 | None) -> list[str]:
    """Return images that are identical although their labels differ by more than HAIR."""
    seen: dict[bytes, int] = {}
    hair = 0.0 if labels is None else HAIR * float(np.ptp(labels))
    faults = []
    for image, pixels in enumerate(images):
        first = seen.setdefault(pixels.tobytes(), image)
        if first != image and (labels is None or abs(labels[first] - labels[image]) > hair):
            faults.append(f"images {first} and {image} are the same")
    return faults


def _disorder(thumbnails: Float64, labels: Float32, factor: str) -> list[str]:
    """Return images that do not lie between their neighbours, and pairs whose exchange shortens the path.

    Some exchange often improves the path around a wrong image, too, so a pair may not be a swap.
    """
    order = np.argsort(labels, kind="stable")
    walk = thumbnails[order]
    distances = np.linalg.norm(walk[:, None] - walk[None], axis=-1)
    pair, saved = _best_exchange(distances)
    if saved > SHORTCUT:
        first, second = sorted(int(order[position]) for position in pair)
        return [
            f"images {first} and {second} do not fit their {NEIGHBOURS} {factor}: labels swapped, or a foreign image"
        ]
    steps = np.diagonal(distances, 1)
    direct = np.maximum(np.diagonal(distances, 2), max(GRAIN * float(np.median(steps)), 1e-9))
    detour = (steps[:-1] + steps[1:]) / direct
    unlike = order[np.flatnonzero(detour > DETOUR) + 1]
    return [f"image {image} is unlike its {NEIGHBOURS} {factor}" for image in unlike]


def _best_exchange(distances: Float64) -> tuple[tuple[int, int], float]:
    """Return the two positions whose exchange shortens the path most, and the share that this saves."""
    first, second = np.triu_indices(len(distances), 1)
    orders = np.tile(np.arange(len(distances)), (len(first), 1))  # one row per pair
    every = np.arange(len(first))
    orders[every, first], orders[every, second] = second, first
    lengths = distances[orders[:, :-1], orders[:, 1:]].sum(axis=1)
    length, best = float(np.diagonal(distances, 1).sum()), int(lengths.argmin())
    return (int(first[best]), int(second[best])), (length - float(lengths[best])) / max(length, 1e-9)


def _thumbnails(images: UInt8) -> Float64:
    """Return gray averages. (20, H, W, C) -> (20, GRID * GRID)"""
    count, height, width, _ = images.shape
    rows, columns = min(GRID, height), min(GRID, width)
    cropped = images[:, : height // rows * rows, : width // columns * columns]
    blocks = cropped.reshape(count, rows, height // rows, columns, width // columns, -1)
    return np.stack([image.mean(axis=(1, 3, 4), dtype=np.float64).ravel() for image in blocks])
