"""Painting people: from masks at fixed sites, and a complexion, to colours.

    lab    = cheek + sum over masks of mask (S,) shift (3,)          complexion.py, layers.py
    colour = linear(lab), then for each layer  colour += opacity (paint - colour)
    result = sRGB(colour * occlusion)

Skin is worked out in CIELAB, where it was measured; layers are mixed in linear light. No light is baked in but ambient
occlusion: light is one of the factors that are to be learnt.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Float64, Floating, Int32, IntP, UInt8
from dcign.errors import ModelError
from dcign.facegen.colour import lab_to_linear_planes, linear_to_srgb
from dcign.facegen.model.albedo import Albedo
from dcign.facegen.model.person import MEAN_PERSON
from dcign.facegen.skin.complexion import COEFFICIENTS, Complexion
from dcign.facegen.skin.layers import EVERYWHERE, LAYERS, Layer, skin_shifts
from dcign.facegen.skin.masks import mask_range

OCCLUSION = 0.6
_LEAK = (0.93, 1.0, 1.02)  # red light leaks through skin into its folds
_BRIGHTEST = 0.95
BYTE_STEPS = 254  # even, so that the middle of a noise, 0, is exact
COMPRESSION = 4  # of zlib
BLOCK = 1 << 15  # sites x people at a time: what the processor's cache holds


@dataclass(frozen=True, eq=False)
class PaintedAlbedo(Albedo):
    """masks (M, S) of S sites as bytes: mask = low (M,) + byte step (M,); names (M,) of the masks.

    cheek (M,): the masks' means where the cheek's colour is measured, which is the skin's published colour there.
    """

    kind: ClassVar[str] = "painted"
    names: tuple[str, ...]
    masks: UInt8
    low: Float32
    step: Float32
    cheek: Float32

    @classmethod
    def from_masks(cls, masks: Mapping[str, UInt8], cheek: Float32) -> PaintedAlbedo:
        """From masks (S,) as `as_bytes` packs them, and their means (M,) on the cheek."""
        low, high = np.array([mask_range(name) for name in masks], np.float32).T
        return cls(tuple(masks), np.stack(list(masks.values())), low, (high - low) / BYTE_STEPS, cheek)

    @property
    def modes(self) -> int:
        """Number of albedo coefficients Ka; complexion.py names them."""
        return len(COEFFICIENTS)

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """What each coefficient is, Ka names."""
        return COEFFICIENTS

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each mask by name."""
        return {name: row for row, name in enumerate(self.names)}

    @cached_property
    def stencils(self) -> list[_Stencil]:
        """Where each of LAYERS can be."""
        neutral = Complexion.of(np.zeros((1, self.modes)), np.array([MEAN_PERSON]))
        found = []
        for layer in LAYERS:
            names = [name for name in layer.weights(neutral) if name in self.rows]  # hair may have fewer cuts
            rows = np.array([self.rows[name] for name in names], np.intp)
            gate = self.rows[layer.gate]
            places = np.flatnonzero(self.masks[gate])
            share = np.float32(self.step[gate]) * self.masks[gate, places]
            # A gate that is also weighed fades out by its weight alone.
            found.append(
                _Stencil(
                    places,
                    np.ones_like(share) if layer.gate in names else share,
                    rows,
                    self.masks[rows[:, None], places],
                )
            )
        return found

    @property
    def sites(self) -> int:
        """Number of places S that are coloured."""
        return int(self.masks.shape[1])

    def colours(self, coefficients: Float32, attributes: Float32) -> Float32:
        """Colours of N people: coefficients (N, Ka), attributes (N, A) -> (N, S, 3), sRGB 0..1."""
        if coefficients.ndim != 2 or coefficients.shape[1] != self.modes:
            raise ModelError(f"coefficients have shape {coefficients.shape}; expected (N, {self.modes}).")
        brush = _Brush(self, Complexion.of(coefficients.astype(np.float64), attributes.astype(np.float64)))
        people = len(coefficients)
        colours = np.empty((people, self.sites, 3), np.float32)
        width = min(self.sites, BLOCK)
        group = max(1, BLOCK // max(width, 1))
        for first in range(0, self.sites, width):
            sites = slice(first, first + width)
            for start in range(0, people, group):
                who = slice(start, start + group)
                colours[who, sites] = linear_to_srgb(brush.paint(sites, who)).transpose(0, 2, 1)
        return colours

    def at(self, places: Int32) -> PaintedAlbedo:
        """The same people at some of the sites (n,)."""
        return PaintedAlbedo(self.names, self.masks[:, places], self.low, self.step, self.cheek)

    def projected(self, project: Callable[[Floating], Float64]) -> PaintedAlbedo:
        """The same people at other sites, n of them."""
        masks = np.clip(np.round(project(self.masks.T.astype(np.float32))), 0, BYTE_STEPS).astype(np.uint8)
        return PaintedAlbedo(self.names, np.ascontiguousarray(masks.T), self.low, self.step, self.cheek)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What a file holds of it."""
        return {
            "names": np.array(self.names),
            "sites": np.array(self.sites),
            "masks": np.frombuffer(zlib.compress(self.masks.tobytes(), COMPRESSION), np.uint8),  # a tenth of the size
            "low": self.low,
            "step": self.step,
            "cheek": self.cheek,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> PaintedAlbedo:
        """Back from `arrays`."""
        masks = np.frombuffer(zlib.decompress(arrays["masks"].tobytes()), np.uint8).reshape(-1, int(arrays["sites"]))
        return cls(tuple(str(name) for name in arrays["names"]), masks, arrays["low"], arrays["step"], arrays["cheek"])


def as_bytes(name: str, mask: Floating) -> UInt8:
    """A mask (S,) as bytes over its range; what is beyond is clipped."""
    low, high = mask_range(name)
    return np.asarray(np.round((np.clip(mask, low, high) - low) * (BYTE_STEPS / (high - low))), np.uint8)


@dataclass(frozen=True, eq=False)
class _Stencil:
    """The sites (s,) that a layer's gate leaves open, how far, and the bytes (m, s) of the layer's own masks there."""

    places: IntP
    gate: Float32
    rows: IntP
    bytes: UInt8

    def within(self, sites: slice) -> tuple[IntP, Float32, Float32]:
        """Places counted from the first of these sites, gate and masks there."""
        first, last = np.searchsorted(self.places, (sites.start, sites.stop))
        own = slice(first, last)
        return self.places[own] - sites.start, self.gate[own], self.bytes[:, own].astype(np.float32)


class _Brush:
    """N people's weights of every mask, in the units of its bytes."""

    def __init__(self, albedo: PaintedAlbedo, c: Complexion) -> None:
        self.masks = albedo.masks
        row = albedo.rows
        self.closed, self.closed_step = row["closed"], albedo.step[row["closed"]]
        shifts = skin_shifts(c)
        self.skin_rows = np.array([row[name] for name in shifts])
        by_mask = np.stack(list(shifts.values()), 2)  # (N, 3, m)
        # Exactly the published colour at the cheek: what masks add there is taken off everywhere.
        base = c.skin + by_mask @ (albedo.low - albedo.cheek)[self.skin_rows]
        self.base = base[:, :, None].astype(np.float32)
        self.by_mask = (by_mask * albedo.step[self.skin_rows]).astype(np.float32)
        self.layers = [
            (stencil, *_weights(layer, stencil, albedo, c))
            for layer, stencil in zip(LAYERS, albedo.stencils, strict=True)
            if len(stencil.places)
        ]

    def paint(self, sites: slice, who: slice) -> Float32:
        """Linear colours (n, 3, s) of some people at some sites."""
        lab = self.by_mask[who] @ self.masks[self.skin_rows, sites].astype(np.float32)
        lab += self.base[who]
        colour = lab_to_linear_planes(lab)
        np.clip(colour, 0.003, 1.0, out=colour)
        for stencil, matrix, bias, strength, paint in self.layers:
            places, gate, masks = stencil.within(sites)
            if not len(places) or not strength[who].any():
                continue
            opacity = matrix[who] @ masks
            opacity += bias[who]
            np.clip(opacity, 0, 1, out=opacity)
            opacity *= strength[who] * gate
            below = np.take(colour, places, axis=2)
            below += opacity[:, None] * (paint[who] - below)
            colour[:, :, places] = below
        seen = 1 - (OCCLUSION * self.closed_step) * self.masks[self.closed, sites].astype(np.float32)
        colour *= np.stack([seen**leak for leak in np.array(_LEAK, np.float32)])
        return np.clip(colour, 0.002, _BRIGHTEST, out=colour)


def _weights(
    layer: Layer, stencil: _Stencil, albedo: PaintedAlbedo, c: Complexion
) -> tuple[Float32, Float32, Float32, Float32]:
    """Of N people: weights (N, m) of the masks' bytes, bias (N, 1), strength (N, 1), paint (N, 3, 1)."""
    people = len(c.skin)
    weights = layer.weights(c)
    matrix = np.empty((people, len(stencil.rows)))
    for column, name in enumerate(name for name in weights if name in albedo.rows):
        matrix[:, column] = weights[name]
    bias = weights.get(EVERYWHERE, 0.0) + matrix @ albedo.low[stencil.rows]
    strength = np.empty((people, 1), np.float32)
    strength[:, 0] = layer.strength(c)
    return (
        (matrix * albedo.step[stencil.rows]).astype(np.float32),
        bias[:, None].astype(np.float32),
        strength,
        layer.colour(c)[:, :, None].astype(np.float32),
    )
