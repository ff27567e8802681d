"""Read a folder of mesh files. Each is an object that takes the place of a face."""

from __future__ import annotations

import hashlib
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.errors import DcignWarning, ModelError
from dcign.facegen.objects.collection import Collection, Solid, packed
from dcign.facegen.objects.formats.part import Content
from dcign.facegen.objects.reading import READERS, read_mesh, soup_of
from dcign.facegen.objects.soup import Soup, normalised, simplified, welded
from dcign.printable import printable
from dcign.progress import StageProgress
from dcign.storage.atomic import file_sha256

EXTENSIONS = tuple(READERS)
UP = ("y", "z")
LICENCE = "that of the meshes, which are not dcign's"
LISTED = 3  # files that an error names; the others are counted
MOST_VERTICES = 60_000  # as drawn: the vertex shader numbers the vertices of 20 objects in 32-bit floats
WITHOUT_TEXTURE = "Their materials' own colours are used, or gray: add the files, or accept it."


class MissingTexturesWarning(DcignWarning):
    """Some objects name pictures or materials that cannot be read."""


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
            digest.update(os.fsencode(f"{each.relative_to(path).as_posix()} {file_sha256(each)}\n"))
    except OSError as error:
        raise ModelError(
            f"expected a readable folder, found {path} ({error.strerror or error}): check its permissions."
        ) from None
    return MeshFolder(path, files, up, digest.hexdigest())


def pack(folder: MeshFolder, triangles: int, progress: StageProgress) -> Collection:
    """Read all meshes of a folder, each simplified to at most `triangles` triangles.

    progress(file, fraction) is called before each file. Warns of missing textures. Raises ModelError if a mesh cannot
    be used or equals another.
    """
    solids: list[Solid] = []
    names: list[str] = []
    missing: dict[str, tuple[str, ...]] = {}
    wrong: list[str] = []
    seen: dict[bytes, str] = {}
    for number, file in enumerate(folder.files):
        name = printable(file.relative_to(folder.path).as_posix())
        progress(name, number / len(folder.files))
        try:
            content = read_mesh(file)
            solid = _solid(content, triangles, folder.up)
        except ModelError as error:
            wrong.append(f"{name} ({error})")
            continue
        first = seen.setdefault(_digest(solid), name)
        if first != name:
            wrong.append(f"{name} (it is the same as {first})")
        solids.append(solid)
        names.append(name)
        if content.missing:
            missing[name] = content.missing
    if wrong:
        more = f" and {len(wrong) - LISTED} more" if len(wrong) > LISTED else ""
        raise ModelError(
            f"expected a different object in each mesh of {folder.path}, found {', '.join(wrong[:LISTED])}{more}: "
            "repair or remove them."
        )
    source = printable(folder.path.resolve().name)
    found = Collection(LICENCE, source, folder.sha256, tuple(names), tuple(solids), missing)
    if missing:
        warnings.warn(f"{found.missing_textures(LISTED)}. {WITHOUT_TEXTURE}", MissingTexturesWarning, stacklevel=2)
    return found


def _solid(content: Content, triangles: int, up: str) -> Solid:
    """Prepare a mesh as an object. Raise ModelError, whose text is a clause."""
    soup = simplified(normalised(welded(_upright(soup_of(content, triangles), up))), triangles)
    while (solid := packed(soup)).extent[0] > MOST_VERTICES:
        fewer = simplified(soup, len(soup.triangles) // 2)
        if len(fewer.triangles) == len(soup.triangles):
            raise ModelError(f"{len(soup.triangles):,} of its triangles are apart and cannot be merged into fewer")
        soup = fewer
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
