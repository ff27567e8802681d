"""Read OFF files of Geomview: polygons, with colours of vertices or faces.

The first word says what a vertex has: [ST][C][N]OFF. Programs that write colours without saying so are understood.
Words may stand on any line. Only a face's colour ends with its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.arrays import Bool, Float64, Int64, UInt8
from dcign.errors import ModelError
from dcign.facegen.objects.formats.part import GRAY, NOT_FINITE, Content, Part, as_bytes
from dcign.facegen.objects.formats.polygons import triangulated
from dcign.facegen.objects.formats.text import colours_as_shares, numbers, table, utf8
from dcign.printable import printable

HEADER = re.compile(rb"(?P<st>ST)?(?P<c>C)?(?P<n>N)?(?P<nc>C)?(?P<four>4)?(?P<dimension>n)?OFF", re.IGNORECASE)
UNANNOUNCED = "colours of vertices (numbers that the header does not announce)"
UNIT = (0.9, 1.1)  # lengths of what are normals, not colours


@dataclass(frozen=True)
class Layout:
    """What stands behind the three coordinates of a vertex."""

    normals: bool = False
    colours: bool = False
    places: bool = False  # texture coordinates

    @property
    def width(self) -> int:
        """How many numbers a vertex has."""
        return 3 + 3 * self.normals + 4 * self.colours + 2 * self.places


def read_off(path: Path) -> Content:
    """Read a file. Raises ModelError, whose text is a clause."""
    content = utf8(path.read_bytes())
    lines = [line for line in (line.partition(b"#")[0].strip() for line in content.splitlines()) if line]
    layout, lines = _layout(lines)
    count, faces, lines = _counts(lines)
    short = f"it is cut short: {count} vertices and {faces} faces are announced"
    rows, rest = _vertex_rows(lines, count, faces, layout)
    if len(rows) < count:
        raise ModelError(short)
    counts, of_faces, behind = _faces(rest, faces, short)
    points, colours, unread = _vertices(rows, layout)
    corners = numbers(b" ".join(of_faces), np.int64)
    triangles, face, crossing = triangulated(points, counts, corners)
    values, has, unread_of_faces = _face_colours(behind)
    unread = [*dict.fromkeys(unread + unread_of_faces)]
    found = np.full((len(triangles), 3, 3), GRAY, np.uint8) if colours is None else colours[corners[triangles]]
    found[has[face]] = values[face[has[face]]][:, None]
    return Content((Part(points, corners[triangles], found),), unread=tuple(unread), crossing=crossing)


def _layout(lines: list[bytes]) -> tuple[Layout, list[bytes]]:
    """Return what the header says, and the lines behind it: the counts may stand on the same line."""
    first = lines[0] if lines else b""
    header = HEADER.match(first)
    if header is None:
        if re.fullmatch(rb"[\d\s]+", first):
            return Layout(), lines  # the word OFF is optional
        raise ModelError(f"it does not begin with the word OFF but with {printable(first.decode('latin-1'))[:20]!r}")
    rest = first[header.end() :].strip()
    if header["four"] or header["dimension"]:
        raise ModelError(f"its vertices are not of three dimensions ({header[0].decode()})")
    if rest.split()[:1] == [b"BINARY"] or lines[1:2] == [b"BINARY"]:
        raise ModelError("it is a binary OFF file, and only those of text are read")
    behind = [rest, *lines[1:]] if rest else lines[1:]
    return Layout(bool(header["n"]), bool(header["c"] or header["nc"]), bool(header["st"])), behind


def _counts(lines: list[bytes]) -> tuple[int, int, list[bytes]]:
    """Return the numbers of vertices and faces, and the lines behind them. Some files leave the third number out."""
    words: list[bytes] = []
    used = 0
    while used < len(lines) and (len(words) < 2 or (len(words) == 2 and len(lines[used].split()) == 1)):
        words += lines[used].split()
        used += 1
    if len(words) < 2 or not all(word.isdigit() for word in words[:2]):
        raise ModelError("it does not say how many vertices and faces it has")
    behind = [b" ".join(words[3:])] if len(words) > 3 else []
    return int(words[0]), int(words[1]), behind + lines[used:]


def _vertex_rows(lines: list[bytes], count: int, faces: int, layout: Layout) -> tuple[list[bytes], list[bytes]]:
    """Return one row for each vertex, and the lines behind them.

    A vertex is a line, which may have more numbers than are announced, or as many words as are announced.
    """
    rows = lines[:count]
    spare = len(lines) - count - faces
    least = 3 + 3 * layout.normals + (3 * layout.colours if spare else 0)  # some files lack the colours they announce
    widths = {len(row.split()) for row in rows}
    uneven = len(rows) > 1 and len(widths) == 1 and min(widths) > layout.width and min(widths) % layout.width > 0
    if uneven or (spare >= 0 and all(width >= least for width in widths)):
        return rows, lines[count:]
    words: list[bytes] = []
    used = 0
    while used < len(lines) and len(words) < count * layout.width:
        words += lines[used].split()
        used += 1
    end = count * layout.width
    rows = [b" ".join(words[at : at + layout.width]) for at in range(0, min(end, len(words)), layout.width)]
    return rows, ([b" ".join(words[end:])] if len(words) > end else []) + lines[used:]


def _faces(lines: list[bytes], count: int, short: str) -> tuple[Int64, list[bytes], list[bytes]]:
    """Return the number of corners of each face (F,), the corners as text, and what stands behind them in its line."""
    sizes: list[int] = []
    corners: list[bytes] = []
    behind: list[bytes] = []
    used = 0
    for _ in range(count):
        words: list[bytes] = []
        size = 0
        while not words or len(words) <= size:
            if used == len(lines):
                raise ModelError(short)
            words += lines[used].split()
            used += 1
            size = _size(words[0])
        sizes.append(size)
        corners.append(b" ".join(words[1 : 1 + size]))
        behind.append(b" ".join(words[1 + size :]))
    if used < len(lines):
        more = sum(len(line.split()) for line in lines[used:])
        raise ModelError(f"it has {more} numbers more than its header announces")
    return np.array(sizes, np.int64), corners, behind


def _size(first: bytes) -> int:
    if not first.isdigit():
        raise ModelError(
            f"it has {printable(first.decode('latin-1'))[:20]!r} in place of the number of a face's corners"
        )
    return int(first)


def _vertices(rows: list[bytes], layout: Layout) -> tuple[Float64, UInt8 | None, list[str]]:
    """Return points (P, 3), their colours (P, 3) or None, and the colours that are not read."""
    values, widths = table(rows)
    if len(values) and widths.min() < 3:
        raise ModelError("it has a vertex of fewer than three coordinates")
    first = 6 if layout.normals else 3
    behind = values[:, first : first + 4]
    whole = not any(b"." in word or b"e" in word.lower() for row in rows for word in row.split()[first : first + 4])
    if layout.colours and behind.shape[1] >= 3:
        unread = [] if np.isfinite(behind[:, :3]).all() else [NOT_FINITE]
        return values[:, :3], _vertex_colours(behind, whole=whole), unread
    if layout.normals or layout.places or behind.shape[1] < 3 or _are_normals(behind):
        return values[:, :3], None, []
    if values.shape[1] in (6, 7) and _looks_like_colours(behind[:, :3]):
        return values[:, :3], _vertex_colours(behind, whole=whole), []
    return values[:, :3], None, [UNANNOUNCED]


def _vertex_colours(values: Float64, *, whole: bool) -> UInt8:
    """Return colours (P, 3) of red, green, blue and alpha (P, 3..4), which all rows together tell to be 0..255 or 0..1.

    Geomview's vertex colours are 0..1, also where all are written as 0 and 1. Other programs write 0..255.
    """
    known = values[np.isfinite(values).all(axis=1)]
    shares = bool(np.isin(known, (0, 1)).all() and (known[:, 3:] == 1).all())
    return as_bytes(colours_as_shares(values[:, :3], whole=whole and not shares))


def _are_normals(values: Float64) -> bool:
    """Return whether columns that the header does not announce are normals."""
    lengths = np.linalg.norm(values, axis=1)
    return values.shape[1] == 3 and bool(((lengths > UNIT[0]) & (lengths < UNIT[1]) | (lengths == 0)).all())


def _looks_like_colours(values: Float64) -> bool:
    """Return whether columns that the header does not announce are colours, not normals."""
    return bool(np.isfinite(values).all() and (values >= 0).all() and (values <= 255).all() and (values > 1).any())


def _face_colours(texts: Sequence[bytes]) -> tuple[UInt8, Bool, list[str]]:
    """Return colours (F, 3), which faces have one (F,), and the colours that are not read.

    A face's whole numbers count to 255, others to 1.
    """
    values, widths = table(texts)
    has = widths >= 3
    unread = ["colours of faces (entries of a table of colours)"] if ((widths > 0) & ~has).any() else []
    colours = np.full((len(texts), 3), GRAY, np.uint8)
    if not has.any():
        return colours, has, unread
    finite = np.isfinite(values[:, :3]).all(axis=1)
    if (has & ~finite).any():
        unread.append(NOT_FINITE)
    has &= finite
    decimal = np.array([b"." in text or b"e" in text.lower() for text in texts])
    shares = values[has, :3]
    largest = np.where(decimal[has] & (shares <= 1).all(axis=1), 1, 255)  # some programs write 127.5
    colours[has] = as_bytes(shares / largest[:, None])
    return colours, has, unread
