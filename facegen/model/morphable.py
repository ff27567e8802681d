"""The morphable model: a mean face, how faces vary around it, and its levels of detail.

Conventions: right-handed, +x the subject's left, +y up, +z out of the nose; millimetres. Albedo is sRGB in
0..1. Coefficients are N(0, 1): each basis column is already multiplied by its standard deviation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Int32, UInt8
from dcign.errors import ModelError
from dcign.facegen.model.albedo import Albedo, linear_combination
from dcign.facegen.model.person import ATTRIBUTES, MEAN_PERSON


@dataclass(frozen=True, eq=False)
class LevelSurface:
    """The surface of one level: mean (v, 3) mm, shape_basis (v, 3, Ks) and the albedo at its v vertices."""

    mean: Float32
    shape_basis: Float32
    albedo: Albedo


@dataclass(frozen=True, eq=False)
class Level:
    """A coarser mesh of the same people: its coefficients are those of the model.

    vertices: (v,) indices into the model's vertices
    triangles, mirror: (t, 3) and (v,) indices into `vertices`
    surface: positions fitted to the model's surface, or None if the vertices are where the model has them
    """

    vertices: Int32
    triangles: Int32
    mirror: Int32
    surface: LevelSurface | None = None

    def below(self, first: int) -> Level:
        """Return the level without the model's vertices from `first` on, which must be a surface of their own."""
        count = int((self.vertices < first).sum())
        triangles = self.triangles[(self.triangles < count).all(1)]
        surface = self.surface
        if surface is not None:
            albedo = surface.albedo.at(np.arange(count, dtype=np.int32))
            surface = LevelSurface(surface.mean[:count], surface.shape_basis[:count], albedo)
        return Level(self.vertices[:count], triangles, self.mirror[:count], surface)


@dataclass(frozen=True, eq=False)
class Hair:
    """A closed surface over the head with one topology for all cuts; its vertices are the model's last.

    first: its first vertex
    cut_names: (S,) names, of which number 0 is bald: the surface is hidden in the head
    offsets: (S, Vh, 3) mm, displacement of each cut's vertices from the scalp
    by_length, by_volume: (S, Vh, 3) mm, what one standard deviation of length or of volume adds
    """

    first: int
    cut_names: tuple[str, ...]
    offsets: Float32
    by_length: Float32
    by_volume: Float32

    def displacements(self, attributes: Float32) -> Float32:
        """Return the displacements of N people's hair: attributes (N, A) -> (N, Vh, 3) mm."""
        names = ("hair_cut", "hair_length", "hair_volume")
        cut, length, volume = (attributes[:, ATTRIBUTES.index(name)] for name in names)
        which = np.clip(np.round(cut), 0, len(self.cut_names) - 1).astype(np.intp)
        moved = self.offsets[which] + length[:, None, None] * self.by_length[which]
        moved += volume[:, None, None] * self.by_volume[which]
        return np.asarray(moved, np.float32)

    def at(self, vertices: Int32) -> Hair:
        """Return the same hair on some of the model's vertices, which list the head's first."""
        first = int((vertices < self.first).sum())
        own = vertices[first:] - self.first
        return Hair(first, self.cut_names, self.offsets[:, own], self.by_length[:, own], self.by_volume[:, own])


@dataclass(frozen=True, eq=False)
class Texture:
    """Colours finer than vertices.

    uv: (V, 2) texture coordinates of each vertex, 0..1, v up
    albedo: colours at size x size texels, row 0 on top
    """

    uv: Float32
    albedo: Albedo
    size: int

    def images(self, coefficients: Float32, attributes: Float32) -> UInt8:
        """Return the textures of N people: (N, Ka), (N, A) -> (N, size, size, 3) sRGB."""
        colours = self.albedo.colours(coefficients, attributes)
        pixels = np.round(255 * colours).astype(np.uint8)
        return pixels.reshape(len(colours), self.size, self.size, 3)


