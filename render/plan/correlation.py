"""Factors that are correlated: a Gaussian copula over their ranges.

    u ~ uniform (F,),  z = L Phi^-1(u),  factor = low + (high - low) Phi(z),  L L' = 2 sin(pi R / 6)

R holds the correlations of the factors: of uniform variables joined by a normal copula with correlation c it is
(6 / pi) arcsin(c / 2), the same for values and for ranks (Pearson 1907). Each factor alone stays uniform.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from dcign.arrays import Float64, Floating
from dcign.errors import RenderError

EXAMPLE = "azimuth,light_azimuth=0.8"


@dataclass(frozen=True)
class Correlation:
    """The correlation r of two factors."""

    first: str
    second: str
    r: float

    def __str__(self) -> str:
        return f"{self.first} and {self.second} {self.r:g}"


def parse_correlations(words: Iterable[str]) -> tuple[Correlation, ...]:
    """Parse "azimuth,light_azimuth=0.8" and the like. Raises RenderError if a text has another form."""
    return tuple(_parsed(word) for word in words)


def _parsed(word: str) -> Correlation:
    names, _, number = word.partition("=")
    factors = [name.strip().replace("-", "_") for name in names.split(",")]
    try:
        r = float(number)
    except ValueError:
        factors = []
    if len(factors) != 2:
        raise RenderError(
            f"expected --correlate FACTOR,FACTOR=R, for example {EXAMPLE}, found {word!r}: give two factors and a "
            "number."
        )
    return Correlation(factors[0], factors[1], r)


def check_correlations(correlations: Sequence[Correlation], factors: Sequence[str]) -> None:
    """Raise RenderError for an unknown factor, a pair given twice, |r| >= 1, or correlations that contradict."""
    seen = set()
    for each in correlations:
        pair = frozenset((each.first, each.second))
        unknown = [name for name in (each.first, each.second) if name not in factors]
        if unknown or len(pair) < 2:
            raise RenderError(
                f"expected two of the factors {', '.join(factors)} for --correlate, found {each.first} and "
                f"{each.second}: give two different factors; --vary makes a nuisance a factor."
            )
        if pair in seen:
            raise RenderError(f"expected one --correlate for {each.first} and {each.second}, found two: leave one out.")
        if not abs(each.r) < 1:
            raise RenderError(
                f"expected a correlation between -1 and 1, found {each.r:g} for {each.first} and {each.second}: give "
                "another number."
            )
        seen.add(pair)
    if np.linalg.eigvalsh(_copula(correlations, factors)).min() < 1e-9:
        raise RenderError(
            "expected correlations that can hold together, found a set that is not positive definite "
            f"({'; '.join(map(str, correlations))}): give smaller ones."
        )


def correlated(uniform: Floating, factors: Sequence[str], correlations: Sequence[Correlation]) -> Float64:
    """Return uniform variables (F, N) with these correlations between the F factors, from independent ones (F, N)."""
    root = np.linalg.cholesky(_copula(correlations, factors))
    tiny = np.finfo(np.float64).tiny  # rng.uniform can return 0, and the normal variable would be -inf
    return np.asarray(ndtr(root @ ndtri(np.maximum(uniform, tiny))))


def _copula(correlations: Sequence[Correlation], factors: Sequence[str]) -> Float64:
    """Return the correlations (F, F) of the normal variables; pairs with a factor that is not listed are left out."""
    matrix = np.eye(len(factors))
    for each in correlations:
        if each.first in factors and each.second in factors:
            row, column = factors.index(each.first), factors.index(each.second)
            matrix[row, column] = matrix[column, row] = 2 * np.sin(np.pi * each.r / 6)
    return matrix
