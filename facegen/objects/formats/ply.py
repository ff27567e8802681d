"""Read PLY files: polygons and triangle strips, with colours of vertices or faces, or a texture.

Programs spell the same things differently: `vertex_indices` and `vertex_index`, `red`, `r` and `diffuse_red`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from dcign.arrays import Float64, Int64, UInt8
from dcign.errors import ModelError
from dcign.facegen.objects.formats.part import NOT_FINITE, Content, Part, Texture, as_bytes, plain
from dcign.facegen.objects.formats.pictures import Pictures
from dcign.facegen.objects.formats.ply_elements import Element, Numbers, Ragged, read_elements
from dcign.facegen.objects.formats.polygons import strips_cut, triangulated
from dcign.printable import printable

CORNERS = ("vertex_indices", "vertex_index", "vertex_indexes", "vertices", "indices", "vertex_idx")
COLOURS = tuple(
    tuple(prefix + channel for channel in channels)
    for prefix in ("", "diffuse_", "vertex_", "face_", "color_", "colour_", "vertex_color_", "face_color_", "ambient_")
    for channels in (("red", "green", "blue"), ("r", "g", "b"))
)
PACKED = ("rgb", "rgba")  # of PCL: 0xAARRGGBB in one number, or in the bits of a float
COLOUR_WORDS = re.compile("red|green|blue|rgba?|colou?rs?|gr[ae]y|luminance|intensity|albedo")
RESTART = 2**32 - 1  # of a strip of unsigned numbers: what -1 is of signed ones
GRAYS = ("gray", "grey", "luminance", "intensity")
PLACES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"), ("tex_u", "tex_v"))
VERTICES = ("vertex", "vertices")
FACES, STRIPS = ("face", "faces", "polygon", "polygons"), ("tristrips", "tristrip", "strips")


def read_ply(path: Path) -> Content:
    """Read a file. Raises ModelError, whose text is a clause."""
    elements, pictures_named = read_elements(path.read_bytes())
    vertex, face = _element(elements, VERTICES), _element(elements, FACES)
    if vertex is None or not vertex.count:
        return Content(())
    _refuse_unread(elements)
    points = _points(vertex)
    counts, corners = _polygons(face)
    strips = _strips(_element(elements, STRIPS))
    triangles, owner, crossing = triangulated(points, counts, corners)
    cut, _, _ = triangulated(points, np.full(len(strips), 3), strips.ravel())
    corner_of = np.concatenate([corners[triangles], strips.ravel()[cut]])
    colours = plain(len(corner_of))
    pictures = Pictures(path.parent)
    of_vertices, of_faces = _colours(vertex, pictures), _colours(face, pictures) if face else None
    if of_faces is not None:
        colours[: len(owner)] = of_faces[owner][:, None]
        if of_vertices is not None:
            colours[len(owner) :] = of_vertices[corner_of[len(owner) :]]
    elif of_vertices is not None:
        colours = of_vertices[corner_of]
    elif face is not None and "material_index" in face.values:
        colours[: len(owner)] = _material_colours(face, elements, pictures)[owner][:, None]
    uv = _places(vertex, face, counts, corner_of, triangles) if pictures_named else None
    if uv is None:
        if pictures_named:
            pictures.lost("texture coordinates")
        parts: tuple[Part, ...] = (Part(points, corner_of, colours),)
    else:
        number = _numbers(face, owner, len(corner_of))
        parts = _textured(points, corner_of, colours, uv, number, pictures_named, pictures)
    return Content(parts, tuple(pictures.missing), tuple(pictures.unread), crossing)


def _textured(
    points: Float64, triangles: Int64, colours: UInt8, uv: Float64, number: Int64, named: list[str], pictures: Pictures
) -> tuple[Part, ...]:
    """Return one part for each texture, and one for what has none."""
    parts, rest = [], np.ones(len(triangles), bool)
    for place, name in enumerate(named):
        which = (number == place) & np.isfinite(uv).all(axis=(1, 2))
        picture = pictures.named(name)
        if picture is not None:
            parts.append(Part(points, triangles[which], None, Texture(picture), uv[which]))
            rest &= ~which
    placed = np.isfinite(uv).all(axis=(1, 2))
    for wrong in np.unique(number[placed & ((number >= len(named)) | (number < -1))]).tolist():  # -1 is none
        pictures.lost(f"texture {wrong} (from 0) of {len(named)}")
    return (*parts, Part(points, triangles[rest], colours[rest]))


def _element(elements: dict[str, Element], names: tuple[str, ...]) -> Element | None:
    return next((elements[name] for name in names if name in elements), None)


def _refuse_unread(elements: dict[str, Element]) -> None:
    """Raise ModelError if an element that is not read is made of vertices: fans, or the grids of scanners."""
    for name, element in elements.items():
        if (
            name not in (*VERTICES, *FACES, *STRIPS)
            and element.count
            and any(each in element.lists for each in CORNERS)
        ):
            raise ModelError(f"its element {printable(name)[:40]} of vertices is not read")


def _points(vertex: Element) -> Float64:
    missing = [axis for axis in "xyz" if axis not in vertex.values]
    if missing:
        raise ModelError(f"its vertices have no {missing[0]}")
    return np.stack([vertex.values[axis].astype(np.float64) for axis in "xyz"], axis=1)


def _polygons(face: Element | None) -> tuple[Int64, Int64]:
    """Return the corners of each face (F,), and all corners (C,)."""
    if face is None or not face.count:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    loops = next((face.lists[name] for name in CORNERS if name in face.lists), None)
    if loops is None:
        raise ModelError("its faces have no list vertex_indices")
    return loops.counts, loops.values.astype(np.int64)


def _strips(element: Element | None) -> Int64:
    """Return the triangles (T, 3) of all triangle strips."""
    if element is None or not element.lists:
        return np.empty((0, 3), np.int64)
    strips = next(iter(element.lists.values()))
    values, ends = strips.values.astype(np.int64), np.cumsum(strips.counts)[:-1]
    values = np.where(values == RESTART, -1, values)
    return strips_cut(np.insert(values, ends, -1))


def _colours(element: Element, pictures: Pictures) -> UInt8 | None:
    """Return the colours (N, 3) of an element, or None; those that are not read are noted."""
    values = element.values
    for names in COLOURS:
        if all(name in values for name in names):
            channels = np.stack([values[name].astype(np.float64) for name in names], axis=1)
            if not np.isfinite(channels).all():
                pictures.unread_colour(NOT_FINITE)
            return _scaled(channels, element.kind(names[0]))
    packed = next((name for name in PACKED if name in values), None)
    if packed is not None and element.kind(packed) in (np.float32, np.uint32, np.int32):
        return _unpacked(values[packed], element.kind(packed))
    gray = next((name for name in GRAYS if name in values and element.kind(name) == np.uint8), None)
    if gray is not None:
        return _scaled(np.stack([values[gray].astype(np.float64)] * 3, axis=1), element.kind(gray))
    every = [each.name for each in element.properties]
    unread = [name for name in every if any(COLOUR_WORDS.fullmatch(word) for word in name.split("_"))]
    if unread and element.count:
        pictures.unread_colour(f"colours ({', '.join(unread)}, which are not read)")
    return None


def _scaled(values: Float64, kind: np.dtype[Any]) -> UInt8:
    """Return the colours of channels (N, 3) whose declared type says what is full: 255, 65,535, or 1 for floats."""
    largest = np.max(values, initial=0, where=np.isfinite(values))
    if kind.kind == "f":
        return as_bytes(values / 255 if largest > 1 else values)
    return as_bytes(values / (65535 if kind.itemsize > 1 and largest > 255 else 255))


def _unpacked(values: Numbers, kind: np.dtype[Any]) -> UInt8:
    """Return the colours (N, 3) of numbers 0xAARRGGBB, or of floats with these bits."""
    whole = values.astype("f4").view("u4") if kind.kind == "f" else values
    return np.stack([whole.astype(np.int64) >> shift & 255 for shift in (16, 8, 0)], axis=1).astype(np.uint8)


def _material_colours(face: Element, elements: dict[str, Element], pictures: Pictures) -> UInt8:
    """Return the colour (F, 3) of each face's material."""
    materials = elements.get("material")
    colours = _colours(materials, pictures) if materials and materials.count else None
    if colours is None:
        pictures.unread_colour("colours of materials")
        return plain(face.count)[:, 0]
    return colours[np.clip(face.values["material_index"].astype(np.int64), 0, len(colours) - 1)]


def _places(vertex: Element, face: Element | None, counts: Int64, corner_of: Int64, triangles: Int64) -> Float64 | None:
    """Return the texture coordinates (T, 3, 2) of triangles, nan where they have none, or None for all."""
    for names in PLACES:
        if all(name in vertex.values for name in names):
            return np.stack([vertex.values[name].astype(np.float64) for name in names], axis=1)[corner_of]
    lists: Ragged | None = face.lists.get("texcoord") if face else None
    if lists is None or not ((lists.counts == 2 * counts) | (lists.counts == 0)).all():
        return None
    uv = np.full((int(counts.sum()), 2), np.nan)
    uv[np.repeat(lists.counts > 0, counts)] = lists.values.reshape(-1, 2)
    found = np.full((len(corner_of), 3, 2), np.nan)
    found[: len(triangles)] = uv[triangles]
    return found


def _numbers(face: Element | None, owner: Int64, count: int) -> Int64:
    """Return the number of each triangle's texture (T,)."""
    found = np.zeros(count, np.int64)
    if face is not None and "texnumber" in face.values:
        found[: len(owner)] = face.values["texnumber"].astype(np.int64)[owner]
    return found
