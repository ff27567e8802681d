"""Build the procedural model and cache it, under a name that contains a hash of the code that made it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no stubs

from dcign.errors import ModelError
from dcign.facegen.files.cache import cache_folder, code_key, write_cached
from dcign.facegen.files.model_file import model_bytes, read_model
from dcign.facegen.hair.fitting import with_hair
from dcign.facegen.hair.layer import hair_layer
from dcign.facegen.levels.levels import with_levels
from dcign.facegen.model.albedo import round_to_float16
from dcign.facegen.model.morphable import MorphableModel, Population
from dcign.facegen.sculpture.head import head_distance
from dcign.facegen.sculpture.landmarks import locate_landmarks
from dcign.facegen.shape.prior import shape_model
from dcign.facegen.skin.texture import Strands, painting
from dcign.facegen.template.landmarks_68 import ibug_landmarks
from dcign.facegen.template.mesh import sculpture_mesh
from dcign.facegen.template.regions import PART_NAMES, find_regions, part_labels
from dcign.progress import StageProgress, no_stage_progress

SHAPE_MODES = 80


def procedural_model(progress: StageProgress = no_stage_progress) -> MorphableModel:
    """Return the procedural morphable model: from the cache if it is there and readable, else build and cache it."""
    path = cache_path()
    if path.exists():
        try:
            return read_model(path)
        except ModelError:
            pass  # damaged: the build below replaces it
    model = build_model(progress)
    write_cached(path, model_bytes(model))
    return model


def build_model(progress: StageProgress) -> MorphableModel:
    """Build the model, without the cache; about 16 s on one core. It has the same bytes every time on one machine."""
    with threadpool_limits(limits=1):  # another number of BLAS threads would round sums differently
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
            shape_basis=round_to_float16(shape.basis),
            albedo=painted.vertices,
            texture=painted.texture,
            triangles=template.triangles.astype(np.int32),
            mirror=template.mirror.astype(np.int32),
            parts=part_labels(template.vertices, regions),
            part_names=PART_NAMES,
            landmarks=dict(sorted(landmarks.items())),  # the order in a file
            size_mode=0,
            population=Population(shape.spread()),
        )
        progress("making levels of detail", 0.92)
        model = with_levels(with_hair(head, layer))
        progress("done", 1.0)
    return model


def cache_path() -> Path:
    """Return where the model is cached; each version of the code has its own path."""
    return cache_folder() / f"procedural-{code_key()}.npz"
