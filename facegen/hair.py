"""Where hair grows: hairline, brows, and how thick cropped hair is. Curves in mm, over the left half."""

from __future__ import annotations

from facegen.primitives import curve

# Middle line and half-height of the brow: (x, y) and (x, mm).
BROW_LINE = curve([(7, 15.2), (12, 15.8), (20, 17.2), (28, 18.8), (36, 19.6), (44, 18.2), (52, 14.2), (56, 11.5)])
BROW_HALF_HEIGHT = curve([(7, 3.0), (12, 3.6), (20, 3.6), (28, 3.3), (36, 2.8), (44, 2.2), (52, 1.4), (56, 0.8)])

# Height y of the hairline over the azimuth, degrees from the front: forehead, temple, sideburn, ear, nape.
HAIRLINE = curve(
    [
        *((0, 74), (18, 73), (32, 68), (44, 58), (54, 42), (61, 22), (68, 0), (76, -18), (84, -24), (92, -24)),
        *((104, -30), (114, -50), (128, -68), (150, -76), (180, -78)),
    ]
)
# Thickness of hair at each height y, relative to the top of the head.
HAIR_THICKNESS = curve([(-80, 0.15), (-20, 0.35), (40, 0.8), (90, 1.0)])
