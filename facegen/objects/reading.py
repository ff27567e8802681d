"""Read one mesh file as triangles with colours: OBJ, PLY, OFF, STL, glTF and GLB.

All parts of a scene keep their positions. A texture becomes vertex colours, at vertices close enough to show it in
small pictures. Factors and vertex colours of glTF are linear light, all other colours sRGB. Transparency is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dcign.arrays import Float64, UInt8
from dcign.errors import ModelError
from dcign.facegen.colour import linear_to_srgb, srgb_to_linear
from dcign.facegen.objects.formats.gltf.reading import read_gltf
from dcign.facegen.objects.formats.obj import read_obj
from dcign.facegen.objects.formats.off import read_off
from dcign.facegen.objects.formats.part import LARGEST, Content, Part, as_bytes, plain
from dcign.facegen.objects.formats.ply import read_ply
from dcign.facegen.objects.formats.stl import read_stl
from dcign.facegen.objects.soup import Soup, joined
from dcign.facegen.objects.subdivision import subdivided
from dcign.foreign import foreign_kind, magic_kind

EDGE_SHARE = 1 / 128  # longest edge of a textured part over the object's extent: about a pixel of a small picture
INWARD = 1e-6  # of the way to a triangle's centre: where a texture repeats, a corner has the colour of its triangle
READERS: dict[str, Callable[[Path], Content]] = {
    ".glb": read_gltf, ".gltf": read_gltf, ".obj": read_obj, ".off": read_off, ".ply": read_ply, ".stl": read_stl,
}  # fmt: skip

OWN_MAGIC: dict[str | None, tuple[str, ...]] = {"a GLB file": (".glb", ".gltf"), "a PLY file": (".ply",)}


def read_mesh(path: Path) -> Content:
    """Read a file. Raises ModelError, whose text is a clause, if it cannot be read or has no triangles."""
    try:
        suffix, magic = path.suffix.lower(), magic_kind(path)
        kind = foreign_kind(path) or (None if suffix in OWN_MAGIC.get(magic, ()) else magic)
        if kind is not None:
            raise ModelError(f"it is {kind}")
        with np.errstate(all="ignore"):  # what overflows is found where coordinates are checked
            content = READERS[suffix](path)
    except MemoryError:
        raise ModelError("it needs more memory than there is") from None
    except OSError as error:
        raise ModelError(f"it cannot be read ({error.strerror or 'input/output error'})") from None
    if not any(len(part.triangles) for part in content.parts):
        raise ModelError("it has no triangles")
    return content


def soup_of(content: Content, most: int) -> Soup:
    """Return all triangles of a mesh. Those with textures are subdivided, into at most `most` in total."""
    parts = [part for part in content.parts if len(part.triangles)]
    low = np.min([part.points[part.triangles].min(axis=(0, 1)) for part in parts], axis=0)
    high = np.max([part.points[part.triangles].max(axis=(0, 1)) for part in parts], axis=0)
    areas = np.array([_area(part) for part in parts])
    shares = most * areas / max(areas.sum(), 1e-300)
    length = EDGE_SHARE * float((high - low).max())
    return joined([_soup(part, length, int(share)) for part, share in zip(parts, shares, strict=True)])


def _area(part: Part) -> float:
    corners = part.points[part.triangles]
    return (
        float(np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum()) / 2
    )


def _soup(part: Part, length: float, most: int) -> Soup:
    """Subdivide a part with a texture, and take the texture's colours."""
    if part.texture is None or part.uv is None:
        return Soup(part.points, part.triangles, plain(len(part.triangles)) if part.colours is None else part.colours)
    places = np.clip(np.nan_to_num(part.uv), -LARGEST, LARGEST)
    corners = [part.points[part.triangles], places, *([] if part.tint is None else [part.tint])]
    vertices = np.concatenate(corners, axis=2).reshape(3 * len(part.triangles), -1)
    triangles = np.arange(len(vertices)).reshape(-1, 3)
    vertices, triangles = subdivided(vertices, triangles, length, most)
    uv = vertices[triangles, 3:5]
    colours = part.texture.colours(uv + INWARD * (uv.mean(axis=1, keepdims=True) - uv))
    if part.tint is not None:
        colours = _tinted(colours, vertices[triangles, 5:])
    return Soup(vertices[:, :3], triangles, colours)


def _tinted(colours: UInt8, light: Float64) -> UInt8:
    """Multiply sRGB colours (T, 3, 3) by linear light (T, 3, 3)."""
    return as_bytes(linear_to_srgb(srgb_to_linear(colours / 255) * light))
