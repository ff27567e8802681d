"""Meshes of heads from a folder, moved to where our mean head is: the same size, and the tip of the nose in one place.

No landmarks are needed. The size of a head is the geometric mean of its width, from ear to ear, and its depth, from the
tip of the nose to the back. Both are those of its upper part, which leaves out neck and shoulders.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError
from dcign.arrays import Float32, Floating, Int32
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.objects.folder import PartlyShownWarning, mesh_folder, pack

MOST_TRIANGLES = 60_000
FIRST = 0.05  # of the mesh's height: the part below the crown that is measured first
MEASURED = 0.9  # of the width: the height of the part that is measured; ears are in it, shoulders are not
NOSE = (0.4, 1.3)  # of the width: how far below the crown the nose can be
BACK = 0.7  # of the width: how far below the crown the back of the head is
ROUNDS = 8  # of widening the measured part, which ends after three or four


@dataclass(frozen=True, eq=False)
class Head:
    """A mesh in the model space of our faces, mm: positions, normals, albedo (linear RGB) (V, 3), triangles (T, 3)."""

    name: str
    positions: Float32
    normals: Float32
    albedo: Float32
    triangles: Int32


def read_heads(folder: Path, like: Floating, up: str = "y") -> list[Head]:
    """Read all meshes of a folder, and move each to where the head `like` (V, 3) mm is.

    up: the axis that points up in the files; faces look along +z, or for up=z along -y.

    Raises ModelError if the folder has no meshes, or one of them cannot be read; BenchmarkError if one is no head.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PartlyShownWarning)
        found = pack(mesh_folder(folder, fewest=1, up=up), MOST_TRIANGLES, lambda name, fraction: None)
    heads = []
    for name, solid in zip(found.names, found.solids, strict=True):
        positions, normals, colours, triangles = solid.drawn()
        scale, shift = _similarity(positions, like, name)
        albedo = srgb_to_linear(colours.astype(np.float64)).astype(np.float32)
        moved = (scale * positions + shift).astype(np.float32)
        heads.append(Head(name, moved, normals, albedo, triangles))
    return heads


def head_measures(points: Floating) -> tuple[float, Floating]:
    """Return the size of a head and the place of its nose, (x, y, z): points (V, 3), +y up, facing +z.

    x is the head's middle, y its crown, and z the tip of its nose. The size of what has no face is 0.
    """
    crown = points[:, 1].max()
    reach = FIRST * np.ptp(points[:, 1])
    for _ in range(ROUNDS):
        upper = points[points[:, 1] >= crown - reach]
        reach = MEASURED * np.ptp(upper[:, 0])
    below = crown - points[:, 1]
    width = reach / MEASURED
    face = points[(below > NOSE[0] * width) & (below < NOSE[1] * width)]
    if not len(face):
        return 0.0, np.zeros(3)
    front = face[:, 2].max()
    depth = front - points[below < BACK * width, 2].min()
    return float(np.sqrt(width * depth)), np.array([(upper[:, 0].max() + upper[:, 0].min()) / 2, crown, front])


def _similarity(points: Floating, like: Floating, name: str) -> tuple[float, Floating]:
    """Return the scale and the shift (3,) that take a head to another one."""
    (size, place), (wanted_size, wanted_place) = head_measures(points), head_measures(like)
    if not size > 0:
        raise BenchmarkError(f"expected a head, +y up and facing +z, found another mesh in {name}: remove it.")
    scale = wanted_size / size
    return scale, wanted_place - scale * place
