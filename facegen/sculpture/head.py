"""The mean head as a signed distance: the tables of features, applied in order to mirrored points."""

from __future__ import annotations

from functools import partial

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.sculpture.brows import BROWS, SOCKETS
from dcign.facegen.sculpture.ear import add_ears
from dcign.facegen.sculpture.eyes import LIDS, open_eyes
from dcign.facegen.sculpture.features import Feature
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.sculpture.mouth import LIPS, MOUTH_FOLDS
from dcign.facegen.sculpture.nose import NOSE
from dcign.facegen.sculpture.outlines import DRAPE
from dcign.facegen.sculpture.skull import CRANIUM

FEATURES: tuple[Feature, ...] = (
    *CRANIUM,
    *DRAPE,
    *BROWS,
    *SOCKETS,
    *NOSE,
    *LIDS[:1],
    *LIPS,
    *MOUTH_FOLDS,
    *LIDS[1:],
)

# |x| is rounded off at the midline, mm, so that rods which cross it leave no keel.
MIDLINE_SOFTNESS = 1.0


def head_distance(points: Float64, ears: bool = True) -> Float64:
    """Signed distance (N,), mm, from points (N, 3) to the skin of the mean head, negative inside."""
    half = points.copy()
    half[:, 0] = np.hypot(points[:, 0], MIDLINE_SOFTNESS)
    distance = np.full(len(points), 1e3)
    for feature in FEATURES:
        distance = feature.apply(distance, half, LANDMARKS)
    distance = open_eyes(distance, half)
    return add_ears(distance, half) if ears else distance


bare_head_distance = partial(head_distance, ears=False)
