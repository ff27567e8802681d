"""Paint people: compute colours from masks at fixed sites and a complexion.

    lab    = cheek + sum over masks of mask (S,) shift (3,)          complexion.py, layers.py
    colour = linear(lab), then for each layer  colour += opacity (paint - colour)
    result = sRGB(colour * occlusion)

Skin is computed in CIELAB, in which it was measured; layers are mixed in linear light. The only baked light is ambient
occlusion, because light is one of the factors to be learnt.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Bool, Float32, Float64, Floating, Int32, IntP, UInt8
from dcign.facegen.colour import lab_to_linear_planes, linear_to_srgb
from dcign.facegen.model.albedo import Albedo, check_coefficients
from dcign.facegen.model.person import MEAN_PERSON
from dcign.facegen.skin.complexion import COEFFICIENTS, OF_HAIR, Complexion
from dcign.facegen.skin.layers import EVERYWHERE, LAYERS, Layer, skin_shifts
from dcign.facegen.skin.masks import mask_range

OCCLUSION = 0.6
_LEAK = (0.93, 1.0, 1.02)  # red light leaks through skin into its folds
_BRIGHTEST = 0.95
BYTE_STEPS = 254  # even, so that 0, the middle of a noise, is exact
COMPRESSION = 4  # zlib level
BLOCK = 1 << 15  # sites x people at a time: as many as fit into the processor's cache


@dataclass(frozen=True, eq=False)
class PaintedAlbedo(Albedo):
    """Masks at S sites as bytes (M, S): mask = low (M,) + byte step (M,); names (M,) of the masks.

    cheek (M,): means of the masks where the cheek is measured: the skin has its published colour there.
    """

    kind: ClassVar[str] = "painted"
    names: tuple[str, ...]
    masks: UInt8
    low: Float32
    step: Float32
    cheek: Float32

    @classmethod
    def from_masks(cls, masks: Mapping[str, UInt8], cheek: Float32) -> PaintedAlbedo:
        """Make it from masks (S,), packed by `as_bytes`, and their means (M,) on the cheek."""
        low, high = np.array([mask_range(name) for name in masks], np.float32).T
        return cls(tuple(masks), np.stack(list(masks.values())), low, (high - low) / BYTE_STEPS, cheek)

    @property
    def modes(self) -> int:
        """Number of albedo coefficients Ka."""
        return len(COEFFICIENTS)

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Ka names, which complexion.py explains."""
        return COEFFICIENTS

    @property
    def of_hair(self) -> Bool:
        """Which of the coefficients (Ka,) are the hair's, not the skin's."""
        return np.isin(COEFFICIENTS, OF_HAIR)

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each mask by name."""
        return {name: row for row, name in enumerate(self.names)}

    @cached_property
    def stencils(self) -> list[_Stencil]:
        """Where each of LAYERS can be, in their order."""
        neutral = Complexion(np.zeros((1, self.modes)), np.array([MEAN_PERSON]))
        found = []
        for layer in LAYERS:
            names = [name for name in layer.weights(neutral) if name in self.rows]  # hair may have fewer cuts
            rows = np.array([self.rows[name] for name in names], np.intp)
            gate = self.rows[layer.gate]
            where = np.flatnonzero(self.masks[gate])
            share = np.float32(self.step[gate]) * self.masks[gate, where]
            # A gate that is also a weighted mask fades out by its weight alone.
            gated = np.ones_like(share) if layer.gate in names else share
            own = self.masks[rows[:, None], where]
            found.append(_Stencil(layer, names, self.low[rows], self.step[rows], where, gated, own))
        return found

    @property
    def sites(self) -> int:
        """Number of coloured sites S."""
        return int(self.masks.shape[1])

    def colours(self, coefficients: Float32, attributes: Float32) -> Float32:
        """Compute colours of N people: coefficients (N, Ka), attributes (N, A) -> (N, S, 3), sRGB 0..1."""
        check_coefficients(coefficients, self.modes)
        brush = _Brush(self, Complexion(coefficients, attributes))
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

    def at(self, sites: Int32) -> PaintedAlbedo:
        """Keep only some of the sites (n,)."""
        return PaintedAlbedo(self.names, self.masks[:, sites], self.low, self.step, self.cheek)

    def projected(self, project: Callable[[Floating], Float64]) -> PaintedAlbedo:
        """Move the masks to n other sites."""
        masks = np.clip(np.round(project(self.masks.T.astype(np.float32))), 0, BYTE_STEPS).astype(np.uint8)
        return PaintedAlbedo(self.names, np.ascontiguousarray(masks.T), self.low, self.step, self.cheek)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays that a file stores."""
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
        """Make it from the arrays of a file."""
        masks = np.frombuffer(zlib.decompress(arrays["masks"].tobytes()), np.uint8).reshape(-1, int(arrays["sites"]))
        return cls(tuple(str(name) for name in arrays["names"]), masks, arrays["low"], arrays["step"], arrays["cheek"])


