"""Principal directions of a block of the code: those along which the decoded picture changes most among people.

With the covariance C of the block's codes over people, and the Jacobian J of the picture with respect to the block, the
directions are C^1/2 v for the eigenvectors v of the mean of C^1/2 J^T J C^1/2 over people, the largest eigenvalue
first. A step of 1 along a direction is one standard deviation of people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float32, Floating

STEP = 0.5  # of the central difference, standard deviations
MOST = 3  # directions per block
LEAST_SHARE = 0.02  # of the block's changes; directions below it show nothing


@dataclass(frozen=True, eq=False)
class BlockDirections:
    """The first directions of a block: axes (K, d), and each one's share (K,) of the squared changes of pictures."""

    axes: Floating
    shares: Floating


def no_directions(latents: int) -> BlockDirections:
    """Return no directions of a block with so many latents."""
    return BlockDirections(np.zeros((0, latents)), np.zeros(0))


def principal_directions(
    decode: Callable[[Floating], Float32], codes: Floating, latents: Sequence[int], root: Floating
) -> BlockDirections:
    """Return the first directions of the block with these latents (d,), at the codes of some people (P, Z).

    decode: codes (N, Z) -> pictures (N, S, S, C). root: C^1/2 (d, d), symmetric.
    """
    steps = np.zeros((len(latents), codes.shape[1]))
    steps[:, list(latents)] = STEP * root
    total = np.zeros((len(latents), len(latents)))
    for code in codes:
        pictures = decode(np.concatenate([code + steps, code - steps])).reshape(2, len(latents), -1)
        changes = (pictures[0] - pictures[1]).astype(np.float64) / (2 * STEP)  # (d, pixels)
        total += changes @ changes.T
    values, vectors = np.linalg.eigh(total)
    order = np.argsort(-values, kind="stable")[:MOST]
    shares = values[order] / max(values.sum(), np.finfo(float).tiny)
    kept = shares >= min(LEAST_SHARE, shares.max())
    axes = (vectors.T[order] @ root)[kept]
    signs = np.where(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] < 0, -1, 1)  # arbitrary in an eigenvector
    return BlockDirections(axes * signs[:, None], shares[kept])
