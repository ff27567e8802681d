"""Read a folder of mesh files. Each is an object that takes the place of a face."""

from __future__ import annotations

import hashlib
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.errors import DcignWarning, ModelError
from dcign.facegen.objects.collection import NOTES, Collection, Solid, packed
from dcign.facegen.objects.formats.part import Content
from dcign.facegen.objects.reading import READERS, read_mesh, soup_of
from dcign.facegen.objects.soup import Soup, normalised, simplified, welded
from dcign.printable import printable
from dcign.progress import StageProgress
from dcign.storage.atomic import file_sha256
from dcign.storage.tree import entries_below

EXTENSIONS = tuple(READERS)
UP = ("y", "z")
LICENCE = "that of the meshes, which are not dcign's"
LISTED = 3  # files that a warning names; the others are counted
REFUSED = 40  # files that an error names: one run should name all that are to be repaired
MOST_VERTICES = 60_000  # as drawn: the vertex shader numbers the vertices of 20 objects in 32-bit floats
# What becomes of what is shown only in part, by its kind in collection.NOTES.
CONSEQUENCES = {
    "missing": "Their materials' own colours are used, or gray: add the files, or accept it.",
    "unread": "They are gray where they have no other colour: write the colours in another way, or accept it.",
    "crossing": "Parts of these polygons may be lost: repair them, or accept it.",
}
SKIPPED = "They were left out: replace them by files, or accept it."


class PartlyShownWarning(DcignWarning):
    """Some objects, or entries of their folder, are shown only in part or not at all."""


@dataclass(frozen=True)
class MeshFolder:
    """files: the meshes, in order; up: the axis that points up; sha256: hash of all files and of `up`.

    skipped: entries with the name of a mesh that are no files, and what they are.
    """

    path: Path
    files: tuple[Path, ...]
    up: str
    sha256: str
    skipped: tuple[str, ...] = ()


def mesh_folder(path: Path, *, fewest: int, up: str = "y") -> MeshFolder:
    """Find the meshes of a folder, at any depth, behind links to other folders, too.

    Raises ModelError if the path is no folder, cannot be read, or has fewer than `fewest` meshes; DataError if a file
    cannot be read.
    """
    if up not in UP:
        raise ModelError(f"expected an axis that points up, found {up!r}: give --up {' or '.join(UP)}.")
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise ModelError(f"expected a folder of meshes, found {found} at {path}: choose another one.")
    try:
        entries = [each for each in entries_below(path) if not _hidden(each, path)]
        everything = [each for each in entries if each.is_file()]
        skipped = [
            f"{printable(each.relative_to(path).as_posix())} ({kind})"
            for each in entries
            if each.suffix.lower() in EXTENSIONS and (kind := _special_kind(each))
        ]
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
            f"expected a readable folder, found {error.filename or path} ({error.strerror or error}): check its "
            "permissions."
        ) from None
    return MeshFolder(path, files, up, digest.hexdigest(), tuple(skipped))


def pack(folder: MeshFolder, triangles: int, progress: StageProgress) -> Collection:
    """Read all meshes of a folder, each simplified to at most `triangles` triangles.

    progress(file, fraction) is called before each file. Warns of what is shown only in part. Raises ModelError if a
    mesh cannot be used or equals another.
    """
    solids: list[Solid] = []
    names: list[str] = []
    notes: dict[str, dict[str, tuple[str, ...]]] = {kind: {} for kind in NOTES}
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
        for kind, noted in notes.items():
            if words := getattr(content, kind):
                noted[name] = words
    if wrong:
        more = f" and {len(wrong) - REFUSED} more" if len(wrong) > REFUSED else ""
        raise ModelError(
            f"expected a different object in each mesh of {folder.path}, found {', '.join(wrong[:REFUSED])}{more}: "
            "repair or remove them."
        )
    source = printable(folder.path.resolve().name)
    found = Collection(LICENCE, source, folder.sha256, tuple(names), tuple(solids), **notes, skipped=folder.skipped)
    said = {found.note(kind, LISTED): CONSEQUENCES[kind] for kind in NOTES} | {found.skipped_entries(LISTED): SKIPPED}
    for sentence, consequence in said.items():
        if sentence:
            warnings.warn(f"{sentence}. {consequence}", PartlyShownWarning, stacklevel=2)
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


def _special_kind(path: Path) -> str | None:
    """Return what an entry is that is no file, as a noun phrase, or None."""
    if path.is_file():
        return None
    if path.is_symlink():
        return "a link to nothing"
    return "a pipe" if path.is_fifo() else "a socket or a device"


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)
