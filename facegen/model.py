"""The morphable model: a mean face, what varies about it, and its levels of detail.

Conventions: right-handed, +x the subject's left, +y up, +z out of the nose; millimetres. Albedo is sRGB in
0..1. Coefficients are N(0, 1): each basis column is already multiplied by its standard deviation.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

FORMAT = "dcign-morphable-model"
FORMAT_VERSION = 1
NAPE_BELOW_OPISTHOCRANION = -95.0  # mm: where the head ends at the back

Float = NDArray[np.float32]
Int = NDArray[np.int32]


class ModelError(ValueError):
    """A morphable model cannot be read or used; the text says what was found, wanted, and what to do."""


@dataclass(frozen=True, eq=False)
class Level:
    """A coarser triangulation of some of the model's own vertices, so that it shares the identity space.

    vertices (v,) indices into the model's vertices; triangles (t, 3) and mirror (v,) indices into `vertices`.
    """

    vertices: Int
    triangles: Int
    mirror: Int


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """A linear face: shape = mean + shape_basis @ coefficients, albedo likewise.

    mean (V, 3) mm; shape_basis (V, 3, Ks) mm per standard deviation; albedo_mean (V, 3) sRGB 0..1;
    albedo_basis (V, 3, Ka); triangles (T, 3), outward; mirror (V,) the vertex across the midline;
    parts (V,) index into part_names; landmarks: name -> vertex; levels: coarser triangulations, finest first;
    size_mode: the shape coefficient that is head size, or None if no single one is; sex_shape (Ks,) and
    sex_albedo (Ka,): unit directions among the coefficients from women to men, or None if unknown.
    """

    name: str
    licence: str
    mean: Float
    shape_basis: Float
    albedo_mean: Float
    albedo_basis: Float
    triangles: Int
    mirror: Int
    parts: NDArray[np.uint8]
    part_names: tuple[str, ...]
    landmarks: dict[str, int]
    levels: tuple[Level, ...] = ()
    size_mode: int | None = None
    sex_shape: Float | None = None
    sex_albedo: Float | None = None

    @property
    def vertices(self) -> int:
        """Number of vertices V."""
        return len(self.mean)

    @property
    def shape_modes(self) -> int:
        """Number of shape coefficients Ks."""
        return int(self.shape_basis.shape[2])

    @property
    def albedo_modes(self) -> int:
        """Number of albedo coefficients Ka."""
        return int(self.albedo_basis.shape[2])

    def shapes(self, coefficients: Float) -> Float:
        """Faces of N people.

        mean (V, 3) + coefficients (N, Ks) @ shape_basis (V, 3, Ks) -> (N, V, 3), millimetres
        """
        return _linear(self.mean, self.shape_basis, coefficients)

    def albedos(self, coefficients: Float) -> Float:
        """Skin of N people, clipped to what can be shown.

        albedo_mean (V, 3) + coefficients (N, Ka) @ albedo_basis (V, 3, Ka) -> (N, V, 3), sRGB 0..1
        """
        albedos = _linear(self.albedo_mean, self.albedo_basis, coefficients)
        return np.clip(albedos, 0.0, 1.0, out=albedos)

    def at_level(self, vertices: int) -> MorphableModel:
        """The same people on the triangulation whose vertex count is nearest to `vertices` (by ratio)."""
        counts = [self.vertices, *(len(level.vertices) for level in self.levels)]
        nearest = int(np.argmin([abs(np.log(count / vertices)) for count in counts]))
        if nearest == 0:
            return replace(self, levels=())
        level = self.levels[nearest - 1]
        kept = level.vertices
        position = {int(vertex): index for index, vertex in enumerate(kept)}
        return replace(
            self,
            mean=self.mean[kept],
            shape_basis=self.shape_basis[kept],
            albedo_mean=self.albedo_mean[kept],
            albedo_basis=self.albedo_basis[kept],
            triangles=level.triangles,
            mirror=level.mirror,
            parts=self.parts[kept],
            landmarks={name: position[v] for name, v in self.landmarks.items() if v in position},
            levels=(),
        )

    def save(self, path: Path) -> None:
        """Write one npz whose bytes depend on the model alone."""
        path.write_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The npz file's bytes. Bases that float16 holds exactly are stored as such."""
        about = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "name": self.name,
            "licence": self.licence,
            "part_names": self.part_names,
            "landmarks": self.landmarks,
            "levels": len(self.levels),
            "size_mode": self.size_mode,
        }
        arrays: dict[str, NDArray[np.generic]] = {
            "about": np.array(json.dumps(about, sort_keys=True)),
            "mean": self.mean,
            "shape_basis": _packed(self.shape_basis),
            "albedo_mean": self.albedo_mean,
            "albedo_basis": _packed(self.albedo_basis),
            "triangles": self.triangles,
            "mirror": self.mirror,
            "parts": self.parts,
        }
        if self.sex_shape is not None and self.sex_albedo is not None:
            arrays |= {"sex_shape": self.sex_shape, "sex_albedo": self.sex_albedo}
        for index, level in enumerate(self.levels):
            arrays[f"level_{index}/vertices"] = level.vertices
            arrays[f"level_{index}/triangles"] = level.triangles
            arrays[f"level_{index}/mirror"] = level.mirror
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)  # half floats of noise do not compress: 3 % for 0.3 s
        return buffer.getvalue()

    @classmethod
    def load(cls, path: Path) -> MorphableModel:
        """Read what `save` wrote.

        Raises ModelError if the file is missing, is no npz, or lacks a key.
        """
        try:
            # Opened here: np.load leaves a file open that turns out to be no zip.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                if about.get("format") != FORMAT or about.get("version") != FORMAT_VERSION:
                    raise ModelError(
                        f"{path} says it is {about.get('format')} version {about.get('version')}; expected "
                        f"{FORMAT} version {FORMAT_VERSION}: render the data set again with this version."
                    )
                return cls(
                    name=about["name"],
                    licence=about["licence"],
                    mean=file["mean"],
                    shape_basis=file["shape_basis"].astype(np.float32),
                    albedo_mean=file["albedo_mean"],
                    albedo_basis=file["albedo_basis"].astype(np.float32),
                    triangles=file["triangles"],
                    mirror=file["mirror"],
                    parts=file["parts"],
                    part_names=tuple(about["part_names"]),
                    landmarks=about["landmarks"],
                    levels=tuple(
                        Level(*(file[f"level_{i}/{key}"] for key in ("vertices", "triangles", "mirror")))
                        for i in range(about["levels"])
                    ),
                    size_mode=about["size_mode"],
                    sex_shape=file.get("sex_shape"),
                    sex_albedo=file.get("sex_albedo"),
                )
        except ModelError:
            raise
        except KeyError as missing:
            raise ModelError(f"{path} lacks {missing}: it is not a dcign model; make it again.") from None
        except Exception as error:  # zipfile, numpy and json each have their own
            raise ModelError(f"{path} cannot be read as a model ({error}): make it again.") from None


