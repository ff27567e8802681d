"""Where hair grows: hairline and brows. Curves in mm, on the left half of the head."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import curve, ramp

# Middle line and half-height of the brow: (x, y) and (x, mm).
BROW_LINE = curve([(7, 16.2), (12, 17.0), (20, 18.5), (28, 20.0), (36, 20.8), (44, 19.8), (52, 16.6), (56, 14.2)])
BROW_HALF_HEIGHT = curve([(7, 2.3), (12, 2.9), (20, 3.0), (28, 2.8), (36, 2.4), (44, 1.9), (52, 1.2), (56, 0.7)])

# Height y of the hairline over the azimuth, degrees from the front: forehead, temple, sideburn, ear, neck.
_HAIRLINE = curve(
    [(0, 74), (18, 73), (32, 68), (44, 58), (54, 42), (61, 22), (68, 0), (76, -18), (84, -24), (92, -26),
     (97, -32), (104, -62), (112, -84), (125, -92), (150, -95), (180, -96)]
)  # fmt: skip
_HEAD_RADIUS = 72.0  # mm, to convert azimuth to distance


def hairline_height(azimuth: Float64, inwards: float = 0.0) -> Float64:
    """Return the height y (N,) of the line `inwards` mm inside the hairline, at azimuths (N,) in degrees, >= 0."""
    return _HAIRLINE(azimuth) + inwards * _steepness(azimuth)


def inside_hairline(azimuth: Float64, y: Float64) -> Float64:
    """Return how far (N,), mm, points are inside the hairline, measured across it; negative on bare skin."""
    return np.asarray((y - _HAIRLINE(azimuth)) / _steepness(azimuth))


def hairline_noise(azimuth: Float64, y: Float64) -> Float64:
    """Return the irregular displacement of the hairline (N,), mm: an even hairline looks like the rim of a cap."""
    along = np.radians(azimuth) * _HEAD_RADIUS - 0.7 * y
    waves = 1.3 * np.sin(along / 7.1 + 1) + 1.0 * np.sin(along / 4.3) + 0.6 * np.sin(along / 2.9 + 2)
    return np.asarray(waves * (0.5 + 0.5 * ramp(y, 40, 65)))


def _steepness(azimuth: Float64) -> Float64:
    """Return the height y per mm of distance from the hairline (N,): 1 where the hairline is level, else more."""
    ahead, behind = _HAIRLINE(azimuth + 1.0), _HAIRLINE(azimuth - 1.0)
    return np.asarray(np.hypot(1.0, (ahead - behind) / np.radians(2.0) / _HEAD_RADIUS))
