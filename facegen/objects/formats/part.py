"""What the reader of any mesh format returns: triangles whose corners have colours or a place in a texture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float64, Int64, UInt8
from dcign.errors import ModelError

GRAY = 188  # sRGB of objects without colour: they reflect half of the light
WRAPS = ("repeat", "mirror", "clamp")
NOT_FINITE = "colours that are not finite numbers"  # what cannot be read of them
LARGEST = 1e30  # of a coordinate: areas and volumes of larger ones overflow


@dataclass(frozen=True, eq=False)
class Texture:
    """image (H, W, 3), sRGB, its top row first; wrap: how u and v continue outside of 0..1, each one of WRAPS."""

    image: UInt8
    wrap: tuple[str, str] = ("repeat", "repeat")

    def colours(self, uv: Float64) -> UInt8:
        """Return the colours at uv (..., 2), interpolated between the centres of texels; v = 0 is the lowest row.

        Nothing is interpolated across the edge of the picture: there, a repeated one has another colour.
        """
        rows, columns = self.image.shape[:2]
        x = np.clip(_wrapped(uv[..., 0], self.wrap[0]) * columns - 0.5, 0, columns - 1)
        y = np.clip((1 - _wrapped(uv[..., 1], self.wrap[1])) * rows - 0.5, 0, rows - 1)
        left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        right, low = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
        across, down = (x - left)[..., None], (y - top)[..., None]
        above = self.image[top, left] * (1 - across) + self.image[top, right] * across
        below = self.image[low, left] * (1 - across) + self.image[low, right] * across
        return np.asarray(np.round(above * (1 - down) + below * down).astype(np.uint8))


def _wrapped(place: Float64, wrap: str) -> Float64:
    """Return the places 0..1 that a texture shows at places outside of it."""
    if wrap == "clamp":
        return np.clip(place, 0, 1)
    period = np.mod(place, 2)
    if wrap == "mirror":
        return np.asarray(np.minimum(period, 2 - period))
    return np.where((place >= 0) & (place <= 1), place, np.mod(place, 1))


@dataclass(frozen=True, eq=False)
class Part:
    """Triangles of one appearance: colours, a texture, or neither.

    points (P, 3); triangles (T, 3) into points; colours (T, 3, 3), sRGB of each triangle's corners. With a texture:
    uv (T, 3, 2) of each corner, and tint (T, 3, 3), linear light by which the texture is multiplied, or None.
    """

    points: Float64
    triangles: Int64
    colours: UInt8 | None = None
    texture: Texture | None = None
    uv: Float64 | None = None
    tint: Float64 | None = None


@dataclass(frozen=True, eq=False)
class Content:
    """parts: all that a file shows. What it shows only in part, as noun phrases:

    missing: the pictures and material files that it names and that cannot be read; unread: colours in a form that is
    not read; crossing: how many polygons cross themselves.
    """

    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    crossing: tuple[str, ...] = ()


def plain(count: int) -> UInt8:
    """Return the colours (count, 3, 3) of triangles without colour."""
    return np.full((count, 3, 3), GRAY, np.uint8)


def as_bytes(colours: Float64) -> UInt8:
    """Convert colours (..., 3) of 0..1 to 0..255; values outside are clipped. Those that are not finite become GRAY."""
    found = np.round(255 * np.clip(np.nan_to_num(colours), 0, 1)).astype(np.uint8)
    return np.where(np.isfinite(colours).all(axis=-1, keepdims=True), found, np.uint8(GRAY))


def check_coordinates(points: Float64) -> None:
    """Raise ModelError, whose text is a clause, unless all points can be computed with."""
    if not np.isfinite(points).all():
        raise ModelError("not all of its coordinates are finite numbers")
    largest = float(np.abs(points).max(initial=0))
    if largest > LARGEST:
        raise ModelError(f"it has a coordinate of {largest:.2g}, and the largest that can be used is {LARGEST:g}")
