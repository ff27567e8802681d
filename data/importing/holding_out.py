"""Choose the images that train never sees: those of some people, or some combinations of factors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dcign.arrays import Bool, Int64

LEAST_IMAGES, LARGEST_SHARE = 100, 0.2  # held out of a small source, so that it can be evaluated at all


def wanted_images(count: int, share: float) -> int:
    """Return how many of N images to hold out: a share, but at least 100 where that is at most 20 %."""
    return max(round(share * count), min(LEAST_IMAGES, round(LARGEST_SHARE * count)))


def held_identities(identity: Int64, wanted: int, least: int, rng: np.random.Generator) -> Bool:
    """Hold out random people with about `wanted` images, at least `least` people; leave as many. (N,) -> (N,)."""
    people, counts = np.unique(identity, return_counts=True)
    order = rng.permutation(len(people))
    enough = int(np.searchsorted(np.cumsum(counts[order]), wanted)) + 1
    chosen = min(max(enough, least), len(people) - least)
    return np.isin(identity, people[order[:chosen]])


def held_combinations(axes: Sequence[tuple[Int64, Int64]], size: int, wanted: int, rng: np.random.Generator) -> Bool:
    """Hold out random whole lines, as many images along each axis. axes: line (N,) and levels on it (N,) -> (N,).

    Whole lines, because a batch of the test split needs `size` unseen images that differ in one label alone.
    """
    held = np.zeros(len(axes[0][0]), bool)
    for place, (line, levels) in enumerate(axes):
        target = wanted * (place + 1) / len(axes)
        able = np.unique(line[levels >= size])
        count = np.bincount(line, minlength=int(line.max()) + 1)
        order = rng.permutation(able)
        needed = int(np.searchsorted(np.cumsum(count[order]), target - held.sum())) + 1
        held |= np.isin(line, order[: max(1, needed)])
    return held


def held_images(count: int, wanted: int, rng: np.random.Generator) -> Bool:
    """Hold out random images (N,)."""
    held = np.zeros(count, bool)
    held[rng.permutation(count)[:wanted]] = True
    return held
