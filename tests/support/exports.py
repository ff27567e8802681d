"""Truth layers of every kind that exporters meet."""

from __future__ import annotations

import numpy as np

# Layer -> dtype and shape per pixel.
LAYERS = {
    "mask": (np.uint8, ()),
    "depth": (np.float32, ()),
    "normals": (np.float16, (3,)),
    "albedo": (np.uint8, (3,)),
    "parts": (np.uint8, ()),
    "own": (np.uint8, (2,)),
}
