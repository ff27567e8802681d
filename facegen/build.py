"""Building the procedural model, once: the result is cached under a name that is a hash of the code that made it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no stubs

from dcign.errors import ModelError
from dcign.facegen.files.cache import cache_folder, code_key, write_cached
from dcign.facegen.files.model_file import model_bytes, read_model
from dcign.facegen.hair.fitting import with_hair
from dcign.facegen.hair.layer import hair_layer
from dcign.facegen.levels.levels import with_levels
from dcign.facegen.model.morphable import MorphableModel, Population, exact_in_half
from dcign.facegen.sculpture.head import head_distance
from dcign.facegen.sculpture.landmarks import locate_landmarks
from dcign.facegen.shape.prior import shape_model
from dcign.facegen.skin.texture import Strands, painting
from dcign.facegen.template.landmarks_68 import ibug_landmarks
from dcign.facegen.template.mesh import sculpture_mesh
from dcign.facegen.template.parts import PART_NAMES, part_labels
from dcign.facegen.template.regions import find_regions

SHAPE_MODES = 80

Progress = Callable[[str, float], None]


def procedural_model(progress: Progress | None = None) -> MorphableModel:
    """The procedural morphable model, from the cache if it is there and whole, else built and cached.

    progress(stage, fraction) is called before each stage of a build.
    """
    path = cache_path()
    if path.exists():
        try:
            return read_model(path)
        except ModelError:
            pass  # damaged: the build below replaces it
    model = build_model(progress or _silent)
    write_cached(path, model_bytes(model))
    return model


def build_model(progress: Progress) -> MorphableModel:
    """Sculpt, mesh, vary and colour; about 16 s on one core. The same bytes every time on one machine."""
    # Sums are rounded otherwise with another number of BLAS threads: one gives the same bytes everywhere.
    with threadpool_limits(limits=1):
        return _build(progress)


def _build(progress: Progress) -> MorphableModel:
    progress("sculpting the mean head", 0.0)
    template = sculpture_mesh(head_distance)
    progress("finding its regions", 0.6)
    regions = find_regions(template)
    progress("conditioning shapes on measurements", 0.65)
    landmarks = locate_landmarks(template.vertices) | ibug_landmarks(template, regions.normals)
    shape = shape_model(template, regions, landmarks, SHAPE_MODES)
    progress("mixing skin, hair and eyes", 0.88)
    layer = hair_layer(template, regions)
    painted = painting(template, regions, Strands(layer.strand, layer.openness.T))
    head = MorphableModel(
        name="dcign procedural head",
        licence="MIT",
        mean=shape.mean.astype(np.float32),
        shape_basis=exact_in_half(shape.basis),
        albedo=painted.vertices,
        texture=painted.texture,
        triangles=template.triangles.astype(np.int32),
        mirror=template.mirror.astype(np.int32),
        parts=part_labels(template.vertices, regions),
        part_names=PART_NAMES,
        landmarks=dict(sorted(landmarks.items())),  # as a file has them
        size_mode=0,
        population=Population(shape.spread()),
    )
    progress("making levels of detail", 0.92)
    whole = with_levels(with_hair(head, layer))
    progress("done", 1.0)
    return whole


def cache_path() -> Path:
    """Where the model of this code is cached; another version of the code has another path."""
    return cache_folder() / f"procedural-{code_key()}.npz"


def _silent(stage: str, fraction: float) -> None:
    pass
