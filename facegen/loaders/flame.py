"""FLAME: .npz, or the published pickles. Metres; the first 300 columns of shapedirs are identity, times their sd."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from dcign.facegen.loaders.content import Content, eye_parts
from dcign.facegen.loaders.inert_pickle import read_pickled_arrays
from dcign.facegen.loaders.npz_source import NpzSource
from dcign.facegen.loaders.source import Mapped, Source

KIND = "FLAME model"
LICENCE = (
    "FLAME licence of the Max Planck Society: non-commercial research, education and art, no redistribution; "
    "the release FLAME 2023 Open alone is CC BY 4.0."
)
IDENTITY_COLUMNS = 300  # those after them are expressions
LEFT_EYE, RIGHT_EYE = 3, 4  # columns of weights: root, neck, jaw, eyes


def read_flame_npz(path: Path) -> Content:
    """Read an .npz with the keys of the pickle."""
    with zipfile.ZipFile(path) as archive:
        return _content(NpzSource(path, KIND, archive))


def read_flame_pickle(path: Path) -> Content:
    """Read a pickle, of Python 2 or 3, with or without chumpy's objects. No code in it is run."""
    return _content(Mapped(path, KIND, read_pickled_arrays(path)))


def _content(file: Source) -> Content:
    mean = file.points("v_template")
    basis = file.numbers("shapedirs", len(mean), 3, None)[:, :, :IDENTITY_COLUMNS]
    parts = None
    if file.shape("weights") is not None:
        weights = file.numbers("weights", len(mean), None)
        eyes = [weights[:, joint] > 0.5 for joint in (LEFT_EYE, RIGHT_EYE) if joint < weights.shape[1]]
        parts = eye_parts(mean, eyes)
    return Content(
        name="FLAME",
        licence=LICENCE,
        deviations="shapedirs as stored, its first 300 columns",
        millimetres=1000.0,
        mean=mean,
        basis=np.array(basis),
        triangles=file.triangles("f", len(mean)),
        parts=parts,
    )
