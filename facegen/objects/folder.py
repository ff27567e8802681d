"""Read a folder of mesh files. Each is an object that takes the place of a face."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.errors import ModelError
from dcign.facegen.objects.collection import Collection, Solid, packed
from dcign.facegen.objects.reading import read_soup
from dcign.facegen.objects.soup import Soup, normalised, simplified, welded
from dcign.progress import StageProgress
from dcign.storage.atomic import file_sha256

EXTENSIONS = (".glb", ".gltf", ".obj", ".off", ".ply", ".stl")
UP = ("y", "z")
LICENCE = "that of the meshes, which are not dcign's"
LISTED = 3  # files that an error names; the others are counted
MOST_VERTICES = 60_000  # as drawn: the vertex shader numbers the vertices of 20 objects in 32-bit floats


@dataclass(frozen=True)
class MeshFolder:
    """files: the meshes, in order; up: the axis that points up; sha256: hash of all files and of `up`."""

    path: Path
    files: tuple[Path, ...]
    up: str
    sha256: str


def mesh_folder(path: Path, *, fewest: int, up: str = "y") -> MeshFolder:
    """Find the meshes of a folder, at any depth.

    Raises ModelError if the path is no folder, cannot be read, or has fewer than `fewest` meshes; DataError if a file
    cannot be read.
    """
    if up not in UP:
        raise ModelError(f"expected an axis that points up, found {up!r}: give --up {' or '.join(UP)}.")
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise ModelError(f"expected a folder of meshes, found {found} at {path}: choose another one.")
    try:
        everything = sorted(each for each in path.rglob("*") if each.is_file() and not _hidden(each, path))
        files = tuple(each for each in everything if each.suffix.lower() in EXTENSIONS)
        if len(files) < fewest:
            raise ModelError(
                f"expected at least {fewest} meshes ({', '.join(kind[1:] for kind in EXTENSIONS)}), some of which are "
                f"held out of training, found {len(files)} meshes in {path}: add more."
            )
        digest = hashlib.sha256(f"up {up}\n".encode())
        for each in everything:
            digest.update(f"{each.relative_to(path).as_posix()} {file_sha256(each)}\n".encode())
    except OSError as error:
        raise ModelError(
            f"expected a readable folder, found {path} ({error.strerror or error}): check its permissions."
        ) from None
    return MeshFolder(path, files, up, digest.hexdigest())


def pack(folder: MeshFolder, triangles: int, progress: StageProgress) -> Collection:
    """Read all meshes of a folder, each simplified to at most `triangles` triangles.

    progress(file, fraction) is called before each file. Raises ModelError if a mesh cannot be used or equals another.
    """
    solids: list[Solid] = []
    names: list[str] = []
    wrong: list[str] = []
    seen: dict[bytes, str] = {}
    for number, file in enumerate(folder.files):
        name = file.relative_to(folder.path).as_posix()
        progress(name, number / len(folder.files))
        try:
            solid = _solid(file, triangles, folder.up)
        except ModelError as error:
            wrong.append(f"{name} ({error})")
            continue
        first = seen.setdefault(_digest(solid), name)
        if first != name:
            wrong.append(f"{name} (it is the same as {first})")
        solids.append(solid)
        names.append(name)
    if wrong:
        more = f" and {len(wrong) - LISTED} more" if len(wrong) > LISTED else ""
        raise ModelError(
            f"expected a different object in each mesh of {folder.path}, found {', '.join(wrong[:LISTED])}{more}: "
            "repair or remove them."
        )
    source = folder.path.resolve().name
    return Collection(LICENCE, source, folder.sha256, tuple(names), tuple(solids))


def _solid(file: Path, triangles: int, up: str) -> Solid:
    """Read one file as an object. Raise ModelError, whose text is a clause."""
    soup = normalised(welded(_upright(read_soup(file, triangles), up)))
    most = triangles
    while (solid := packed(simplified(soup, most))).extent[0] > MOST_VERTICES:
        most = min(most, len(soup.triangles)) // 2
    return solid


def _upright(soup: Soup, up: str) -> Soup:
    """Rotate the soup so that +y points up."""
    if up == "y":
        return soup
    x, y, z = soup.points.T
    return Soup(np.stack([x, z, -y], axis=1), soup.triangles, soup.colours)


def _digest(solid: Solid) -> bytes:
    parts = (solid.positions, solid.triangles, solid.colours)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)
