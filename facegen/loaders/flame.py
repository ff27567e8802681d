"""FLAME: .npz, or the published pickles.

Units are metres. The first 300 columns of shapedirs are the identity modes; they are stored already multiplied by their
standard deviations.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from dcign.arrays import Float32, UInt8
from dcign.facegen.loaders.array_file import ArrayFile, npz_file
from dcign.facegen.loaders.content import Content
from dcign.facegen.loaders.eyeballs import eyeball_parts
from dcign.facegen.loaders.inert_pickle import read_pickled_arrays

KIND = "FLAME model"
LICENCE = (
    "FLAME licence of the Max Planck Society: non-commercial research, education and art, no redistribution; "
    "the release FLAME 2023 Open alone is CC BY 4.0."
)
IDENTITY_COLUMNS = 300  # the columns after them are expressions
EYES = slice(3, 5)  # columns of weights: root, neck, jaw, left eye, right eye
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
    return Content(
        name="FLAME",
        licence=LICENCE,
        deviations="shapedirs as stored, its first 300 columns",
        millimetres=MILLIMETRES,
        mean=mean,
        basis=np.array(basis),
        triangles=file.triangles("f", len(mean)),
        parts=None if file.shape("weights") is None else _eye_parts(mean, file.numbers("weights", len(mean), None)),
    )


def _eye_parts(mean: Float32, weights: Float32) -> UInt8:
    """Return the part of each vertex (V,) of a mean (V, 3) m whose eyes look ahead, with joint weights (V, J)."""
    parts = np.zeros(len(mean), np.uint8)
    for eyeball in (weights[:, EYES] > 0.5).T:
        if eyeball.any():
            parts[eyeball] = eyeball_parts(mean[eyeball] * np.float32(MILLIMETRES))
    return parts
