"""Part labels of the template: the part of the head to which each vertex belongs. Hair is a separate surface."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float64, UInt8
from dcign.facegen.primitives import ramp
from dcign.facegen.sculpture.eyes import IRIS_RADIUS
from dcign.facegen.template.regions import Regions

PART_NAMES = ("skin", "neck", "hair", "ear", "brow", "lip", "nostril", "sclera", "iris")


def part_labels(vertices: Float64, regions: Regions) -> UInt8:
    """Return the index into PART_NAMES of each vertex (V,); where parts overlap, the last one below counts."""
    inside = {
        "neck": 1 - head_weight(vertices),
        "ear": regions.ear,
        "brow": regions.brow,
        "lip": regions.lip,
        "nostril": regions.nostril,
        "sclera": regions.eye,
        "iris": regions.eye * (regions.iris_radius < IRIS_RADIUS),
    }
    labels = np.zeros(len(vertices), np.uint8)
    for name, weight in inside.items():
        labels[weight > 0.5] = PART_NAMES.index(name)
    return labels


def head_weight(vertices: Float64) -> Float64:
    """Return weights (V,), 1 on the head and fading to 0 down the neck: how much a vertex counts in the head's size."""
    return 1 - ramp(-vertices[:, 1] - 0.35 * vertices[:, 2], 70, 110)
