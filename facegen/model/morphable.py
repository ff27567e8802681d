"""The morphable model: a mean face, what varies about it, and its levels of detail.

Conventions: right-handed, +x the subject's left, +y up, +z out of the nose; millimetres. Albedo is sRGB in
0..1. Coefficients are N(0, 1): each basis column is already multiplied by its standard deviation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from dcign.arrays import Float32, Float64, Floating, Int32, UInt8
from dcign.errors import ModelError
from dcign.facegen.model.person import ATTRIBUTES, MEAN_PERSON

HIGHEST_HAIR = 40.0  # mm above the skull, at most
NAPE_BELOW_OPISTHOCRANION = -95.0  # mm: where the head ends at the back


@dataclass(frozen=True, eq=False)
class Fit:
    """A level's own surface: mean (v, 3) mm; shape_basis (v, 3, Ks) of the model's coefficients; albedo at v places."""

    mean: Float32
    shape_basis: Float32
    albedo: Albedo


@dataclass(frozen=True, eq=False)
class Level:
    """A coarser mesh of the same people: it shares the model's identity space.

    vertices (v,) indices into the model's vertices; triangles (t, 3) and mirror (v,) indices into `vertices`; fit:
    where they moved to, so that the surface between them is nearest to the model's; None if they are where they were.
    """

    vertices: Int32
    triangles: Int32
    mirror: Int32
    fit: Fit | None = None

    def below(self, first: int) -> Level:
        """What is left without the model's vertices from `first` on, its last, which are a surface of their own."""
        count = int((self.vertices < first).sum())
        triangles = self.triangles[(self.triangles < count).all(1)]
        fit = self.fit
        if fit is not None:
            fit = Fit(fit.mean[:count], fit.shape_basis[:count], fit.albedo.at(np.arange(count, dtype=np.int32)))
        return Level(self.vertices[:count], triangles, self.mirror[:count], fit)


