"""Read OFF files of Geomview: polygons, with colours of vertices or faces.

The first word says what a vertex has: [ST][C][N]OFF. Programs that write colours without saying so are understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.arrays import Bool, Float64, UInt8
from dcign.errors import ModelError
from dcign.facegen.objects.formats.part import GRAY, Content, Part, as_bytes
from dcign.facegen.objects.formats.polygons import triangulated
from dcign.facegen.objects.formats.text import colours_as_shares, numbers, table, utf8
from dcign.printable import printable

HEADER = re.compile(rb"(?P<st>ST)?(?P<c>C)?(?P<n>N)?(?P<nc>C)?(?P<four>4)?(?P<dimension>n)?OFF", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """What stands behind the three coordinates of a vertex."""

    normals: bool = False
    colours: bool = False


def read_off(path: Path) -> Content:
    """Read a file. Raises ModelError, whose text is a clause."""
    content = utf8(path.read_bytes())
    lines = [line for line in (line.partition(b"#")[0].strip() for line in content.splitlines()) if line]
    layout, lines = _layout(lines)
    count, faces = _counts(lines)
    if len(lines) < 1 + count + faces:
        raise ModelError(f"it is cut short: {count} vertices and {faces} faces are announced")
    points, colours = _vertices(lines[1 : 1 + count], layout)
    rows = lines[1 + count : 1 + count + faces]
    counts = np.array([_size(row) for row in rows], np.int64)
    words = [row.split() for row in rows]
    if any(len(row) <= size for row, size in zip(words, counts, strict=True)):
        raise ModelError("it has a face with fewer corners than it announces")
    of_faces = [row[1 : 1 + size] for row, size in zip(words, counts.tolist(), strict=True)]
    corners = numbers(b" ".join(word for row in of_faces for word in row), np.int64)
    triangles, face = triangulated(points, counts, corners)
    painted = _face_colours([b" ".join(row[1 + size :]) for row, size in zip(words, counts.tolist(), strict=True)])
    found = np.full((len(triangles), 3, 3), GRAY, np.uint8) if colours is None else colours[corners[triangles]]
    if painted is not None:
        values, has = painted
        found[has[face]] = values[face[has[face]]][:, None]
    return Content((Part(points, corners[triangles], found),))


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
    return Layout(bool(header["n"]), bool(header["c"] or header["nc"])), behind


def _counts(lines: list[bytes]) -> tuple[int, int]:
    """Return the numbers of vertices and faces."""
    words = lines[0].split() if lines else []
    if len(words) < 2 or not all(word.isdigit() for word in words[:2]):
        raise ModelError("it does not say how many vertices and faces it has")
    return int(words[0]), int(words[1])


def _size(row: bytes) -> int:
    first = row.split(None, 1)[0]
    if not first.isdigit():
        raise ModelError(
            f"it has {printable(first.decode('latin-1'))[:20]!r} in place of the number of a face's corners"
        )
    return int(first)


def _vertices(rows: list[bytes], layout: Layout) -> tuple[Float64, UInt8 | None]:
    """Return points (P, 3) and their colours (P, 3), or None."""
    values, widths = table(rows)
    if len(values) and widths.min() < 3:
        raise ModelError("it has a vertex of fewer than three coordinates")
    first = 6 if layout.normals else 3
    behind = values[:, first : first + 3]
    announced = layout.colours or (not layout.normals and values.shape[1] in (6, 7) and _looks_like_colours(behind))
    if not announced or behind.shape[1] < 3:
        return values[:, :3], None
    whole = not any(b"." in b"".join(row.split()[first:]) for row in rows[:100])
    return values[:, :3], as_bytes(colours_as_shares(behind, whole=whole))


def _looks_like_colours(values: Float64) -> bool:
    """Return whether columns that the header does not announce are colours, not normals."""
    return bool(np.isfinite(values).all() and (values >= 0).all() and (values <= 255).all() and (values > 1).any())


def _face_colours(texts: list[bytes]) -> tuple[UInt8, Bool] | None:
    """Return colours (F, 3) and which faces have one (F,), or None. One number is an entry of a table of colours."""
    values, widths = table(texts)
    has = widths >= 3
    if not has.any():
        return None
    colours = np.full((len(texts), 3), GRAY, np.uint8)
    whole = not any(b"." in text for text in texts)
    colours[has] = as_bytes(colours_as_shares(values[has, :3], whole=whole))
    return colours, has
