"""The 68 points of iBUG's 300-W data set, which landmark detectors predict, as vertices of the mesh.

Published order, counted from 1: jaw 1-17 from the subject's right ear to the left, brows 18-27, bridge of the nose
28-31, its base 32-36, right eye 37-42, left eye 43-48, outer lips 49-60, inner lips 61-68. The jaw's points lie on the
outline that a camera in front sees; the mouth is closed, so the inner lips lie just above and below its line.
"""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import Curve
from dcign.facegen.sculpture.eyes import LOWER_MARGIN, UPPER_MARGIN
from dcign.facegen.sculpture.hairline import BROW_LINE
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.sculpture.mouth import LOWER_VERMILION, UPPER_VERMILION, mouth_line
from dcign.facegen.template.mesh import Template

# The numbers of a point on the left and of its mirror image on the right; they are equal on the midline.
LEFT_AND_RIGHT = (
    *((17 - step, 1 + step) for step in range(9)),
    *((23 + step, 22 - step) for step in range(5)),
    *((middle, middle) for middle in (28, 29, 30, 31)),
    (36, 32), (35, 33), (34, 34),
    (43, 40), (44, 39), (45, 38), (46, 37), (47, 42), (48, 41),
    (55, 49), (54, 50), (53, 51), (52, 52), (58, 58), (57, 59), (56, 60),
    (65, 61), (64, 62), (63, 63), (67, 67), (66, 68),
)  # fmt: skip

# Outline of the face seen from the front, ear to chin: (x, y), mm.
JAW = (
    (70.5, -4), (69.5, -22), (66.5, -40), (62.0, -57), (57.5, -72), (49.5, -87), (38.0, -99), (22.0, -108.5),
    (0.0, -113.5),
)  # fmt: skip
BROW = (9.5, 19.5, 30.0, 41.0, 51.5)  # x
BROW_RISE = 1.0  # mm above the brow's middle line
NOSE_BASE = ((14.5, -45.5), (7.6, -47.5))  # below the wing and below the nostril
LID_EDGE = 0.35  # mm outside the aperture
UPPER_LID, LOWER_LID = (24.5, 35.5), (35.5, 24.5)  # x
OUTER_LIPS = (15.0, 5.2)  # x
LOWER_LIPS = (8.0, 17.0)
INNER_CORNER, INNER_LIP, INNER_GAP = 22.5, 9.5, 0.9


def ibug_landmarks(template: Template, normals: Float64) -> dict[str, int]:
    """Return the vertices of ibug_1 to ibug_68, mirror-symmetric; normals (V, 3) of the template."""
    seen = np.flatnonzero((template.vertices[:, 0] >= 0) & (normals[:, 2] > 0.0) & (template.vertices[:, 2] > -5))
    chosen: dict[int, int] = {}
    vertices = template.vertices[seen]
    for (left, right), (x, y) in zip(LEFT_AND_RIGHT, _left_points(), strict=True):
        # Prefer the foremost of several folds of skin.
        away = np.hypot(vertices[:, 0] - x, vertices[:, 1] - y) - 0.03 * vertices[:, 2]
        fits = (vertices[:, 0] == 0) == (left == right)
        vertex = int(seen[np.argmin(np.where(fits & ~np.isin(seen, [*chosen.values()]), away, np.inf))])
        chosen |= {left: vertex, right: int(template.mirror[vertex])}
    return {f"ibug_{number}": chosen[number] for number in sorted(chosen)}


def _left_points() -> list[tuple[float, float]]:
    """Return the points (x, y) on the left and on the midline, seen from the front, in the order of LEFT_AND_RIGHT."""
    bridge = np.linspace(LANDMARKS["sellion"][1], LANDMARKS["pronasale"][1], 4)
    inner, outer, corner, subnasale = (
        LANDMARKS[name][:2] for name in ("endocanthion", "exocanthion", "cheilion", "subnasale")
    )
    lip_middles = [(0.0, LANDMARKS[name][1]) for name in ("labiale_superius", "labiale_inferius")]
    return [
        *(*JAW, *_on(BROW_LINE, BROW, BROW_RISE)),
        *(*((0.0, y) for y in bridge), *NOSE_BASE, subnasale),
        *(inner, *_on(UPPER_MARGIN, UPPER_LID, LID_EDGE), outer, *_on(LOWER_MARGIN, LOWER_LID, -LID_EDGE)),
        *(corner, *_on(UPPER_VERMILION, OUTER_LIPS), *lip_middles, *_on(LOWER_VERMILION, LOWER_LIPS)),
        *(*_on(mouth_line, (INNER_CORNER,)), *_on(mouth_line, (INNER_LIP, 0.0), INNER_GAP)),
        *_on(mouth_line, (0.0, INNER_LIP), -INNER_GAP),
    ]


def _on(line: Curve, x: tuple[float, ...], above: float = 0.0) -> list[tuple[float, float]]:
    """Return points (x, y) on a curve, or `above` mm above it."""
    return list(zip(x, (line(np.array(x)) + above).tolist(), strict=True))
