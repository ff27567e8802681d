"""Identification: two images per person, at different values of a factor, matched by their intrinsic codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Floating, IntP
from dcign.evaluate.codes import Codes, unit_codes

PEOPLE = 70
APART = 60.0  # between the two images, in the factor's units


@dataclass(frozen=True)
class Identification:
    """right: the share of images whose nearest second image, among all people's, is of the same person.

    degrees_apart is in the factor's units; chance is the share by chance.
    """

    factor: str
    people: int
    right: float
    degrees_apart: float
    chance: float


def identify_first(codes: Codes, factors: Sequence[str], intrinsic: IntP) -> Identification | None:
    """Match people across the first factor that has a wide enough range; intrinsic (I,) latents."""
    matches = (identify(codes, index, name, intrinsic) for index, name in enumerate(factors))
    return next((match for match in matches if match), None)


def identify(codes: Codes, factor: int, name: str, intrinsic: IntP) -> Identification | None:
    """Match people across a factor, by the cosine of their intrinsic means; intrinsic (I,) latents.

    Each batch in which only this factor varies gives one person: the two of its images whose factors differ by nearly
    60. Each image is matched with all images of the other side. Returns None if no two images differ by 54 to 66, or if
    there are fewer than two people.
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
    """Return how often the nearest row by cosine is the same row, matched in both directions: (P, I), (P, I) -> 0..1.

    Rows of zeros are equally near to all others, so they are right by chance.
    """
    similarity = unit_codes(firsts) @ unit_codes(seconds).T
    own = np.diag(similarity)
    return float(np.mean([_share_nearest(similarity, own), _share_nearest(similarity.T, own)]))


def _share_nearest(similarity: Floating, own: Floating) -> float:
    """Return the share of rows (P, P) whose own entry is the largest; ties count by their share."""
    most = similarity.max(axis=1)
    ties = (similarity >= most[:, None]).sum(axis=1)
    return float(np.mean((own >= most) / ties))
