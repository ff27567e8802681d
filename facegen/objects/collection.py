"""Packed objects, and the npz file of them that a data set of meshes holds in place of a face model.

Positions lie in a sphere of RADIUS mm about the origin, +y up, +z to the front. They are stored in steps of RADIUS /
32,767, normals in steps of 1 / 32,767; colours are sRGB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Float64, Int32, UInt8
from dcign.facegen.files.archive import Archive
from dcign.facegen.objects.orientation import crease_normals, oriented
from dcign.facegen.objects.soup import RADIUS, Soup, distinct

CREASE = 40.0  # degrees between two triangles; above, their edge is sharp
STEPS = 32767
# What a file may show only in part: the attribute of Content and Collection -> what such objects have.
NOTES = {
    "missing": "missing textures",
    "unread": "colours that are not read",
    "crossing": "polygons that cross themselves",
}
# Arrays of the file: those of all objects, one after another.
ARRAYS = {"positions": np.int16, "normals": np.int16, "colours": np.uint8, "triangles": np.uint32}


@dataclass(frozen=True, eq=False)
class Solid:
    """One object. Triangles from `open_triangle` on, and vertices from `open_vertex` on, are visible from both sides.

    positions (V, 3) and normals (V, 3) int16, colours (V, 3) uint8, triangles (T, 3).
    """

    positions: NDArray[np.int16]
    normals: NDArray[np.int16]
    colours: UInt8
    triangles: NDArray[np.uint32]
    open_vertex: int
    open_triangle: int

    @property
    def extent(self) -> tuple[int, int]:
        """Numbers of vertices and triangles as drawn: those that are visible from both sides are drawn twice."""
        return 2 * len(self.positions) - self.open_vertex, 2 * len(self.triangles) - self.open_triangle

    def drawn(self) -> tuple[Float32, Float32, Float32, Int32]:
        """Return positions (V, 3) mm, normals (V, 3), colours (V, 3) sRGB 0..1, triangles (T, 3), as drawn."""
        positions, normals = self.positions * np.float32(RADIUS / STEPS), self.normals * np.float32(1 / STEPS)
        colours = self.colours * np.float32(1 / 255)
        vertex, triangle, triangles = self.open_vertex, self.open_triangle, self.triangles.astype(np.int32)
        backs = triangles[triangle:, ::-1] + np.int32(len(positions) - vertex)
        return (
            np.concatenate([positions, positions[vertex:]]),
            np.concatenate([normals, -normals[vertex:]]),
            np.concatenate([colours, colours[vertex:]]),
            np.concatenate([triangles, backs]),
        )


@dataclass(frozen=True, eq=False)
class Collection:
    """N objects; the i-th is identity i.

    source: the name of their folder; source_sha256: the hash of all its files; names: their files in the folder;
    missing: name -> the textures and materials that this file names and that could not be read; unread: name -> its
    colours that are not read; crossing: name -> how many of its polygons cross themselves; skipped: entries of the
    folder that have the name of a mesh and are no files.
    """

    licence: str
    source: str
    source_sha256: str
    names: tuple[str, ...]
    solids: tuple[Solid, ...]
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    crossing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The title of the collection."""
        return f"{len(self.solids):,} meshes of {self.source}"

    @property
    def attributes(self) -> tuple[str, ...]:
        """None: only the file name of an object is known."""
        return ()

    def note(self, kind: str, most: int) -> str:
        """Return which objects are shown only in part, as a sentence without its end; "" if none is.

        kind: one of NOTES; most: objects that are named; the others are counted.
        """
        noted: Mapping[str, tuple[str, ...]] = getattr(self, kind)
        named = [f"{name} ({', '.join(words)})" for name, words in noted.items()]
        count = f"{len(noted)} of {len(self.solids)} objects {'has' if len(noted) == 1 else 'have'} {NOTES[kind]}"
        return f"{count}: {_first(named, most)}" if named else ""

    def skipped_entries(self, most: int) -> str:
        """Return which entries of the folder are no files, as a sentence without its end; "" if all are.

        most: entries that are named; the others are counted.
        """
        if not self.skipped:
            return ""
        one = len(self.skipped) == 1
        count = f"{len(self.skipped)} {'entry' if one else 'entries'} of the folder {'is' if one else 'are'} no file"
        return f"{count}: {_first(self.skipped, most)}"

    @property
    def extent(self) -> tuple[int, int]:
        """The largest numbers of vertices and of triangles of any object as drawn."""
        vertices, triangles = zip(*(solid.extent for solid in self.solids), strict=True)
        return max(vertices), max(triangles)