class Albedo(ABC):
    """How people are coloured at fixed places of a model: its vertices, or the texels of its texture."""

    kind: ClassVar[str]  # by which a file names it

    @property
    @abstractmethod
    def modes(self) -> int:
        """Number of albedo coefficients Ka."""

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """What each coefficient is, Ka names."""
        return tuple(f"albedo {number}" for number in range(self.modes))

    @abstractmethod
    def colours(self, coefficients: Float32, attributes: Float32) -> Float32:
        """Colours of N people: coefficients (N, Ka), attributes (N, A) -> (N, places, 3), sRGB 0..1."""

    @abstractmethod
    def at(self, places: Int32) -> Albedo:
        """The same people at some of the places (n,)."""

    @abstractmethod
    def projected(self, project: Callable[[Floating], Float64]) -> Albedo:
        """The same people at other places, n of them: project maps values (places, k) to values (n, k)."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What a file holds of it; `from_arrays` is the way back."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Albedo:
        """Back from `arrays`. Raises KeyError for what is missing."""


@dataclass(frozen=True, eq=False)
class LinearAlbedo(Albedo):
    """Colours that are linear in their coefficients: mean (V, 3) sRGB 0..1; basis (V, 3, Ka)."""

    kind: ClassVar[str] = "linear"
    mean: Float32
    basis: Float32

    @property
    def modes(self) -> int:
        """Number of albedo coefficients Ka."""
        return int(self.basis.shape[2])

    def colours(self, coefficients: Float32, attributes: Float32) -> Float32:
        """Skin of N people, clipped to what can be shown; attributes have no effect.

        mean (V, 3) + coefficients (N, Ka) @ basis (V, 3, Ka) -> (N, V, 3), sRGB 0..1
        """
        colours = _linear(self.mean, self.basis, coefficients)
        return np.clip(colours, 0.0, 1.0, out=colours)

    def at(self, places: Int32) -> LinearAlbedo:
        """The same people at some of the vertices (n,)."""
        return LinearAlbedo(self.mean[places], self.basis[places])

    def projected(self, project: Callable[[Floating], Float64]) -> LinearAlbedo:
        """The same people at other places, n of them."""
        basis = project(self.basis.reshape(len(self.basis), -1)).reshape(-1, 3, self.modes)
        return LinearAlbedo(project(self.mean).astype(np.float32), exact_in_half(basis))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What a file holds of it."""
        return {"mean": self.mean, "basis": packed(self.basis)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LinearAlbedo:
        """Back from `arrays`."""
        return cls(arrays["mean"].astype(np.float32), arrays["basis"].astype(np.float32))


@dataclass(frozen=True, eq=False)
class Hair:
    """A closed surface over the head, the last vertices of the model; one topology for all cuts.

    first: its first vertex; cut_names (S,), of which number 0 is bald: nothing to be seen;
    offsets, by_length, by_volume (S, Vh, 3) mm: a cut's vertices from their place on the scalp, and what a standard
    deviation of length and of volume adds.
    """

    first: int
    cut_names: tuple[str, ...]
    offsets: Float32
    by_length: Float32
    by_volume: Float32

    def moves(self, attributes: Float32) -> Float32:
        """Offsets of N people's hair: attributes (N, A) -> (N, Vh, 3) mm."""
        cut, length, volume = (attributes[:, ATTRIBUTES.index(name)] for name in _HAIR_ATTRIBUTES)
        which = np.clip(np.round(cut), 0, len(self.cut_names) - 1).astype(np.intp)
        moved = self.offsets[which] + length[:, None, None] * self.by_length[which]
        moved += volume[:, None, None] * self.by_volume[which]
        return np.asarray(moved, np.float32)

    def at(self, vertices: Int32) -> Hair:
        """The same hair on some of the model's vertices, those of the head first."""
        first = int((vertices < self.first).sum())
        own = vertices[first:] - self.first
        return Hair(first, self.cut_names, self.offsets[:, own], self.by_length[:, own], self.by_volume[:, own])


_HAIR_ATTRIBUTES = ("hair_cut", "hair_length", "hair_volume")


@dataclass(frozen=True, eq=False)
class Texture:
    """Colours finer than vertices: uv (V, 2) of each vertex, 0..1, v up; albedo at size x size texels, row 0 on top."""

    uv: Float32
    albedo: Albedo
    size: int

    def images(self, coefficients: Float32, attributes: Float32) -> UInt8:
        """Painted textures of N people: (N, Ka), (N, A) -> (N, size, size, 3) sRGB."""
        colours = self.albedo.colours(coefficients, attributes)
        pixels = np.round(255 * colours).astype(np.uint8)
        return pixels.reshape(len(colours), self.size, self.size, 3)


@dataclass(frozen=True, eq=False)
class Population:
    """How shape coefficients are spread among people: the arrays by whose names population.py draws them.

    sex_shape (Ks,), a standard deviation of sex towards men; age_shape (Ks,), a decade; women_shape and men_shape
    (Ks, Ks), roots of the covariance on either side of sex.
    """

    arrays: dict[str, NDArray[Any]]  # float


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """A face: shape = mean + shape_basis @ coefficients, a layer of hair over it, and colours.

    mean (V, 3) mm; shape_basis (V, 3, Ks) mm per standard deviation; albedo: colours at the vertices; triangles
    (T, 3), outward; mirror (V,) the vertex across the midline; parts (V,) index into part_names; landmarks: name ->
    vertex; levels: coarser triangulations, finest first; size_mode: the shape coefficient that is head size, or None if
    no single one is; hair, texture and population: None where there is none (models read from files); source: the
    file that it was read from and how, with that file's SHA-256, both empty if it was made here.
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
    def shape_modes(self) -> int:
        """Number of shape coefficients Ks."""
        return int(self.shape_basis.shape[2])

    @property
    def albedo_modes(self) -> int:
        """Number of albedo coefficients Ka."""
        return self.albedo.modes

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of a person's attributes; none where there is no population to have them."""
        return ATTRIBUTES if self.population is not None else ()

    def shapes(self, coefficients: Float32, attributes: Float32 | None = None) -> Float32:
        """Faces of N people, coefficients (N, Ks) and attributes (N, A), by default the mean person's.

        mean (V, 3) + coefficients (N, Ks) @ shape_basis (V, 3, Ks) + hair (N, Vh, 3) -> (N, V, 3), millimetres
        """
        shapes = _linear(self.mean, self.shape_basis, coefficients)
        if self.hair is not None:
            shapes[:, self.hair.first :] += self.hair.moves(self._attributes(attributes, len(shapes)))
        return shapes

    def albedos(self, coefficients: Float32, attributes: Float32 | None = None) -> Float32:
        """Colours of N people, coefficients (N, Ka) and attributes (N, A) -> (N, V, 3), sRGB 0..1."""
        return self.albedo.colours(coefficients, self._attributes(attributes, len(coefficients)))

    def textures(self, coefficients: Float32, attributes: Float32 | None = None) -> UInt8 | None:
        """Textures of N people, (N, size, size, 3) sRGB, or None where the model has none."""
        if self.texture is None:
            return None
        return self.texture.images(coefficients, self._attributes(attributes, len(coefficients)))

    def at_level(self, vertices: int) -> MorphableModel:
        """The same people on the mesh with the vertices, not counting hair, nearest to `vertices` (by ratio)."""
        head = self.hair.first if self.hair is not None else self.vertices
        counts = [head, *(int((level.vertices < head).sum()) for level in self.levels)]
        nearest = int(np.argmin([abs(np.log(count / vertices)) for count in counts]))
        return replace(self, levels=()) if nearest == 0 else self._only(self.levels[nearest - 1])

    def without_hair(self) -> MorphableModel:
        """The same people with bare heads: no layer of hair, at any level."""
        if self.hair is None:
            return self
        head = self.hair.first
        levels = tuple(level.below(head) for level in self.levels)
        whole = Level(np.arange(self.vertices, dtype=np.int32), self.triangles, self.mirror).below(head)
        return replace(self._only(whole), levels=levels, hair=None)

    def _only(self, level: Level) -> MorphableModel:
        kept = level.vertices
        own = level.fit or Fit(self.mean[kept], self.shape_basis[kept], self.albedo.at(kept))
        position = {int(vertex): index for index, vertex in enumerate(kept)}
        return replace(
            self,
            mean=own.mean,
            shape_basis=own.shape_basis,
            albedo=own.albedo,
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
        if self.attributes and attributes.shape != (people, len(self.attributes)):
            raise ModelError(
                f"attributes have shape {attributes.shape}; expected ({people}, {len(self.attributes)}): "
                f"{', '.join(self.attributes)}."
            )
        return attributes


def head_sphere(model: MorphableModel) -> tuple[Float32, float]:
    """Centre (3,) and radius, mm, of the smallest sphere about the mean head without its neck.

    The neck is what lies below the plane from the chin's underside to the back of the skull's base; a model without
    those landmarks counts as all head. Hair raises the centre, until its cuts' tops are in: heads turn about that
    point, which therefore stays as far forward as it was.
    """
    points = model.mean[: model.hair.first if model.hair else None].astype(np.float64)
    if "menton" in model.landmarks and "opisthocranion" in model.landmarks:
        chin, back = (points[model.landmarks[name]] for name in ("menton", "opisthocranion"))
        nape = back + np.array([0, NAPE_BELOW_OPISTHOCRANION, 0])
        floor = nape[1] + (points[:, 2] - nape[2]) * (chin[1] - nape[1]) / (chin[2] - nape[2])
        points = points[points[:, 1] >= floor]
    points = points[ConvexHull(points).vertices]  # the farthest point is always one of them
    centre = _sphere_centre(points)
    if model.hair is not None:  # what hangs may be cut off, what stands up may not
        worn = model.mean[model.hair.first :] + model.hair.offsets[1:]
        points = np.concatenate([points, [cut[np.argmax(cut[:, 1])] for cut in worn]])
        raised = centre + np.linspace(0, HIGHEST_HAIR, 401)[:, None] * (0, 1, 0)
        radii = [_reach(points, each) for each in raised]
        centre = raised[int(np.argmin(radii))]
    return centre.astype(np.float32), _reach(points, centre)


def smallest_sphere(points: Float64) -> tuple[Float64, float]:
    """Centre (3,) and radius of the smallest sphere about points (N, 3), which may lie in a plane."""
    hull = points[ConvexHull(points, qhull_options="QJ").vertices] if len(points) > 4 else points
    centre = _sphere_centre(hull)
    return centre, _reach(points, centre)


def _sphere_centre(points: Float64) -> Float64:
    """Centre (3,) of the smallest sphere about points (N, 3)."""
    centre = points.mean(0)
    # Badoiu and Clarkson 2003: walk towards the farthest point in ever smaller steps.
    for step in range(1, 2000):
        centre += (points[np.argmax(((points - centre) ** 2).sum(1))] - centre) / (step + 1)
    return np.asarray(centre)


def _reach(points: Float64, centre: Float64) -> float:
    return float(np.sqrt(((points - centre) ** 2).sum(1).max()))


def _linear(mean: Float32, basis: Float32, coefficients: Float32) -> Float32:
    modes = basis.shape[2]
    if coefficients.ndim != 2 or coefficients.shape[1] != modes:
        raise ModelError(f"coefficients have shape {coefficients.shape}; expected (N, {modes}).")
    moved = coefficients.astype(np.float32, copy=False) @ basis.reshape(basis.shape[0] * 3, modes).T
    moved += mean.reshape(1, -1)
    return moved.reshape(len(coefficients), -1, 3)


def exact_in_half(values: Floating) -> Float32:
    """Rounded to what float16 holds, so that `packed` halves it and loading loses nothing: .06 mm at 128 mm."""
    return values.astype(np.float16).astype(np.float32)


def packed(basis: Float32) -> Floating:
    """The same numbers in half the bytes where float16 holds them exactly, as the bases of models do."""
    half = basis.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), basis) else basis