@dataclass(frozen=True, eq=False)
class Population:
    """The distribution of shape coefficients among people, as arrays that population.py finds by name.

    sex_shape (Ks,): one standard deviation of sex towards men; age_shape (Ks,): ten years; women_shape and men_shape
    (Ks, Ks): square roots of the covariance of each sex.
    """

    arrays: dict[str, NDArray[Any]]  # float


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """A face: shape = mean + shape_basis @ coefficients, a surface of hair over it, and colours.

    mean: (V, 3) mm
    shape_basis: (V, 3, Ks) mm per standard deviation
    albedo: colours at the vertices
    triangles: (T, 3), outward
    mirror: (V,) the vertex across the midline
    parts: (V,) index into part_names
    landmarks: name -> vertex
    levels: coarser meshes, finest first
    size_mode: the shape coefficient that is head size, or None if there is no such coefficient
    hair, texture, population: None where there is none (models read from files)
    source, source_sha256: the file that the model was read from, and its SHA-256; both empty if dcign made the model
    """

    name: str
    licence: str
    mean: Float32
    shape_basis: Float32
    albedo: Albedo
    triangles: Int32
    mirror: Int32
    parts: UInt8
    part_names: tuple[str, ...]
    landmarks: dict[str, int]
    levels: tuple[Level, ...] = ()
    size_mode: int | None = None
    hair: Hair | None = None
    texture: Texture | None = None
    population: Population | None = None
    source: str = ""
    source_sha256: str = ""

    @property
    def vertices(self) -> int:
        """Number of vertices V, of head and hair."""
        return len(self.mean)

    @property
    def head_vertices(self) -> int:
        """Number of vertices of the head, which come before those of the hair."""
        return self.hair.first if self.hair is not None else self.vertices

    @property
    def shape_modes(self) -> int:
        """Number of shape coefficients Ks."""
        return int(self.shape_basis.shape[2])

    @property
    def albedo_modes(self) -> int:
        """Number of albedo coefficients Ka."""
        return self.albedo.modes

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of a person's attributes; empty for a model without a population."""
        return ATTRIBUTES if self.population is not None else ()

    def shapes(self, coefficients: Float32, attributes: Float32 | None = None) -> Float32:
        """Return the faces of N people, coefficients (N, Ks) and attributes (N, A), by default the mean person's.

        mean (V, 3) + coefficients (N, Ks) @ shape_basis (V, 3, Ks) + hair (N, Vh, 3) -> (N, V, 3), millimetres
        """
        shapes = linear_combination(self.mean, self.shape_basis, coefficients)
        if self.hair is not None:
            shapes[:, self.hair.first :] += self.hair.displacements(self._attributes(attributes, len(shapes)))
        return shapes

    def albedos(self, coefficients: Float32, attributes: Float32 | None = None) -> Float32:
        """Return the colours of N people: coefficients (N, Ka), attributes (N, A) -> (N, V, 3), sRGB 0..1."""
        return self.albedo.colours(coefficients, self._attributes(attributes, len(coefficients)))

    def textures(self, coefficients: Float32, attributes: Float32 | None = None) -> UInt8 | None:
        """Return the textures of N people, (N, size, size, 3) sRGB, or None if the model has none."""
        if self.texture is None:
            return None
        return self.texture.images(coefficients, self._attributes(attributes, len(coefficients)))

    def at_level(self, vertices: int) -> MorphableModel:
        """Return the same people on the mesh whose number of head vertices is nearest to `vertices` (by ratio)."""
        head = self.head_vertices
        counts = [head, *(int((level.vertices < head).sum()) for level in self.levels)]
        nearest = int(np.argmin([abs(np.log(count / vertices)) for count in counts]))
        return replace(self, levels=()) if nearest == 0 else self._only(self.levels[nearest - 1])

    def without_hair(self) -> MorphableModel:
        """Return the same people with bare heads: without the surface of hair, at all levels."""
        if self.hair is None:
            return self
        levels = tuple(level.below(self.hair.first) for level in self.levels)
        finest = Level(np.arange(self.vertices, dtype=np.int32), self.triangles, self.mirror).below(self.hair.first)
        return replace(self._only(finest), levels=levels, hair=None)

    def _only(self, level: Level) -> MorphableModel:
        """Return the model on the mesh of one level."""
        kept = level.vertices
        surface = level.surface or LevelSurface(self.mean[kept], self.shape_basis[kept], self.albedo.at(kept))
        position = {int(vertex): index for index, vertex in enumerate(kept)}
        return replace(
            self,
            mean=surface.mean,
            shape_basis=surface.shape_basis,
            albedo=surface.albedo,
            triangles=level.triangles,
            mirror=level.mirror,
            parts=self.parts[kept],
            landmarks={name: position[v] for name, v in self.landmarks.items() if v in position},
            levels=(),
            hair=self.hair and self.hair.at(kept),
            texture=self.texture and replace(self.texture, uv=self.texture.uv[kept]),
        )

    def _attributes(self, attributes: Float32 | None, people: int) -> Float32:
        if attributes is None:
            return np.tile(np.array(MEAN_PERSON, np.float32), (people, 1))
        expected, hair_tone = ((people, len(self.attributes) + more) for more in (0, 1))
        if self.attributes and attributes.shape not in (expected, hair_tone):
            names = ", ".join(self.attributes)
            raise ModelError(f"expected attributes of shape {expected}, found {attributes.shape}: give {names}.")
        return attributes
