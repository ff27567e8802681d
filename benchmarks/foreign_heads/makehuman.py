"""The heads of MakeHuman as a face model: base.obj, the mesh of a whole body, and targets that move its vertices.

The mesh is in decimetres, +y up, and faces +z. Groups name its parts: `body`, eyeballs, and cubes at the joints. The
twelve targets of adults (three origins, two sexes, young and old) give twelve heads. Their principal components are the
model's modes, so a random person is a mixture of them.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError
from dcign.arrays import Bool, Float64, Int32, IntP
from dcign.facegen.loaders.content import Content
from dcign.facegen.loaders.conversion import to_model
from dcign.facegen.loaders.eyeballs import eyeball_parts, pupil_of
from dcign.facegen.model.morphable import MorphableModel
from dcign.storage.atomic import file_sha256

BASE, TARGETS = Path("3dobjs/base.obj"), Path("targets/macrodetails")
PEOPLE = [f"{origin}-{sex}-{age}.target" for origin in ("african", "asian", "caucasian")
          for sex in ("female", "male") for age in ("old", "young")]  # fmt: skip
EYES = {"left": "helper-l-eye", "right": "helper-r-eye"}
BODY, NECK = "body", "joint-neck"
MILLIMETRES = 100.0  # of its unit, a decimetre
BELOW_NECK = 0.35  # decimetres
SMALL = 1e-3  # of the first component's deviation: below it, a component is rounding


def makehuman_model(folder: Path) -> MorphableModel:
    """Return the face model of MakeHuman's folder `data`, or of the folder that holds `makehuman/data`.

    Raises BenchmarkError if its files are missing or damaged.
    """
    data = next(
        (each for each in (folder, folder / "data", folder / "makehuman/data") if (each / BASE).is_file()), None
    )
    if data is None:
        raise BenchmarkError(f"expected MakeHuman's {BASE} in {folder}, found no such file: give its folder data.")
    try:
        points, faces = _read_base(data / BASE)
        eyes = np.concatenate([np.unique(faces[name]) for name in EYES.values()])
        bodies = np.stack([points + _moves(data / TARGETS / name, len(points)) for name in PEOPLE])
        bodies += (points[eyes] - bodies[:, eyes]).mean(axis=1, keepdims=True)  # people differ in height, too
        content = _content(bodies, faces)
    except OSError as error:
        raise BenchmarkError(
            f"expected a readable file, found {error.filename} ({error.strerror}): download MakeHuman again."
        ) from None
    except (ValueError, IndexError, KeyError):
        raise BenchmarkError(
            f"expected MakeHuman's meshes in {data}, found damaged ones: download them again."
        ) from None
    return to_model(content, BASE.name, file_sha256(data / BASE))


def _content(bodies: Float64, faces: dict[str, Int32]) -> Content:
    """Return the heads of bodies (P, V, 3) as a model of their mean and principal components."""
    mean = bodies.mean(axis=0)
    eyeballs = {side: np.unique(faces[name]).astype(np.intp) for side, name in EYES.items()}
    parts = np.zeros(len(mean), np.uint8)
    for eyeball in eyeballs.values():
        parts[eyeball] = eyeball_parts((mean[eyeball] * MILLIMETRES).astype(np.float32))
    centred = (bodies - mean).reshape(len(bodies), -1)
    drawn = _drawn(mean, faces, list(eyeballs.values()))
    _, deviations, modes = np.linalg.svd(centred * np.repeat(drawn, 3), full_matrices=False)
    deviations /= np.sqrt(len(bodies) - 1)
    kept = deviations > SMALL * deviations[0]
    basis = (deviations[kept, None] * modes[kept]).reshape(-1, *mean.shape)
    return Content(
        name="MakeHuman",
        licence="CC0 (MakeHuman).",
        deviations="principal components of its twelve targets of adults",
        millimetres=MILLIMETRES,
        mean=mean.astype(np.float32),
        basis=np.ascontiguousarray(np.moveaxis(basis, 0, 2), np.float32),
        triangles=np.concatenate([faces[BODY], *(faces[name] for name in EYES.values())]),
        parts=parts,
        drawn=drawn,
        landmarks={f"pupil_{side}": int(ball[pupil_of(mean[ball])]) for side, ball in eyeballs.items()},
    )


def _drawn(mean: Float64, faces: dict[str, Int32], eyeballs: list[IntP]) -> Bool:
    """Return which vertices (V,) belong to the head: the body from BELOW_NECK under the neck's joint on, and eyes."""
    drawn = np.zeros(len(mean), bool)
    drawn[faces[BODY]] = True
    drawn &= mean[:, 1] > mean[np.unique(faces[NECK]), 1].mean() - BELOW_NECK
    for eyeball in eyeballs:
        drawn[eyeball] = True
    return drawn


def _read_base(path: Path) -> tuple[Float64, dict[str, Int32]]:
    """Return the vertices (V, 3) of a Wavefront .obj mesh, and the triangles (T, 3) of each group."""
    points: list[list[str]] = []
    found: dict[str, list[tuple[int, int, int]]] = {}
    group = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            points.append(rest[:3])
        elif word == "g":
            group = rest[0]
        elif word == "f":
            first, *others = (int(corner.split("/", 1)[0]) - 1 for corner in rest)
            found.setdefault(group, []).extend((first, a, b) for a, b in pairwise(others))
    return np.array(points, np.float64), {name: np.array(rows, np.int32) for name, rows in found.items()}


def _moves(path: Path, vertices: int) -> Float64:
    """Return by how much a target moves each vertex: (V, 3)."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    table = np.array(rows, np.float64)
    moves = np.zeros((vertices, 3))
    moves[table[:, 0].astype(np.intp)] = table[:, 1:4]
    return moves
