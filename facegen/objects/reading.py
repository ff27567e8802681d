"""One mesh file as triangles with colours: OBJ, PLY, GLB and what else trimesh reads, all its parts in their places.

A texture becomes colours of vertices, close enough together to show it in small pictures. glTF's factors and vertex
colours are linear light, all other colours sRGB. What is transparent is drawn as if it were not.
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

GRAY = 188  # sRGB of what has no colour: half of the light comes back
TEXTURE_TEXELS = 256  # of a texture's longer side, averaged: finer detail would alias between vertices
EDGE_SHARE = 1 / 128  # of the object's extent, between a textured part's vertices: about a pixel of a small picture
GLTF = (".glb", ".gltf")


def read_soup(path: Path, most: int) -> Soup:
    """All triangles of a file; those with textures are cut into up to `most` altogether.

    Raises ModelError, a clause to put into a sentence, if the file cannot be read or holds no triangles.
    """
    parts = [part for part in _parts(path) if len(getattr(part, "faces", ()))]
    if not parts:
        raise ModelError("it has no triangles")
    if not all(np.isfinite(part.vertices).all() for part in parts):
        raise ModelError(NOT_FINITE)
    bounds = (
        np.array([part.vertices.reshape(-1, 3).min(axis=0) for part in parts]),
        np.array([part.vertices.reshape(-1, 3).max(axis=0) for part in parts]),
    )
    length = EDGE_SHARE * float((bounds[1].max(axis=0) - bounds[0].min(axis=0)).max())
    areas = np.array([float(part.area) for part in parts])
    shares = most * areas / max(areas.sum(), 1e-300)
    linear = path.suffix.lower() in GLTF
    return joined([_soup(part, length, int(share), linear) for part, share in zip(parts, shares, strict=True)])


def _parts(path: Path) -> list[Any]:  # Any: trimesh's geometries
    import trimesh

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is amiss in a file; what matters is checked here
            return list(trimesh.load_scene(path, process=False).dump())  # merged points would lose their colours
    except MemoryError:
        raise ModelError("it asks for more memory than there is") from None
    except Exception as error:  # trimesh's loaders fail each in their own way
        said = (str(error).splitlines() or [""])[0].rstrip(".") or type(error).__name__
        raise ModelError(f"it cannot be read: {said}"[:160]) from None


def _soup(part: Any, length: float, most: int, linear: bool) -> Soup:
    """One geometry of trimesh. linear: its factors and vertex colours are linear light."""
    points, triangles = np.asarray(part.vertices, np.float64), np.asarray(part.faces, np.int64)
    uv, image = _texture(part)
    if uv is None:
        return Soup(points, triangles, _plain_colours(part, triangles, linear))
    vertices, triangles = subdivided(np.concatenate([points, uv], axis=1), triangles, length, most)
    from trimesh.visual.color import uv_to_interpolated_color

    found = np.asarray(uv_to_interpolated_color(vertices[:, 3:], image))[:, :3]
    return Soup(vertices[:, :3], triangles, _tinted(found, part.visual.material)[triangles])


def _texture(part: Any) -> tuple[Float64 | None, Any]:
    """Where each vertex is on its texture (V, 2), and the texture as a small image; None if it has none."""
    material = getattr(part.visual, "material", None)
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    uv = getattr(part.visual, "uv", None)
    if image is None or uv is None or np.shape(uv) != (len(part.vertices), 2):
        return None, None
    image = image.convert("RGB")
    image.thumbnail((TEXTURE_TEXELS, TEXTURE_TEXELS), resample=4)  # PIL's BOX: the mean of what a texel covers
    return np.nan_to_num(np.asarray(uv, np.float64)), image


def _tinted(colours: UInt8, material: Any) -> UInt8:
    """A texture's colours (V, 3) times glTF's factor, which other materials do not have."""
    factor = getattr(material, "baseColorFactor", None)
    if factor is None:
        return colours
    light = srgb_to_linear(colours / 255) * np.asarray(factor, np.float64)[:3] / 255
    return _bytes(linear_to_srgb(light))


def _plain_colours(part: Any, triangles: Int64, linear: bool) -> UInt8:
    """Colours of corners (T, 3, 3) without a texture: of vertices, of faces, of a material, or gray."""
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
