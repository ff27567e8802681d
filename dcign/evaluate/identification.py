"""Is it the same person? Two pictures of each of many people, a factor far apart, matched by the intrinsic code."""

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, IntP
from dcign.evaluate.codes import Codes

PEOPLE = 70
APART = 60.0  # between the two pictures, in the factor's units


@dataclass(frozen=True)
class Identification:
    """right: share of pictures whose nearest among the others' second pictures is of the same person."""

    factor: str
    people: int
    right: float
    degrees_apart: float
    chance: float


def identify(codes: Codes, factor: int, name: str, intrinsic: IntP) -> Identification | None:
    """Match people across a factor by the cosine of their intrinsic means, intrinsic (I,) latents.

    Each batch in which the factor alone varies gives one person: of its images the two that lie nearest to 60 apart.
    Each picture of either is looked for among all of the other. None where no two lie within a tenth of that, or
    where there are fewer than two people.
    """
    firsts: list[Floating] = []
    seconds: list[Floating] = []
    for batch in np.flatnonzero(codes.kind == factor):
        values = codes.factors[batch, :, factor].astype(np.float64)
        off = np.abs(values[None, :] - values[:, None] - APART)
        first, second = np.unravel_index(off.argmin(), off.shape)
        if off[first, second] <= APART / 10 and len(firsts) < PEOPLE:
            firsts.append(codes.mu[batch, first, intrinsic])
            seconds.append(codes.mu[batch, second, intrinsic])
    if len(firsts) < 2:
        return None
    return Identification(name, len(firsts), right_share(np.array(firsts), np.array(seconds)), APART, 1 / len(firsts))


def right_share(firsts: Floating, seconds: Floating) -> float:
    """Return how often the nearest by cosine is the one of the same row, asked from both sides: (P, I), (P, I) -> 0..1.

    Codes that say nothing, all 0, are as near to everybody: right by chance.
    """
    likeness = _unit(firsts) @ _unit(seconds).T
    own = np.diag(likeness)
    return float(np.mean([_won(likeness, own), _won(likeness.T, own)]))


def _won(likeness: Floating, own: Floating) -> float:
    """Mean over rows (P, P) of whether its own is the largest; among equals, their share."""
    most = likeness.max(axis=1)
    ties = (likeness >= most[:, None]).sum(axis=1)
    return float(np.mean((own >= most) / ties))


def _unit(codes: Floating) -> Floating:
    """(P, I) -> rows of length 1, or 0."""
    values = codes.astype(np.float64)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    unit: Floating = np.divide(values, length, out=np.zeros_like(values), where=length > 0)
    return unit
