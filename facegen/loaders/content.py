"""What a model file says, before it is brought into this project's conventions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dcign.arrays import Bool, Float32, Int32, UInt8

PARTS = ("skin", "sclera", "iris", "mouth")


@dataclass(frozen=True, eq=False)
class Content:
    """A model in its file's units; all formats agree on the axes: +x the subject's left, +y up, +z out of the nose.

    millimetres: of one unit; mean (V, 3); basis (V, 3, K), a column one standard deviation; triangles (T, 3), from 0;
    colour_mean (V, 3) and colour_basis (V, 3, Ka), sRGB 0..1, or None if the file has no colours; parts (V,) index
    into PARTS, or None if all is skin; drawn (V,) bool, or None if all is to be seen; deviations: how the basis came
    to be in standard deviations; landmarks: name -> vertex.
    """

    name: str
    licence: str
    deviations: str
    millimetres: float
    mean: Float32
    basis: Float32
    triangles: Int32
    colour_mean: Float32 | None = None
    colour_basis: Float32 | None = None
    parts: UInt8 | None = None
    drawn: Bool | None = None
    landmarks: dict[str, int] = field(default_factory=dict)


def eye_parts(mean: Float32, eyeballs: list[Bool]) -> UInt8:
    """Part of each vertex of a mesh whose eyeballs look ahead: mean (V, 3), eyeballs (V,) each -> (V,).

    An iris is what lies within half its usual width, seen from the eyeball's middle.
    """
    parts = np.zeros(len(mean), np.uint8)
    for eyeball in eyeballs:
        if not eyeball.any():
            continue
        ball = mean[eyeball].astype(np.float64)
        outward = ball - (ball.min(0) + ball.max(0)) / 2
        ahead = outward[:, 2] / np.maximum(np.linalg.norm(outward, axis=1), 1e-12)
        parts[eyeball] = np.where(ahead > IRIS_COSINE, PARTS.index("iris"), PARTS.index("sclera"))
    return parts


IRIS_COSINE = float(
    np.cos(np.arcsin(5.95 / 12.3))
)  # radius of the iris over that of the eyeball, as in dcign.facegen.sculpture.eyes
