"""A morphable model as one npz file, whose bytes depend only on the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.facegen.files.archive import Archive
from dcign.facegen.model.albedo import Albedo, LinearAlbedo, as_float16_if_exact
from dcign.facegen.model.morphable import Hair, Level, LevelSurface, MorphableModel, Population, Texture
from dcign.facegen.skin.albedo import PaintedAlbedo

ALBEDOS: dict[str, type[Albedo]] = {kind.kind: kind for kind in (LinearAlbedo, PaintedAlbedo)}
_FIELDS = (
    "name",
    "licence",
    "part_names",
    "landmarks",
    "size_mode",
    "source",
    "source_sha256",
)  # of the model, as JSON
_HAIR_ARRAYS = ("offsets", "by_length", "by_volume")


def model_bytes(model: MorphableModel) -> bytes:
    """Return the bytes of the npz file. Bases that float16 holds exactly are stored as float16."""
    about: dict[str, Any] = {name: getattr(model, name) for name in _FIELDS}  # JSON
    about |= {"levels": len(model.levels), "albedo": model.albedo.kind}
    arrays = {
        "mean": model.mean,
        "shape_basis": as_float16_if_exact(model.shape_basis),
        "triangles": model.triangles,
        "mirror": model.mirror,
        "parts": model.parts,
        **_under("albedo", model.albedo.arrays()),
    }
    if model.hair is not None:
        about |= {"hair_first": model.hair.first, "cut_names": model.hair.cut_names}
        for name in _HAIR_ARRAYS:
            arrays[f"hair/{name}"] = as_float16_if_exact(getattr(model.hair, name))
    if model.texture is not None:
        about |= {"texture_size": model.texture.size, "texture_albedo": model.texture.albedo.kind}
        arrays |= {"texture/uv": model.texture.uv, **_under("texture/albedo", model.texture.albedo.arrays())}
    if model.population is not None:
        arrays |= _under("population", model.population.arrays)
    for index, level in enumerate(model.levels):
        arrays |= _under(f"level_{index}", _level_arrays(level))
    return ARCHIVE.to_bytes(about, arrays)


def _from_file(about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> MorphableModel:
    """Build the model from the content of its file. Raises KeyError for what is missing."""
    hair = texture = None
    if "cut_names" in about:
        displacements = (arrays[f"hair/{name}"].astype(np.float32) for name in _HAIR_ARRAYS)
        hair = Hair(about["hair_first"], tuple(about["cut_names"]), *displacements)
    if "texture_size" in about:
        colours = ALBEDOS[about["texture_albedo"]].from_arrays(_below("texture/albedo", arrays))
        texture = Texture(arrays["texture/uv"], colours, about["texture_size"])
    population = _below("population", arrays)
    albedo = ALBEDOS[about["albedo"]]
    fields = {"source": "", "source_sha256": ""} | about  # models of older versions have no source
    return MorphableModel(
        **{name: fields[name] for name in _FIELDS} | {"part_names": tuple(about["part_names"])},
        mean=arrays["mean"],
        shape_basis=arrays["shape_basis"].astype(np.float32),
        albedo=albedo.from_arrays(_below("albedo", arrays)),
        triangles=arrays["triangles"],
        mirror=arrays["mirror"],
        parts=arrays["parts"],
        levels=tuple(_level(_below(f"level_{index}", arrays), albedo) for index in range(about["levels"])),
        hair=hair,
        texture=texture,
        population=Population(population) if population else None,
    )


def _level_arrays(level: Level) -> dict[str, NDArray[Any]]:
    arrays = {"vertices": level.vertices, "triangles": level.triangles, "mirror": level.mirror}
    if level.surface is None:
        return arrays
    bases = {"mean": level.surface.mean, "shape_basis": as_float16_if_exact(level.surface.shape_basis)}
    return {**arrays, **bases, **_under("albedo", level.surface.albedo.arrays())}


def _level(arrays: Mapping[str, NDArray[Any]], albedo: type[Albedo]) -> Level:
    """Build a level; levels of models that were read from files, or by older versions, have no surface."""
    surface = None
    if "mean" in arrays:
        colours = albedo.from_arrays(_below("albedo", arrays))
        surface = LevelSurface(arrays["mean"], arrays["shape_basis"].astype(np.float32), colours)
    return Level(arrays["vertices"], arrays["triangles"], arrays["mirror"], surface)


def _under(group: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Add the prefix GROUP/ to all names; `_below` removes it."""
    return {f"{group}/{name}": array for name, array in arrays.items()}


def _below(group: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name[len(group) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{group}/")}


ARCHIVE = Archive("dcign-morphable-model", 2, "a face model", _from_file)
read_model = ARCHIVE.read
