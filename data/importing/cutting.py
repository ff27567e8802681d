"""Cut images into batches in which one label varies and all others are equal.

A line is a set of images that agree in all labels but one. In a complete grid of L levels each line has L images; in
scattered labels it has one. Every line is cut at random into pieces of equal size, none of which has a level twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Int64

MOST = 20  # images per batch
LEAST = 2


def codes_of(columns: Sequence[NDArray[Any]]) -> Int64:  # any dtype that sorts
    """Return each column's values as ranks (N, K)."""
    return np.column_stack([np.unique(column, return_inverse=True)[1] for column in columns]).astype(np.int64)


def lines(codes: Int64, free: Sequence[int]) -> Int64:
    """Return the number of each image's line (N,): images agree in all columns of codes (N, K) but `free`."""
    line = np.zeros(len(codes), np.int64)
    for place in range(codes.shape[1]):
        if place not in free:
            both = line * (int(codes[:, place].max()) + 1) + codes[:, place]
            line = np.unique(both, return_inverse=True)[1].astype(np.int64)
    return line


def levels_per_image(line: Int64, level: Int64) -> Int64:
    """Return how many different levels (N,) are on each image's line (N,)."""
    count = int(level.max()) + 1
    pairs = np.unique(line * count + level) // count
    found: Int64 = np.bincount(pairs, minlength=int(line.max()) + 1)[line]
    return found


def useful_size(line: Int64, level: Int64) -> int:
    """Return the largest size of batches, at most 20, that half of the images or more can be in; 1: none can."""
    held = np.sort(levels_per_image(line, level))
    return min(MOST, int(held[len(held) // 2]))


def cut(rows: Int64, line: Int64, level: Int64, size: int, rng: np.random.Generator) -> Int64:
    """Cut lines into batches of different levels, in random order.

    rows (n,): the images to use; line, level (N,): of all images -> rows (B, size).
    """
    order = rng.permutation(rows)
    count = int(level.max()) + 1
    # Of images with the same labels, one.
    _, first = np.unique(line[order] * count + level[order], return_index=True)
    order = order[np.sort(first)]
    order = order[np.argsort(line[order], kind="stable")]
    if not len(order):
        return np.empty((0, size), np.int64)
    _, start, held = np.unique(line[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(start, held)
    whole = rank < np.repeat(held // size * size, held)
    found: Int64 = order[whole].reshape(-1, size)
    return rng.permutation(found)
