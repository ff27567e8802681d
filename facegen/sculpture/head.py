"""The mean head as a signed distance: the tables of features, applied in order to mirrored points."""

from __future__ import annotations

from functools import partial

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.sculpture.ear import add_ears
from dcign.facegen.sculpture.eyes import EYELIDS, LID_FOLDS, open_eyes
from dcign.facegen.sculpture.features import Feature
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.sculpture.mouth import MOUTH
from dcign.facegen.sculpture.nose import NOSE
from dcign.facegen.sculpture.outlines import FACE_AND_NECK
from dcign.facegen.sculpture.skull import BRAIN_CASE, BROWS_AND_SOCKETS

FEATURES: tuple[Feature, ...] = (
    *BRAIN_CASE,
    *FACE_AND_NECK,
    *BROWS_AND_SOCKETS,
    *NOSE,
    EYELIDS,
    *MOUTH,
    *LID_FOLDS,
)
MIDLINE_SOFTNESS = 1.0  # mm over which |x| is rounded at the midline, so that rods which cross it leave no keel


def head_distance(points: Float64, ears: bool = True) -> Float64:
    """Return the signed distance (N,), mm, from points (N, 3) to the skin of the mean head, negative inside."""
    half = points.copy()
    half[:, 0] = np.hypot(points[:, 0], MIDLINE_SOFTNESS)
    distance = np.full(len(points), 1e3)
    for feature in FEATURES:
        distance = feature.apply(distance, half, LANDMARKS)
    distance = open_eyes(distance, half)
    return add_ears(distance, half) if ears else distance


bare_head_distance = partial(head_distance, ears=False)  # bare: without ears
