"""GNM head: gnm_head.npz. Metres; coefficients N(0, 1)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from dcign.arrays import Bool, Float32, UInt8
from dcign.errors import ModelError
from dcign.facegen.loaders.content import PARTS, Content
from dcign.facegen.loaders.npz_source import NpzSource

KIND = "GNM head .npz"
LICENCE = "Apache License 2.0 (GNM, Google)."
GROUPS = {"skin": "skin", "mouth_sock": "mouth", "eye_interiors": "sclera", "scleras": "sclera", "irises": "iris",
          "pupils": "iris"}  # fmt: skip
SEEN = 0.5  # weight in a group from which a vertex belongs to it


def read_gnm(path: Path) -> Content:
    """Read the file. Skin and eyeballs are drawn; teeth, tongue and the clear shell over the iris are not."""
    with zipfile.ZipFile(path) as archive:
        file = NpzSource(path, KIND, archive)
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


def _groups(file: NpzSource, vertices: int) -> tuple[Bool, UInt8]:
    """Which vertices are drawn (V,), and as what (V,); the groups overlap, and later ones in GROUPS win."""
    names = file.names("vertex_group_names")
    weights: Float32 = file.numbers("vertex_groups", len(names), vertices)
    if "skin" not in names:
        raise ModelError(
            f"{file.path} has no group skin in vertex_group_names, which every {file.kind} has: {file.advice}"
        )
    drawn, parts = np.zeros(vertices, bool), np.zeros(vertices, np.uint8)
    for group, part in GROUPS.items():
        if group in names:
            inside = weights[names.index(group)] > SEEN
            drawn |= inside
            parts[inside] = PARTS.index(part)
    return drawn, parts
