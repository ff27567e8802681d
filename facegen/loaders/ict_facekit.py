"""ICT-FaceKit: a folder of .obj meshes, FaceXModel. About centimetres; quads; no colours.

Vertex ranges are those of its README. Drawn are face, head and neck, the sockets of mouth and eyes, which close what
would be slits, and eyeballs; not teeth, lashes, and the clear shells that would lie like a blindfold over the eyes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dcign.arrays import Float32
from dcign.errors import ModelError
from dcign.facegen.loaders.content import PARTS, Content
from dcign.facegen.loaders.obj_file import read_obj, read_obj_points

KIND = "ICT-FaceKit folder"
LICENCE = "MIT (ICT-FaceKit light, USC Institute for Creative Technologies)."
NEUTRAL, IDENTITY, MOST_IDENTITIES = "generic_neutral_mesh.obj", "identity{:03d}.obj", 1000
MOUTH, SOCKETS_END = slice(11248, 13294), 14062
EYEBALLS = slice(21451, 24591)
IRISES = (slice(22221, 23021), slice(23791, 24591))
MULTI_PIE_68 = (
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268, 493, 1914,
    2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537,
    1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957,
    5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
)  # fmt: skip


def ict_files(folder: Path) -> list[Path]:
    """The files that make up the model: the neutral mesh, then one of each identity mode.

    Raises ModelError if one is missing.
    """
    folder = folder / "FaceXModel" if (folder / "FaceXModel").is_dir() else folder
    if not (folder / NEUTRAL).is_file():
        raise ModelError(f"{folder} has no {NEUTRAL}; expected an {KIND}: give its folder FaceXModel.")
    there = [(folder / IDENTITY.format(number)).is_file() for number in range(MOST_IDENTITIES)]
    count = there.index(False) if False in there else len(there)
    if count == 0 or any(there[count:]):
        raise ModelError(
            f"{folder} has no {IDENTITY.format(count)}; expected identity000.obj and so on without a gap: download it "
            "again."
        )
    return [folder / NEUTRAL, *(folder / IDENTITY.format(number) for number in range(count))]


def read_ict(folder: Path) -> Content:
    """Read a folder. Each identity mesh is the neutral one moved by one standard deviation of its mode."""
    neutral, *identities = ict_files(folder)
    mean, triangles = read_obj(neutral)
    basis = np.empty((*mean.shape, len(identities)), np.float32)
    for mode, path in enumerate(identities):
        points = read_obj_points(path)
        if len(points) != len(mean):
            raise ModelError(
                f"{path} has {len(points):,} vertices; expected {len(mean):,} as in {NEUTRAL}: download it again."
            )
        basis[:, :, mode] = points - mean
    parts, drawn = np.zeros(len(mean), np.uint8), np.zeros(len(mean), bool)
    drawn[:SOCKETS_END], drawn[EYEBALLS] = True, True
    parts[MOUTH], parts[EYEBALLS] = PARTS.index("mouth"), PARTS.index("sclera")
    for iris in IRISES:
        parts[iris] = PARTS.index("iris")
    return Content(
        name="ICT-FaceKit",
        licence=LICENCE,
        deviations="identity meshes minus the neutral mesh",
        millimetres=10.0,
        mean=mean,
        basis=basis,
        triangles=triangles,
        parts=parts,
        drawn=drawn,
        landmarks=_landmarks(mean),
    )


def _landmarks(mean: Float32) -> dict[str, int]:
    """The 68 iBUG points, as published for the whole mesh."""
    if len(mean) < EYEBALLS.stop:
        return {}
    return {f"ibug_{number}": vertex for number, vertex in enumerate(MULTI_PIE_68, start=1)}