def sha256(model_bytes: bytes) -> str:
    """The hash by which data sets name their model."""
    return hashlib.sha256(model_bytes).hexdigest()


def head_sphere(model: MorphableModel) -> tuple[Float, float]:
    """Centre (3,) and radius, mm, of the smallest sphere about the mean head without its neck.

    The neck is what lies below the plane from the chin's underside to the back of the skull's base; a model without
    those landmarks counts as all head.
    """
    points = model.mean.astype(np.float64)
    if "menton" in model.landmarks and "opisthocranion" in model.landmarks:
        chin, back = (points[model.landmarks[name]] for name in ("menton", "opisthocranion"))
        nape = back + np.array([0, NAPE_BELOW_OPISTHOCRANION, 0])
        floor = nape[1] + (points[:, 2] - nape[2]) * (chin[1] - nape[1]) / (chin[2] - nape[2])
        points = points[points[:, 1] >= floor]
    centre = points.mean(0)
    points = points[ConvexHull(points).vertices]  # the farthest point is always one of them
    # Badoiu and Clarkson 2003: walk towards the farthest point in ever smaller steps.
    for step in range(1, 2000):
        centre += (points[np.argmax(((points - centre) ** 2).sum(1))] - centre) / (step + 1)
    return centre.astype(np.float32), float(np.sqrt(((points - centre) ** 2).sum(1).max()))


def _linear(mean: Float, basis: Float, coefficients: Float) -> Float:
    modes = basis.shape[2]
    if coefficients.ndim != 2 or coefficients.shape[1] != modes:
        raise ModelError(f"coefficients have shape {coefficients.shape}; expected (N, {modes}).")
    moved = coefficients.astype(np.float32, copy=False) @ basis.reshape(-1, modes).T
    moved += mean.reshape(1, -1)
    return moved.reshape(len(coefficients), -1, 3)


def _packed(basis: Float) -> NDArray[np.floating]:
    half = basis.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), basis) else basis
