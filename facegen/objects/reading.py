"""Read one mesh file as triangles with colours: OBJ, PLY, GLB and the other formats of trimesh.

All parts of a scene keep their positions. A texture becomes vertex colours, at vertices close enough to show it in
small pictures. Factors and vertex colours of glTF are linear light, all other colours sRGB. Transparency is ignored.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from dcign.arrays import Float64, Int64, UInt8
from dcign.errors import ModelError
from dcign.facegen.colour import linear_to_srgb, srgb_to_linear
from dcign.facegen.objects.soup import NOT_FINITE, Soup, joined
from dcign.facegen.objects.subdivision import subdivided

GRAY = 188  # sRGB of objects without colour: they reflect half of the light
TEXTURE_TEXELS = 256  # of the longer side of a texture after averaging: finer detail would alias between vertices
EDGE_SHARE = 1 / 128  # longest edge of a textured part over the object's extent: about a pixel of a small picture
GLTF = (".glb", ".gltf")


def read_soup(path: Path, most: int) -> Soup:
    """Read all triangles of a file. Triangles with textures are subdivided, into at most `most` in total.

    Raises ModelError, whose text is a clause, if the file cannot be read or has no triangles.
    """
    parts = [part for part in _parts(path) if len(getattr(part, "faces", ()))]
    if not parts:
        raise ModelError("it has no triangles")
    if not all(np.isfinite(part.vertices).all() for part in parts):
        raise ModelError(NOT_FINITE)
    points = np.concatenate([part.vertices.reshape(-1, 3) for part in parts])
    length = EDGE_SHARE * float(np.ptp(points, axis=0).max())
    areas = np.array([float(part.area) for part in parts])
    shares = most * areas / max(areas.sum(), 1e-300)
    linear = path.suffix.lower() in GLTF
    return joined([_soup(part, length, int(share), linear) for part, share in zip(parts, shares, strict=True)])


def _parts(path: Path) -> list[Any]:  # Any: trimesh's geometries
    import trimesh

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about defects of a file: the important ones are checked here
            return list(trimesh.load_scene(path, process=False).dump())  # merging points would lose their colours
    except MemoryError:
        raise ModelError("it needs more memory than there is") from None
    except Exception as error:  # each loader of trimesh fails in its own way
        reason = (str(error).splitlines() or [""])[0].rstrip(".") or type(error).__name__
        raise ModelError(f"it cannot be read: {reason}"[:160]) from None


def _soup(part: Any, length: float, most: int, linear: bool) -> Soup:
    """Convert one geometry of trimesh. linear: its factors and vertex colours are linear light."""
    points, triangles = np.asarray(part.vertices, np.float64), np.asarray(part.faces, np.int64)
    uv, image = _texture(part)
    if uv is None:
        return Soup(points, triangles, _plain_colours(part, triangles, linear))
    vertices, triangles = subdivided(np.concatenate([points, uv], axis=1), triangles, length, most)
    from trimesh.visual.color import uv_to_interpolated_color

    found = np.asarray(uv_to_interpolated_color(vertices[:, 3:], image))[:, :3]
    return Soup(vertices[:, :3], triangles, _tinted(found, part.visual.material)[triangles])


def _texture(part: Any) -> tuple[Float64 | None, Any]:
    """Return texture coordinates (V, 2) and the texture as a small image; None and None without a texture."""
    material = getattr(part.visual, "material", None)
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    uv = getattr(part.visual, "uv", None)
    if image is None or uv is None or np.shape(uv) != (len(part.vertices), 2):
        return None, None
    image = image.convert("RGB")
    image.thumbnail((TEXTURE_TEXELS, TEXTURE_TEXELS), resample=4)  # PIL's BOX: the mean of what a texel covers
    return np.nan_to_num(np.asarray(uv, np.float64)), image


def _tinted(colours: UInt8, material: Any) -> UInt8:
    """Multiply the colours (V, 3) of a texture by glTF's factor. Other materials have none."""
    factor = getattr(material, "baseColorFactor", None)
    if factor is None:
        return colours
    light = srgb_to_linear(colours / 255) * np.asarray(factor, np.float64)[:3] / 255
    return _bytes(linear_to_srgb(light))


def _plain_colours(part: Any, triangles: Int64, linear: bool) -> UInt8:
    """Return the colours of corners (T, 3, 3) without a texture: those of vertices, faces or a material, or gray."""
    visual = part.visual
    material = getattr(visual, "material", None)
    colours = np.full((len(triangles), 3, 3), GRAY, np.uint8)
    if material is not None:
        if getattr(material, "main_color", None) is not None:
            colours[:] = np.asarray(material.main_color)[:3]
    elif visual.kind == "vertex":
        colours = np.asarray(visual.vertex_colors)[triangles, :3]
    elif visual.kind == "face":
        colours[:] = np.asarray(visual.face_colors)[:, None, :3]
    else:
        return colours
    return _bytes(linear_to_srgb(colours / 255)) if linear else colours.astype(np.uint8)


def _bytes(colours: Float64) -> UInt8:
    return np.round(255 * colours).astype(np.uint8)
