"""Read STL files, of text or binary, and the colours that some programs keep in the two spare bytes of a triangle.

trimesh drops each solid of a text without its closing line, and reads a binary file with bytes behind it as a text.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dcign.arrays import Int64, UInt8
from dcign.errors import ModelError
from dcign.facegen.objects.formats.part import GRAY, Content, Part, check_coordinates
from dcign.facegen.objects.formats.polygons import triangulated
from dcign.facegen.objects.formats.text import numbers, utf8

HEADER = 80  # bytes of a binary file before its number of triangles
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("spare", "<u2")])
# The lines that open and close a solid, with its name, which may be any words but those that open a facet.
NAMES = re.compile(rb"\b(?:end\s*)?solid\b[^\r\n]*?(?=\bfacet\s+normal\b|[\r\n]|$)")


def read_stl(path: Path) -> Content:
    """Read a file. Raises ModelError, whose text is a clause."""
    content = path.read_bytes()
    announced = int.from_bytes(content[HEADER : HEADER + 4], "little")
    size = HEADER + 4 + announced * TRIANGLE.itemsize
    text = utf8(content).lstrip()
    if text[:5].lower() == b"solid" and b"\0" not in text[: HEADER + 4] and len(content) != size:
        return Content((_text(text.lower()),))
    if len(content) < HEADER + 4 or b"\0" not in content[: HEADER + 4]:
        raise ModelError("it is cut short or no STL file")
    if len(content) < size:
        held = (len(content) - HEADER - 4) // TRIANGLE.itemsize
        raise ModelError(f"it is cut short: it announces {announced} triangles and holds {held}")
    behind = content[size:]
    if len(behind) >= TRIANGLE.itemsize and behind.strip(b"\0"):
        raise ModelError(f"it announces {announced} triangles, and {len(behind)} bytes stand behind them")
    return Content((_binary(content, announced),))


def _text(text: bytes) -> Part:
    """Return the facets of all solids of a text in small letters, whether a line closes them or not."""
    body = NAMES.sub(b"", text)
    before, *pieces = re.split(rb"\bouter\s+loop\b", body)
    loops = [piece.partition(b"endloop") for piece in pieces]
    whole = loops[-1][2].split() == [b"endfacet"] if loops else not before.strip()
    if not whole or len(re.findall(rb"\bfacet\b", body)) != len(loops):
        raise ModelError(f"it is cut short in facet {max(len(loops), 1)}")
    broken = next((place for place, (_, end, _) in enumerate(loops, 1) if not end), None)
    if broken is not None:
        raise ModelError(f"it is cut short in facet {broken}")
    counts = np.array([loop.count(b"vertex") for loop, _, _ in loops], np.int64)
    widths = np.array([len(loop.split()) for loop, _, _ in loops], np.int64)
    wrong = np.flatnonzero((widths != 4 * counts) | (counts < 3))
    if len(wrong):
        raise ModelError(f"its facet {wrong[0] + 1} has not three coordinates for each of three corners")
    values = numbers(b" ".join(loop for loop, _, _ in loops).replace(b"vertex", b" "), np.float64)
    if len(values) != 3 * counts.sum():
        raise ModelError("it has a facet with a corner of fewer than three coordinates")
    points = values.reshape(-1, 3)
    triangles, _, _ = triangulated(points, counts, np.arange(len(points)))  # whose facets are triangles
    return Part(points, triangles)


def _binary(content: bytes, count: int) -> Part:
    found = np.frombuffer(content, TRIANGLE, count, HEADER + 4)
    points = found["corners"].astype(np.float64).reshape(-1, 3)
    check_coordinates(points)
    colours = _colours(found["spare"].astype(np.int64), content[:HEADER])
    triangles = np.arange(len(points)).reshape(-1, 3)
    return Part(points, triangles, None if colours is None else np.repeat(colours[:, None], 3, axis=1))


def _colours(spare: Int64, header: bytes) -> UInt8 | None:
    """Return the colours (T, 3) of triangles, or None.

    Five bits for each channel. Magics names a colour of the whole object in the header (COLOR=), keeps red in the
    lowest bits and sets the highest bit where that colour holds. VisCAM and SolidView keep blue in the lowest bits and
    set the highest bit where the triangle's own colour holds.
    """
    place = header.find(b"COLOR=")
    own = spare < 1 << 15 if place >= 0 else spare >= 1 << 15
    if place < 0 and not own.any():
        return None
    channels = np.stack([spare & 31, spare >> 5 & 31, spare >> 10 & 31], axis=1)
    whole = np.frombuffer(header[place + 6 : place + 9].ljust(3, b"\0"), np.uint8) if place >= 0 else [GRAY] * 3
    colours = channels if place >= 0 else channels[:, ::-1]
    return np.where(own[:, None], np.round(colours * (255 / 31)), whole).astype(np.uint8)
