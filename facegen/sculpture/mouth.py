"""Lips, philtrum and the folds around the mouth."""

from __future__ import annotations

from dcign.arrays import Float64
from dcign.facegen.primitives import curve
from dcign.facegen.sculpture.features import Capsule, Crease, Feature, Groove, Ridge, RidgePair, near
from dcign.facegen.sculpture.landmarks import LANDMARKS

# Where the lips meet, from stomion: (x, y).
_MOUTH_LINE = ((0.0, 0.3), (3.74, -0.3), (9.35, 0.2), (14.95, 0.5), (20.56, 0.5), (25.23, -0.1), (29.91, -0.4))

# Borders of the red of the lips, seen from the front: (x, y), absolute mm.
UPPER_VERMILION = curve(
    ((0, -59.7), (2.34, -59), (5.14, -58.1), (8.41, -58.7), (14.02, -60.9), (19.63, -63.9), (24.3, -66.7),
     (26.17, -67.8))
)  # fmt: skip
LOWER_VERMILION = curve(
    ((0, -77.3), (5.61, -77.1), (11.21, -75.9), (16.82, -73.5), (21.5, -71.0), (24.3, -68.9), (26.17, -67.8))
)

_UPPER_LIP = Ridge(
    "upper lip", near("stomion", 0, 0, -1), along="x", span=(-99, 25.23),
    stations=(  # Cupid's bow is in the second column
        (0, 5.0, -4.4, 6), (2.8, 5.8, -4.4, 6.2), (7.48, 5.9, -4.9, 6.2),
        (11.21, 5.2, -6.2, 5.87), (14.95, 4, -8.4, 5), (17.76, 2.93, -10.99, 4.15),
        (20.56, 1.8, -13.8, 3.1), (24.3, 0.4, -17.6, 1.6), (28.04, -0.12, -22.15, 0.5),
    ),
)  # fmt: skip
_LOWER_LIP = Ridge(
    "lower lip", near("stomion", 0, 0, -1), along="x", span=(-99, 25.23),
    stations=(
        (0, -5.0, -7.2, 6.8), (2.8, -5.0, -7.2, 6.8), (7.48, -4.8, -7.7, 6.7),
        (11.21, -4.2, -9.0, 6.2), (14.95, -3.1, -11.2, 5.2), (17.76, -2.21, -13.29, 4.22),
        (20.56, -1.3, -15.4, 3.1), (24.3, -0.1, -18.2, 1.5), (28.04, -0.13, -22.14, 0.5),
    ),
)  # fmt: skip

MOUTH: tuple[Feature, ...] = (
    RidgePair("lips", (_UPPER_LIP, _LOWER_LIP), inner_blend=0.8, blend=4.2),
    Crease(  # where the lips meet
        "mouth line", near("stomion"), stations=_MOUTH_LINE,
        width=0.9, depth=1.5, across=((-9, -8), (23.36, 27.57)), front=(-33, -23),
    ),
    Groove("mouth corner", near("cheilion", 1.2, -0.1, -18), near("cheilion", 1.2, -0.1, 22), width=3.4, depth=1.0),
    Groove("philtrum", near("subnasale", 0, -2), near("labiale_superius", 0, 2, -1), width=3.0, depth=0.8),
    Groove("philtrum column", near("subnasale", 4.8, -2, -1), near("cupid_peak", -0.3, 0.3, -0.5), width=2, depth=-0.4),
    # Below the lower lip.
    Capsule("chin groove", near("sublabiale", 0, 0, 8.2), near("sublabiale", 16, 1), (5, 4), blend=10, carve=True),
    Groove(  # from the wing of the nose to the corner of the mouth
        "smile fold", near("alar_crease", 3, 1, -1), near("cheek", -7, -14, 2),
        width=4.6, depth=0.8, fade_in=(-0.01, 0.12), fade_out=(0.6, 1.01),
    ),
)  # fmt: skip


def mouth_line(x: Float64) -> Float64:
    """Return the height y (N,) at which the lips meet, at x >= 0, mm."""
    return LANDMARKS["stomion"][1] + curve(_MOUTH_LINE)(x)
