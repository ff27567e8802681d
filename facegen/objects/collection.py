"""Objects, packed: what a data set of them holds in the place of a face model.

Positions are in a sphere of RADIUS about the origin, to 1/32,767 of it, millimetres,
+y up, +z to the front; normals to as much; colours are sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Float64, Int32, UInt8
from dcign.facegen.objects.orientation import crease_normals, oriented
from dcign.facegen.objects.soup import RADIUS, Soup

CREASE = 40.0  # degrees between two triangles, from which on an edge is sharp
STEPS = 32767


@dataclass(frozen=True, eq=False)
class Solid:
    """One object. Its triangles from `open_triangle` on, and vertices from `open_vertex` on, are seen from both sides.

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
        """Vertices and triangles as drawn: what is seen from both sides twice."""
        return 2 * len(self.positions) - self.open_vertex, 2 * len(self.triangles) - self.open_triangle

    def drawn(self) -> tuple[Float32, Float32, Float32, Int32]:
        """As drawn: positions (V, 3) mm, normals (V, 3), colours (V, 3) sRGB 0..1, triangles (T, 3), front outward."""
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
    """N objects: names are their files in the folder, and the i-th is identity i.

    licence: whose they are; source: the folder's name; source_sha256: of all its files.
    """

    licence: str
    source: str
    source_sha256: str
    names: tuple[str, ...]
    solids: tuple[Solid, ...]

    @property
    def name(self) -> str:
        """What to call them."""
        return f"{len(self.solids):,} meshes of {self.source}"

    @property
    def attributes(self) -> tuple[str, ...]:
        """Nothing is known of an object but its file's name."""
        return ()

    @property
    def extent(self) -> tuple[int, int]:
        """Vertices and triangles that are enough for each."""
        vertices, triangles = zip(*(solid.extent for solid in self.solids), strict=True)
        return max(vertices), max(triangles)


def packed(soup: Soup) -> Solid:
    """A sound soup of `soup.normalised`, as it is kept."""
    soup, closed = oriented(soup)
    order = np.argsort(~closed, kind="stable")
    soup = Soup(soup.points, soup.triangles[order], soup.colours[order])
    group, normals = crease_normals(soup, CREASE)
    corners = np.column_stack([soup.triangles.ravel(), group.ravel(), soup.colours.reshape(-1, 3)])
    _, first, number = np.unique(corners, axis=0, return_index=True, return_inverse=True)
    renumbered = np.empty(len(first), np.int64)
    renumbered[np.argsort(first, kind="stable")] = np.arange(len(first))  # in the order of triangles: solids first
    first = np.sort(first)
    solid = int(closed.sum())
    return Solid(
        positions=_steps(soup.points[soup.triangles.ravel()[first]] / RADIUS),
        normals=_steps(normals[group.ravel()[first]]),
        colours=soup.colours.reshape(-1, 3)[first],
        triangles=renumbered[number.reshape(-1)].reshape(-1, 3).astype(np.uint32),
        open_vertex=int((first < 3 * solid).sum()),
        open_triangle=solid,
    )


def _steps(values: Float64) -> NDArray[np.int16]:
    return np.round(STEPS * np.clip(values, -1, 1)).astype(np.int16)
