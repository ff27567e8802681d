"""Read Wavefront OBJ files: polygons, vertex colours, and the materials of MTL files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dcign.arrays import Bool, Float64, Int64, UInt8
from dcign.errors import ModelError
from dcign.facegen.objects.formats.mtl import Material, read_materials
from dcign.facegen.objects.formats.part import NOT_FINITE, Content, Part, Texture, as_bytes, plain
from dcign.facegen.objects.formats.pictures import Pictures, find_file
from dcign.facegen.objects.formats.polygons import triangulated
from dcign.facegen.objects.formats.text import colours_as_shares, numbers, table, utf8, without_comment

CURVED = {b"surf", b"curv", b"curv2", b"cstype", b"patch", b"bsp", b"bzp", b"cdc", b"cdp"}  # free-form surfaces
COLOURED = (6, 7)  # columns of a vertex with a colour, or a colour and its alpha


@dataclass(frozen=True)
class Statements:
    """The statements of one keyword: what follows it, and the numbers of their lines, from 1."""

    texts: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def read_obj(path: Path) -> Content:
    """Read a file. Raises ModelError, whose text is a clause."""
    statements = _statements(path.read_bytes())
    if not statements[b"f"].texts:
        return Content(())
    pictures = Pictures(path.parent)
    points, colours, has_colour = _vertices(statements[b"v"], pictures)
    counts, v, vt = _corners(statements[b"f"])
    owners = np.repeat(np.array(statements[b"f"].lines), counts)
    v = _resolved(v, statements[b"v"], owners, "vertex")
    vt = _resolved(vt, statements[b"vt"], owners, "texture coordinate", optional=True)
    corners, polygon, crossing = triangulated(points, counts, v)
    materials, used = _materials(statements, pictures, path.parent, polygon)
    uv = _places(statements[b"vt"])[vt[corners]]
    textured, has_uv = np.zeros(len(corners), bool), np.isfinite(uv).all(axis=(1, 2))
    of_vertex = has_colour[v[corners]]
    found = np.where(of_vertex[..., None], colours[v[corners]], plain(len(corners)))
    parts: list[Part] = []
    for number, material in enumerate(materials):
        which = used == number
        picture = pictures.named(material.picture, material.folder) if material.picture and which.any() else None
        if picture is not None:
            found[which] = np.round(picture.mean(axis=(0, 1))).astype(np.uint8)  # of what is nowhere in the texture
            if (which & ~has_uv).any():
                pictures.lost("texture coordinates")
            which &= has_uv
            wrap = "clamp" if material.clamp else "repeat"
            places = material.moved(uv[which])
            parts.append(Part(points, v[corners[which]], None, Texture(picture, (wrap, wrap)), places))
            textured |= which
            continue
        corners_without = which[:, None] & ~of_vertex
        if material.colour is not None:
            found[corners_without] = as_bytes(np.array(material.colour))
        elif material.unread and corners_without.any():
            pictures.unread_colour(f"colour {material.unread}")
    parts.append(Part(points, v[corners[~textured]], found[~textured]))
    return Content(tuple(parts), tuple(pictures.missing), tuple(pictures.unread), crossing)


def _statements(content: bytes) -> dict[bytes, Statements]:
    """Sort the lines of a file by their keyword."""
    content = re.sub(rb"\\\r?\n", b" ", utf8(content)).replace(b"\t", b" ")
    found = {word: Statements() for word in (b"v", b"vt", b"f", b"mtllib", b"usemtl")}
    found[b"fo"] = found[b"f"]  # as version 2 wrote it
    for number, line in enumerate(content.splitlines(), 1):
        word, _, rest = line.partition(b" ")
        if not word and rest:
            word, _, rest = rest.lstrip().partition(b" ")
        word = word.lower()
        if word in found:
            found[word].texts.append(rest)
            found[word].lines.append(number)
        elif word in CURVED:
            raise ModelError(f"line {number} describes a curved surface ({word.decode()}), and only polygons are read")
    return found


def _vertices(vertices: Statements, pictures: Pictures) -> tuple[Float64, UInt8, Bool]:
    """Return points (P, 3), their colours (P, 3), and which have one (P,). Those that are not finite are noted."""
    values, widths = table(_without_comments(vertices.texts))
    if (widths < 3).any():
        line = vertices.lines[int(np.argmax(widths < 3))]
        raise ModelError(f"line {line} gives a vertex fewer than three coordinates")
    has = np.isin(widths, COLOURED)
    colours = np.zeros((len(values), 3), np.uint8)
    if has.any():
        finite = np.isfinite(values[:, 3:6]).all(axis=1)
        if (has & ~finite).any():
            pictures.unread_colour(NOT_FINITE)
        has &= finite
        colours[has] = as_bytes(colours_as_shares(values[has, 3:6], whole=False))
    return _columns(values, 3), colours, has


def _places(statements: Statements) -> Float64:
    """Return texture coordinates (N, 2), and a last row of nan: that of index -1, which is none."""
    values, widths = table(_without_comments(statements.texts))
    uv = _columns(values, 2)
    uv[widths == 1, 1] = 0
    return np.append(uv, np.full((1, 2), np.nan), axis=0)


def _corners(faces: Statements) -> tuple[Int64, Int64, Int64]:
    """Return the corners of each face (F,), and vertex and texture coordinate of each corner (C,), 0 for none."""
    texts = _without_comments(faces.texts)
    counts = np.array([len(text.split()) for text in texts], np.int64)
    joined = b" ".join(texts)
    if b"/" not in joined:
        v = numbers(joined, np.int64)
        return counts, v, np.zeros_like(v)
    joined = re.sub(rb"/(?=\s|/|$)", b"/0", joined)  # 1//3 and 1/
    letters = np.frombuffer(joined, np.uint8)
    inside = letters > ord(" ")
    starts = np.flatnonzero(inside & ~np.concatenate([[False], inside[:-1]]))
    fields = 1 + np.add.reduceat(letters == ord("/"), starts, dtype=np.int64)
    values = numbers(joined.replace(b"/", b" "), np.int64)
    if fields.sum() != len(values):
        raise ModelError("it has a face with a corner that names no vertex")
    first = np.cumsum(fields) - fields
    return counts, values[first], np.where(fields > 1, values[np.minimum(first + 1, len(values) - 1)], 0)


def _resolved(index: Int64, statements: Statements, lines: Int64, noun: str, *, optional: bool = False) -> Int64:
    """Return indices from 0, -1 for none. In the file they count from 1, or backwards from the line that has them.

    optional: an index of nothing is none; else ModelError is raised, whose text is a clause.
    """
    before = np.searchsorted(np.array(statements.lines, np.int64), lines) if (index < 0).any() else 0
    found = np.where(index < 0, before + index, index - 1)
    wrong = (found < 0) | (found >= len(statements.texts))
    if optional:
        return np.where(wrong, -1, found)
    if wrong.any():
        corner = int(np.argmax(wrong))
        raise ModelError(
            f"line {lines[corner]} names {noun} {index[corner]} of {len(statements.texts)}, which are counted from 1"
        )
    return np.asarray(found)


def _materials(
    statements: dict[bytes, Statements], pictures: Pictures, folder: Path, polygon: Int64
) -> tuple[list[Material], Int64]:
    """Return the materials in use, and the number of each triangle's (T,), from the polygon of each (T,)."""
    known: dict[str, Material] = {}
    for text in statements[b"mtllib"].texts:
        for library in _libraries(text, pictures, folder):
            for name, material in read_materials(library).items():
                known.setdefault(name, material)
    without_libraries = bool(pictures.missing) and not known  # which are missing: to name each material says no more
    loosely = {_loosely(_bare(name)): material for name, material in reversed(known.items())}
    loosely |= {_loosely(name): material for name, material in reversed(known.items())}
    chosen = [Material()]
    names = [_text(text) for text in statements[b"usemtl"].texts]
    for name in dict.fromkeys(names):
        meant = known.get(name) or loosely.get(_loosely(name)) or loosely.get(_loosely(_bare(name)))
        if meant is None and not without_libraries and name.casefold() not in ("", "(null)", "none"):
            pictures.lost(f"material {name}")
        chosen.append(meant or Material())
    number = {name: place for place, name in enumerate(dict.fromkeys(names), 1)}
    numbered = np.array([0, *(number[name] for name in names)], np.int64)
    faces = np.searchsorted(np.array(statements[b"usemtl"].lines, np.int64), np.array(statements[b"f"].lines))
    return chosen, numbered[faces][polygon]


