"""A body given by its outlines at several heights: face and neck.

The outlines are converted to one smooth table of radii over height and azimuth, so that the silhouette is smooth from
every side, even where the outlines are not. Their coordinates are accurate to about half a millimetre.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import PchipInterpolator, RectBivariateSpline, UnivariateSpline
from scipy.ndimage import gaussian_filter1d

from dcign.arrays import Float64
from dcign.facegen.primitives import smooth_maximum, smooth_union
from dcign.facegen.sculpture.features import Anchors, Feature

AZIMUTHS = np.radians(np.arange(-180, 181, 7.5))
TOLERANCE = 0.4  # mm: root-mean-square difference over the height that is allowed between table and outlines
ROUNDING = 0.8  # steps of azimuth: standard deviation of the Gaussian that rounds the corners of an outline

Outline = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Loft(Feature):
    """Horizontal outlines, (x, z) from the front midline round to the back one, joined smoothly over the height y.

    The body is cut flat at the first and last height, rounded over `closing` mm. under: (z, y) of a lower border that
    cuts it off, rounded over `rounding` mm: the jaw. All coordinates are absolute millimetres.
    """

    outlines: tuple[tuple[float, Outline], ...]
    blend: float
    under: Outline = ()
    rounding: float = 1.0
    closing: float = 4.0

    def apply(self, distance: Float64, points: Float64, anchors: Anchors) -> Float64:
        return smooth_union(distance, self.body(points), self.blend)

    def body(self, points: Float64) -> Float64:
        """Return the distance (N,) to the loft alone, exact near its surface."""
        x, y, z = points.T
        low, high = self.outlines[-1][0], self.outlines[0][0]
        height = np.clip(y, low, high)
        azimuth, out = np.arctan2(x, z), np.hypot(x, z) + 1e-6
        radius = self._radius.ev(height, azimuth)
        # First-order distance: the gap along the radius over the length of the gradient of (out - radius).
        by_height = self._radius.ev(height, azimuth, dx=1)
        by_azimuth = self._radius.ev(height, azimuth, dy=1)
        side = (out - radius) / np.sqrt(1 + by_height**2 + (by_azimuth / np.maximum(out, 20)) ** 2)
        side = smooth_maximum(side, np.maximum(low - y, y - high), self.closing)
        if not self.under:
            return side
        z = np.clip(z, self.under[-1][0], self.under[0][0])
        border, slope = self._under(z), self._under.derivative()(z)
        return smooth_maximum(side, (border - y) / np.sqrt(1 + slope**2), self.rounding)

    @cached_property
    def _radius(self) -> RectBivariateSpline:
        """Return the radius over height and azimuth."""
        heights = np.array([height for height, _ in self.outlines[::-1]], float)
        radii = np.array([_radii(outline) for _, outline in self.outlines[::-1]])
        # Smooth here: FITPACK's own smoothing once disordered the knots of the spline and made a crack in the neck.
        rounded = gaussian_filter1d(radii[:, :-1], ROUNDING, axis=1, mode="wrap")
        steady = [UnivariateSpline(heights, column, s=len(heights) * TOLERANCE**2)(heights) for column in rounded.T]
        return RectBivariateSpline(heights, AZIMUTHS, np.stack([*steady, steady[0]], 1))

    @cached_property
    def _under(self) -> PchipInterpolator:
        z, y = np.array(self.under[::-1], float).T
        return PchipInterpolator(z, y)


def _radii(outline: Outline) -> Float64:
    """Return the radius at AZIMUTHS of an outline that is mirrored across the midline."""
    x, z = np.array(outline, float).T
    azimuth, radius = np.arctan2(x, z), np.hypot(x, z)
    whole = np.concatenate([-azimuth[:0:-1], azimuth]), np.concatenate([radius[:0:-1], radius])
    turns = np.concatenate([whole[0][:-1] - 2 * np.pi, whole[0], whole[0][1:] + 2 * np.pi])
    return np.asarray(PchipInterpolator(turns, np.concatenate([whole[1][:-1], whole[1], whole[1][1:]]))(AZIMUTHS))
