"""A folder of mesh files, each an object that stands in a face's place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.errors import ModelError
from dcign.facegen.objects.collection import Collection, Solid, packed
from dcign.facegen.objects.reading import read_soup
from dcign.facegen.objects.simplification import simplified
from dcign.facegen.objects.soup import Soup, normalised, welded
from dcign.progress import StageProgress

EXTENSIONS = (".glb", ".gltf", ".obj", ".off", ".ply", ".stl")
UP = ("y", "z")
LICENCE = "that of the meshes, which are not dcign's"
LISTED = 3  # files that a sentence names; the others it counts
MOST_VERTICES = 60_000  # as drawn: the vertex shader tells 20 objects apart in 32-bit floats


@dataclass(frozen=True)
class MeshFolder:
    """files: its meshes, in order; up: which of their axes points up; sha256: of all in the folder, and of up."""

    path: Path
    files: tuple[Path, ...]
    up: str
    sha256: str


def mesh_folder(path: Path, *, fewest: int, up: str = "y") -> MeshFolder:
    """What is in a folder, at any depth.

    Raises ModelError if it is no folder, cannot be read, or has fewer than `fewest` meshes.
    """
    if up not in UP:
        raise ModelError(f"{up!r} given as the axis that points up; give --up {' or '.join(UP)}.")
    if not path.is_dir():
        raise ModelError(
            f"{path} is {'a file' if path.exists() else 'not there'}; expected a folder of meshes: choose another one."
        )
    try:
        everything = sorted(each for each in path.rglob("*") if each.is_file() and not _hidden(each, path))
        files = tuple(each for each in everything if each.suffix.lower() in EXTENSIONS)
        if len(files) < fewest:
            raise ModelError(
                f"{path} holds {len(files)} meshes ({', '.join(kind[1:] for kind in EXTENSIONS)}); at least {fewest} "
                "are wanted, some of which training never shows: add more."
            )
        digest = hashlib.sha256(f"up {up}\n".encode())
        for each in everything:
            with each.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{each.relative_to(path).as_posix()} {content}\n".encode())
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error}): check its permissions.") from None
    return MeshFolder(path, files, up, digest.hexdigest())


def pack(folder: MeshFolder, triangles: int, progress: StageProgress) -> Collection:
    """Read all meshes of a folder; those of more than so many triangles are simplified to that.

    progress(file, fraction) is called before each.

    Raises ModelError, one sentence, if any cannot be used, or two are the same.
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
            f"{folder.path} holds meshes that cannot be used: {', '.join(wrong[:LISTED])}{more}; expected each "
            "to be an object of its own: mend or remove them."
        )
    source = folder.path.resolve().name
    return Collection(LICENCE, source, folder.sha256, tuple(names), tuple(solids))


def _solid(file: Path, triangles: int, up: str) -> Solid:
    """One file as an object. Raises ModelError, a clause."""
    soup = normalised(welded(_upright(read_soup(file, triangles), up)))
    most = triangles
    while (solid := packed(simplified(soup, most))).extent[0] > MOST_VERTICES:
        most = min(most, len(soup.triangles)) // 2
    return solid


def _upright(soup: Soup, up: str) -> Soup:
    """Turned so that +y is up."""
    if up == "y":
        return soup
    x, y, z = soup.points.T
    return Soup(np.stack([x, z, -y], axis=1), soup.triangles, soup.colours)


def _digest(solid: Solid) -> bytes:
    parts = (solid.positions, solid.triangles, solid.colours)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)
