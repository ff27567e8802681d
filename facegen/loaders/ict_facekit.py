"""ICT-FaceKit: a folder of .obj meshes, FaceXModel. About centimetres; quads; no colours.

Vertex ranges are those of its README. We draw face, head and neck, the outer eyeballs, and the sockets of mouth and
eyes, which close the slits. The outer eyeball includes a clear cornea, which we draw opaque as its iris. We do not draw
the inner eyeballs, which it covers, nor teeth, lashes and the clear shells in front of the eyes.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from dcign.arrays import Float32, Int32
from dcign.errors import ModelError
from dcign.facegen.loaders.array_file import ADVICE, LARGEST_NUMBER
from dcign.facegen.loaders.content import PARTS, Content
from dcign.facegen.loaders.damage import refuse_foreign
from dcign.facegen.loaders.eyeballs import eyeball_parts, pupil_of

KIND = "ICT-FaceKit folder"
LICENCE = "MIT (ICT-FaceKit light, USC Institute for Creative Technologies)."
NEUTRAL, IDENTITY, MOST_IDENTITIES = "generic_neutral_mesh.obj", "identity{:03d}.obj", 1000
LARGEST = 2**28  # bytes of an .obj file
MOUTH, SOCKETS_END = slice(11248, 13294), 14062
EYEBALLS = {"left": slice(21451, 22221), "right": slice(23021, 23791)}  # the inner ones follow each
COMPLETE = 24591  # vertices up to the end of the inner right eyeball
MILLIMETRES = 10.0  # of its unit, a centimetre
MULTI_PIE_68 = (
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268, 493, 1914,
    2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537,
    1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957,
    5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
)  # fmt: skip


def ict_files(folder: Path) -> list[Path]:
    """Return the neutral mesh, then one file per identity mode. Raise ModelError if one is missing."""
    folder = folder / "FaceXModel" if (folder / "FaceXModel").is_dir() else folder
    if not (folder / NEUTRAL).is_file():
        raise ModelError(f"expected an {KIND}, found no file {NEUTRAL} in {folder}: give the folder FaceXModel.")
    there = [(folder / IDENTITY.format(number)).is_file() for number in range(MOST_IDENTITIES)]
    count = there.index(False) if False in there else len(there)
    if count == 0 or any(there[count:]):
        raise ModelError(
            f"expected identity000.obj and so on without a gap, found no file {IDENTITY.format(count)} in {folder}: "
            "download the folder again."
        )
    return [folder / NEUTRAL, *(folder / IDENTITY.format(number) for number in range(count))]


def read_ict(folder: Path) -> Content:
    """Read a folder. Each identity mesh is the neutral one moved by one standard deviation of its mode."""
    neutral, *identities = ict_files(folder)
    lines = _lines(neutral)
    mean = _points(neutral, lines)
    basis = np.empty((*mean.shape, len(identities)), np.float32)
    for mode, path in enumerate(identities):
        points = _points(path, _lines(path))
        if len(points) != len(mean):
            raise ModelError(
                f"expected {len(mean):,} vertices as in {NEUTRAL}, found {len(points):,} in {path}: {ADVICE}"
            )
        basis[:, :, mode] = points - mean
    parts, drawn = np.zeros(len(mean), np.uint8), np.zeros(len(mean), bool)
    drawn[:SOCKETS_END], parts[MOUTH] = True, PARTS.index("mouth")
    complete = len(mean) >= COMPLETE  # the eyes and the 68 iBUG points are published for the complete mesh
    landmarks: dict[str, int] = {}
    if complete:
        landmarks |= {f"ibug_{number}": vertex for number, vertex in enumerate(MULTI_PIE_68, 1)}
        for side, eyeball in EYEBALLS.items():
            drawn[eyeball], parts[eyeball] = True, eyeball_parts(mean[eyeball] * np.float32(MILLIMETRES))
            landmarks[f"pupil_{side}"] = eyeball.start + pupil_of(mean[eyeball])
    return Content(
        name="ICT-FaceKit",
        licence=LICENCE,
        deviations="identity meshes minus the neutral mesh",
        millimetres=MILLIMETRES,
        mean=mean,
        basis=basis,
        triangles=_triangles(neutral, lines, len(mean)),
        parts=parts,
        drawn=drawn,
        landmarks=landmarks,
    )


def _lines(path: Path) -> list[bytes]:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ModelError(f"expected at most {LARGEST:,} bytes, found {size:,} in {path}: {ADVICE}")
        refuse_foreign(path, "an .obj mesh")
        return path.read_bytes().splitlines()
    except OSError as error:
        raise ModelError(f"expected a readable file, found {path} ({error.strerror}): check its permissions.") from None


def _points(path: Path, lines: list[bytes]) -> Float32:
    """Return the vertices (V, 3) of a Wavefront .obj mesh."""
    try:
        rows = [line.split()[1:4] for line in lines if line.startswith(b"v ")]
        points = np.array(rows, np.float64).reshape(-1, 3)
    except ValueError:
        raise ModelError(f"expected three numbers per vertex, found other text in {path}: {ADVICE}") from None
    if not len(points):
        raise ModelError(f"expected an .obj mesh, found no vertices in {path}: {ADVICE}")
    wrong = ~(np.abs(points) <= LARGEST_NUMBER)  # also what is not a number
    if wrong.any():
        raise ModelError(
            f"expected finite numbers up to {LARGEST_NUMBER:.0e}, found {points[wrong][0]:g} in vertex "
            f"{int(wrong.any(1).argmax()) + 1} of {path}: {ADVICE}"
        )
    return points.astype(np.float32)


def _triangles(path: Path, lines: list[bytes], vertices: int) -> Int32:
    """Return the triangles (T, 3), from 0, of an .obj mesh. A polygon becomes a fan about its first corner."""
    triangles = []
    try:
        for line in lines:
            if line.startswith(b"f "):
                first, *others = (_corner(corner, vertices) for corner in line.split()[1:])
                triangles += [(first, a, b) for a, b in pairwise(others)]
        cells = np.array(triangles, np.int64).reshape(-1, 3)
    except ValueError:
        raise ModelError(f"expected a list of vertices per face, found other text in {path}: {ADVICE}") from None
    if not len(cells) or cells.min() < 0 or cells.max() >= vertices:
        raise ModelError(f"expected faces among {vertices:,} vertices, found none or others in {path}: {ADVICE}")
    return cells.astype(np.int32)


def _corner(corner: bytes, vertices: int) -> int:
    """Return the vertex, from 0, of a corner such as 7, 7/2, 7/2/3 or -1."""
    number = int(corner.split(b"/", 1)[0])
    return number - 1 if number > 0 else vertices + number
