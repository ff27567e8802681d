"""Read STL files by trimesh, and the colours that some programs keep in the two spare bytes of a binary triangle."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from dcign.arrays import Int64, UInt8
from dcign.errors import ModelError
from dcign.facegen.objects.formats.part import GRAY, Content, Part, check_coordinates

HEADER = 80  # bytes of a binary file before its number of triangles


def read_stl(path: Path) -> Content:
    """Read a file. Raises ModelError, whose text is a clause."""
    from trimesh.exchange.stl import load_stl

    content = path.read_bytes()
    try:
        loaded: dict[str, Any] = load_stl(io.BytesIO(content))
    except Exception:  # trimesh fails in many ways
        raise ModelError("it is cut short or no STL file") from None
    solids = list(loaded["geometry"].values()) if "geometry" in loaded else [loaded]
    return Content(tuple(_part(solid, content[:HEADER]) for solid in solids))


def _part(solid: dict[str, Any], header: bytes) -> Part:
    points = np.asarray(solid["vertices"], np.float64).reshape(-1, 3)
    triangles = np.asarray(solid["faces"], np.int64).reshape(-1, 3)
    check_coordinates(points[triangles])
    spare = solid.get("face_attributes", {}).get("stl")
    colours = None if spare is None else _colours(np.asarray(spare).reshape(-1).astype(np.int64), header)
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
