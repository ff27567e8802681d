"""GNM head: gnm_head.npz. Metres; coefficients N(0, 1)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from dcign.arrays import Bool, UInt8
from dcign.facegen.loaders.array_file import ArrayFile, npz_file
from dcign.facegen.loaders.content import PARTS, Content

KIND = "GNM head .npz"
LICENCE = "Apache License 2.0 (GNM, Google)."
GROUPS = {"skin": "skin", "mouth_sock": "mouth", "eye_interiors": "sclera", "scleras": "sclera", "irises": "iris",
          "pupils": "iris"}  # fmt: skip
MEMBER = 0.5  # weight above which a vertex belongs to a group


def read_gnm(path: Path) -> Content:
    """Read the file. Skin and eyeballs are drawn; teeth, tongue and the clear shell over the iris are not."""
    with zipfile.ZipFile(path) as archive:
        file = npz_file(path, KIND, archive)
        mean = file.points("template_vertex_positions")
        basis = file.numbers("vertex_identity_basis", None, len(mean), 3)
        drawn, parts = _groups(file, len(mean))
        return Content(
            name="GNM head",
            licence=LICENCE,
            deviations="vertex_identity_basis as stored: its coefficients are N(0, 1)",
            millimetres=1000.0,
            mean=mean,
            basis=np.ascontiguousarray(np.moveaxis(basis, 0, 2)),
            triangles=file.triangles("triangles", len(mean)),
            parts=parts,
            drawn=drawn,
        )


def _groups(file: ArrayFile, vertices: int) -> tuple[Bool, UInt8]:
    """Return which vertices are drawn (V,) and their parts (V,). Groups overlap: later ones in GROUPS win."""
    names = [str(name) for name in file.read("vertex_group_names").ravel()]
    weights = file.numbers("vertex_groups", len(names), vertices)
    if "skin" not in names:
        raise file.error("a group skin in vertex_group_names", f"{', '.join(names[:4])} ...")
    drawn, parts = np.zeros(vertices, bool), np.zeros(vertices, np.uint8)
    for group, part in GROUPS.items():
        if group in names:
            inside = weights[names.index(group)] > MEMBER
            drawn |= inside
            parts[inside] = PARTS.index(part)
    return drawn, parts