def _first(named: Sequence[str], most: int) -> str:
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more


def packed(soup: Soup) -> Solid:
    """Pack a soup that was welded and normalised."""
    soup, closed = oriented(soup)
    order = np.argsort(~closed, kind="stable")
    soup = Soup(soup.points, soup.triangles[order], soup.colours[order])
    group, normals = crease_normals(soup, CREASE)
    corners = np.column_stack([soup.triangles.ravel(), group.ravel(), soup.colours.reshape(-1, 3)])
    first, number = distinct(corners)
    renumbered = np.empty(len(first), np.int64)
    # In the order of the triangles: closed surfaces first.
    renumbered[np.argsort(first, kind="stable")] = np.arange(len(first))
    first = np.sort(first)
    solid = int(closed.sum())
    return Solid(
        positions=_steps(soup.points[soup.triangles.ravel()[first]] / RADIUS),
        normals=_steps(normals[group.ravel()[first]]),
        colours=soup.colours.reshape(-1, 3)[first],
        triangles=renumbered[number].reshape(-1, 3).astype(np.uint32),
        open_vertex=int((first < 3 * solid).sum()),
        open_triangle=solid,
    )


def _steps(values: Float64) -> NDArray[np.int16]:
    return np.round(STEPS * np.clip(values, -1, 1)).astype(np.int16)


def collection_bytes(collection: Collection) -> bytes:
    """Return the bytes of the npz file, which depend only on the collection."""
    solids = collection.solids
    about: dict[str, Any] = {name: getattr(collection, name) for name in ("licence", "source", "source_sha256")}
    about |= {name: getattr(collection, name) for name in (*NOTES, "skipped") if getattr(collection, name)}
    arrays = {
        "names": np.array(collection.names),
        "vertices": np.array([len(solid.positions) for solid in solids], np.int64),
        "open_vertex": np.array([solid.open_vertex for solid in solids], np.int64),
        "open_triangle": np.array([solid.open_triangle for solid in solids], np.int64),
        "triangle_counts": np.array([len(solid.triangles) for solid in solids], np.int64),
        **{name: np.concatenate([getattr(solid, name) for solid in solids]) for name in ARRAYS},
    }
    return ARCHIVE.to_bytes(about, arrays)


def _from_file(about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Collection:
    """Raise KeyError for an array that is missing, ValueError for arrays that do not fit each other."""
    vertices, triangles = (np.cumsum(arrays[name]) for name in ("vertices", "triangle_counts"))
    parts = [
        np.split(arrays[name].astype(dtype), (triangles if name == "triangles" else vertices)[:-1])
        for name, dtype in ARRAYS.items()
    ]
    starts = (arrays[name].tolist() for name in ("open_vertex", "open_triangle"))
    solids = tuple(_checked(Solid(*each)) for each in zip(*parts, *starts, strict=True))
    names = tuple(str(name) for name in arrays["names"])
    if len(names) != len(solids):
        raise ValueError(f"{len(names)} names of {len(solids)} meshes")
    missing, unread, crossing = (
        {str(name): tuple(map(str, words)) for name, words in about.get(kind, {}).items()} for kind in NOTES
    )
    skipped = tuple(map(str, about.get("skipped", ())))
    source = about["licence"], about["source"], about["source_sha256"]
    return Collection(*source, names, solids, missing, unread, crossing, skipped)


def _checked(solid: Solid) -> Solid:
    """Return the solid. Raise ValueError unless its arrays fit each other."""
    count = len(solid.positions)
    of_vertices = (solid.positions, solid.normals, solid.colours)
    fits = all(array.shape == (count, 3) for array in of_vertices) and solid.triangles.shape[1:] == (3,)
    fits = fits and 0 <= solid.open_vertex <= count and 0 <= solid.open_triangle <= len(solid.triangles)
    backs = solid.triangles[solid.open_triangle :]
    if not fits or not len(solid.triangles) or solid.triangles.max() >= count or (backs < solid.open_vertex).any():
        raise ValueError("a mesh's triangles do not fit its vertices")
    return solid


ARCHIVE = Archive("dcign-meshes", 1, "a file of meshes", _from_file)
is_collection = ARCHIVE.holds
read_collection = ARCHIVE.read
