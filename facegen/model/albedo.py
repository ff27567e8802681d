"""Colours of people at fixed sites of a model, and bases that float16 holds exactly. Colours are sRGB in 0..1."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Bool, Float32, Float64, Floating, Int32
from dcign.errors import ModelError


class Albedo(ABC):
    """How people are coloured at S sites: the vertices of a model, or the texels of its texture."""

    kind: ClassVar[str]  # its name in files

    @property
    @abstractmethod
    def modes(self) -> int:
        """Number of albedo coefficients Ka."""

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the Ka coefficients."""
        return tuple(f"albedo {number}" for number in range(self.modes))

    @property
    def of_hair(self) -> Bool:
        """Which of the coefficients (Ka,) are the hair's, not the skin's."""
        return np.zeros(self.modes, bool)

    @abstractmethod
    def colours(self, coefficients: Float32, attributes: Float32) -> Float32:
        """Return the colours of N people: coefficients (N, Ka), attributes (N, A) -> (N, S, 3), sRGB 0..1."""

    @abstractmethod
    def at(self, sites: Int32) -> Albedo:
        """Return the same people at some of the sites (n,)."""

    @abstractmethod
    def projected(self, project: Callable[[Floating], Float64]) -> Albedo:
        """Return the same people at n other sites: project maps values (S, k) to values (n, k)."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what a file holds; `from_arrays` reads it."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Albedo:
        """Make an albedo from `arrays`. Raises KeyError for an array that is missing."""


@dataclass(frozen=True, eq=False)
class LinearAlbedo(Albedo):
    """Colours that are linear in their coefficients: mean (S, 3) sRGB 0..1; basis (S, 3, Ka)."""

    kind: ClassVar[str] = "linear"
    mean: Float32
    basis: Float32

    @property
    def modes(self) -> int:
        return int(self.basis.shape[2])

    def colours(self, coefficients: Float32, attributes: Float32) -> Float32:
        """Return the colours of N people, clipped to 0..1; attributes have no effect.

        mean (S, 3) + coefficients (N, Ka) @ basis (S, 3, Ka) -> (N, S, 3), sRGB 0..1
        """
        colours = linear_combination(self.mean, self.basis, coefficients)
        return np.clip(colours, 0.0, 1.0, out=colours)

    def at(self, sites: Int32) -> LinearAlbedo:
        return LinearAlbedo(self.mean[sites], self.basis[sites])

    def projected(self, project: Callable[[Floating], Float64]) -> LinearAlbedo:
        basis = project(self.basis.reshape(len(self.basis), -1)).reshape(-1, 3, self.modes)
        return LinearAlbedo(project(self.mean).astype(np.float32), round_to_float16(basis))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {"mean": self.mean, "basis": as_float16_if_exact(self.basis)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LinearAlbedo:
        return cls(arrays["mean"].astype(np.float32), arrays["basis"].astype(np.float32))


def linear_combination(mean: Float32, basis: Float32, coefficients: Float32) -> Float32:
    """Return mean (V, 3) + coefficients (N, K) @ basis (V, 3, K) -> (N, V, 3)."""
    modes = basis.shape[2]
    check_coefficients(coefficients, modes)
    moved = coefficients.astype(np.float32, copy=False) @ basis.reshape(basis.shape[0] * 3, modes).T
    moved += mean.reshape(1, -1)
    return moved.reshape(len(coefficients), -1, 3)


def check_coefficients(coefficients: Float32, modes: int) -> None:
    """Raise ModelError unless the coefficients have shape (N, modes)."""
    if coefficients.ndim != 2 or coefficients.shape[1] != modes:
        raise ModelError(
            f"expected coefficients of shape (N, {modes}), found {coefficients.shape}: give coefficients of this model."
        )


def round_to_float16(values: Floating) -> Float32:
    """Round to what float16 holds (.06 mm at 128 mm), so that `as_float16_if_exact` halves the file without a loss."""
    return values.astype(np.float16).astype(np.float32)


def as_float16_if_exact(basis: Float32) -> Floating:
    """Return the same numbers as float16, half the bytes, if float16 holds them exactly; else the basis itself."""
    half = basis.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), basis) else basis
