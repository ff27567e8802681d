"""Eyes of models without colours: which vertices of an eyeball that looks along +z are iris, and which are white."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float32, UInt8
from dcign.facegen.loaders.content import PARTS
from dcign.facegen.sculpture.eyes import IRIS_RADIUS


def eyeball_parts(ball: Float32) -> UInt8:
    """Return the parts (v,), sclera or iris, of the vertices (v, 3) mm of one eyeball: iris and cornea face +z.

    A cornea is clear, but we draw it opaque, in the colour of the iris behind it. The iris is a disc around the pole,
    the foremost point of the ball; the pole may be off the ball's middle, because eyes turn outwards.
    """
    middle = (ball.min(0) + ball.max(0)) / 2
    pole = ball[pupil_of(ball)]
    from_pole = np.hypot(*(ball - pole)[:, :2].T)
    in_iris = (from_pole < IRIS_RADIUS) & (ball[:, 2] > middle[2])
    return np.where(in_iris, PARTS.index("iris"), PARTS.index("sclera")).astype(np.uint8)


def pupil_of(ball: Float32) -> int:
    """Return the vertex in the middle of the pupil: the foremost of an eyeball's vertices (v, 3)."""
    return int(np.argmax(ball[:, 2]))