def _libraries(text: bytes, pictures: Pictures, folder: Path) -> Sequence[Path]:
    """Return the files of one mtllib line: one name, or several, each of which may contain spaces."""
    words, found = _text(text).split(" "), []
    while words:
        longest = range(len(words), 0, -1)
        count = next((each for each in longest if find_file(" ".join(words[:each]), folder)), None)
        if count is None:  # up to where a name ends
            ends = (place for place, word in enumerate(words, 1) if word.casefold().endswith(".mtl"))
            count = next(ends, len(words))
            pictures.lost(" ".join(words[:count]))
        else:
            found.append(find_file(" ".join(words[:count]), folder))
        words = words[count:]
    return [path for path in found if path is not None]


def _without_comments(texts: list[bytes]) -> list[bytes]:
    return [text.partition(b"#")[0] for text in texts] if b"#" in b"".join(texts) else texts


def _text(text: bytes) -> str:
    return without_comment(text.decode("utf-8", "surrogateescape"))


def _loosely(name: str) -> str:
    """Return by what names are compared that differ in letter case or spaces."""
    return " ".join(name.casefold().split())


def _bare(name: str) -> str:
    """Return a name without what may be a comment, close behind its #."""
    return re.split(r"\s#", name, maxsplit=1)[0]


def _columns(values: Float64, count: int) -> Float64:
    """Return the first columns of a table; those that it lacks are zero."""
    missing = max(0, count - values.shape[1])
    return np.concatenate([values, np.zeros((len(values), missing))], axis=1)[:, :count]
