"""FLAME: .npz, or the published pickles.

Units are metres. The first 300 columns of shapedirs are the identity modes; they are stored already multiplied by their
standard deviations.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from dcign.arrays import Float32, IntP
from dcign.facegen.loaders.array_file import ArrayFile, npz_file
from dcign.facegen.loaders.content import Content
from dcign.facegen.loaders.eyeballs import eyeball_parts, pupil_of
from dcign.facegen.loaders.inert_pickle import read_pickled_arrays

KIND = "FLAME model"
LICENCE = (
    "FLAME licence of the Max Planck Society: non-commercial research, education and art, no redistribution; "
    "the release FLAME 2023 Open alone is CC BY 4.0."
)
IDENTITY_COLUMNS = 300  # the columns after them are expressions
EYES = {"left": 3, "right": 4}  # columns of weights: root, neck, jaw, left eye, right eye
VERTICES = 5023  # of all published versions, which have the same mesh
# The vertices nearest to the 68 points of iBUG in the published embedding of landmarks: within 6.4 mm on the jaw,
# 4.8 mm on the brows, 2.2 mm elsewhere.
IBUG_68 = (
    2210, 1935, 3056, 3424, 3385, 3389, 3419, 3415, 3414, 3634, 3643, 3587, 3581, 3652, 2004, 560, 728, 1983,
    3157, 335, 3705, 3684, 3851, 3863, 16, 2138, 570, 3553, 3561, 3501, 3526, 2748, 2792, 3556, 1675, 1612,
    2437, 2383, 2494, 3632, 2293, 2296, 3833, 1343, 1034, 1175, 884, 881, 2715, 2813, 2774, 3543, 1657, 1696,
    1579, 1795, 1865, 3503, 2948, 2898, 2845, 2785, 3533, 1668, 1730, 1848, 3509, 2937,
)  # fmt: skip
MILLIMETRES = 1000.0  # of its unit, a metre


def read_flame_npz(path: Path) -> Content:
    """Read an .npz with the keys of the pickle."""
    with zipfile.ZipFile(path) as archive:
        return _content(npz_file(path, KIND, archive))


def read_flame_pickle(path: Path) -> Content:
    """Read a pickle, of Python 2 or 3, with or without chumpy's objects. No code in it is run."""
    return _content(ArrayFile(path, KIND, read_pickled_arrays(path)))


def _content(file: ArrayFile) -> Content:
    mean = file.points("v_template")
    basis = file.numbers("shapedirs", len(mean), 3, None)[:, :, :IDENTITY_COLUMNS]
    landmarks = {f"ibug_{number}": vertex for number, vertex in enumerate(IBUG_68, 1)} if len(mean) == VERTICES else {}
    parts = None
    if file.shape("weights") is not None:
        eyeballs = _eyeballs(file.numbers("weights", len(mean), None))
        parts = np.zeros(len(mean), np.uint8)
        for side, eyeball in eyeballs.items():
            parts[eyeball] = eyeball_parts(mean[eyeball] * np.float32(MILLIMETRES))
            landmarks[f"pupil_{side}"] = int(eyeball[pupil_of(mean[eyeball])])
    return Content(
        name="FLAME",
        licence=LICENCE,
        deviations="shapedirs as stored, its first 300 columns",
        millimetres=MILLIMETRES,
        mean=mean,
        basis=np.array(basis),
        triangles=file.triangles("f", len(mean)),
        parts=parts,
        landmarks=landmarks,
    )


def _eyeballs(weights: Float32) -> dict[str, IntP]:
    """Return the vertices (v,) of each eyeball, from joint weights (V, J): those that its joint alone moves."""
    sides = {side: np.flatnonzero(weights[:, joint] > 0.5) for side, joint in EYES.items() if joint < weights.shape[1]}
    return {side: vertices for side, vertices in sides.items() if len(vertices)}