def as_bytes(name: str, mask: Floating) -> UInt8:
    """Convert a mask (S,) to bytes over its range, and clip the rest."""
    low, high = mask_range(name)
    return np.asarray(np.round((np.clip(mask, low, high) - low) * (BYTE_STEPS / (high - low))), np.uint8)


@dataclass(frozen=True, eq=False)
class _Stencil:
    """Where a layer can be: sites (s,), how far its gate is open there (s,), and its own masks (m, s) as bytes there.

    names (m,) of the masks, with low (m,) and step (m,) of their bytes.
    """

    layer: Layer
    names: list[str]
    low: Float32
    step: Float32
    where: IntP
    gate: Float32
    bytes: UInt8

    def within(self, sites: slice) -> tuple[IntP, Float32, Float32]:
        """Return positions relative to the first of these sites, and gate and masks there."""
        first, last = np.searchsorted(self.where, (sites.start, sites.stop))
        own = slice(first, last)
        return self.where[own] - sites.start, self.gate[own], self.bytes[:, own].astype(np.float32)

    def weighed(self, c: Complexion) -> tuple[Float32, Float32, Float32, Float32]:
        """Return weights (N, m) of the bytes, bias (N, 1), strength (N, 1) and paint (N, 3, 1) for N people."""
        people = len(c.skin)
        weights = self.layer.weights(c)
        matrix = np.empty((people, len(self.names)))
        for column, name in enumerate(self.names):
            matrix[:, column] = weights[name]
        bias = weights.get(EVERYWHERE, 0.0) + matrix @ self.low
        strength = np.empty((people, 1), np.float32)
        strength[:, 0] = self.layer.strength(c)
        paint = self.layer.colour(c)[:, :, None].astype(np.float32)
        return (matrix * self.step).astype(np.float32), bias[:, None].astype(np.float32), strength, paint


class _Brush:
    """The weights of every mask for N people, in the units of the masks' bytes."""

    def __init__(self, albedo: PaintedAlbedo, c: Complexion) -> None:
        self.masks = albedo.masks
        row = albedo.rows
        self.closed, self.closed_step = row["closed"], albedo.step[row["closed"]]
        shifts = skin_shifts(c)
        self.skin_rows = np.array([row[name] for name in shifts])
        by_mask = np.stack(list(shifts.values()), 2)  # (N, 3, m)
        # The cheek has exactly the published colour: we subtract everywhere what the masks add there.
        base = c.skin + by_mask @ (albedo.low - albedo.cheek)[self.skin_rows]
        self.base = base[:, :, None].astype(np.float32)
        self.by_mask = (by_mask * albedo.step[self.skin_rows]).astype(np.float32)
        self.layers = [(stencil, *stencil.weighed(c)) for stencil in albedo.stencils if len(stencil.where)]

    def paint(self, sites: slice, who: slice) -> Float32:
        """Return linear colours (n, 3, s) of some people at some sites."""
        lab = self.by_mask[who] @ self.masks[self.skin_rows, sites].astype(np.float32)
        lab += self.base[who]
        colour = lab_to_linear_planes(lab)
        np.clip(colour, 0.003, 1.0, out=colour)
        for stencil, matrix, bias, strength, paint in self.layers:
            where, gate, masks = stencil.within(sites)
            if not len(where) or not strength[who].any():
                continue
            opacity = matrix[who] @ masks
            opacity += bias[who]
            np.clip(opacity, 0, 1, out=opacity)
            opacity *= strength[who] * gate
            below = np.take(colour, where, axis=2)
            below += opacity[:, None] * (paint[who] - below)
            colour[:, :, where] = below
        seen = 1 - (OCCLUSION * self.closed_step) * self.masks[self.closed, sites].astype(np.float32)
        colour *= np.stack([seen**leak for leak in np.array(_LEAK, np.float32)])
        return np.clip(colour, 0.002, _BRIGHTEST, out=colour)
