"""Levels of detail: coarser meshes of the same people, as close to the finest mesh as so few triangles can be.

Edge collapse in a space of positions and colours (collapse.py) decides which vertices stay. Then they move to where
their surface is nearest to the finest one (projection.py), and so does each mode: a level has its own mean and basis,
for the same coefficients. Landmarks do not move. The surface of hair keeps all its vertices, because its locks are as
small as its triangles, in ten cuts at once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dcign.arrays import Float64, Floating, Int64
from dcign.facegen.levels.collapse import EDGE, FIXED, FREE, collapse_edges
from dcign.facegen.levels.features import features_of_people
from dcign.facegen.levels.projection import Projection
from dcign.facegen.model.albedo import round_to_float16
from dcign.facegen.model.morphable import Level, LevelSurface, MorphableModel

HEADS = (3_500, 2_850)  # vertices of each head: PSNR 40 dB to the finest at 150 and at 64 pixels (docs/log.md)
UNFOLDED_PEOPLE = 12  # random people of whom no triangle may turn over
ON_MIDLINE = 1e-6  # mm


def with_levels(model: MorphableModel) -> MorphableModel:
    """Return the model with its levels of detail. Its head must be mirror-symmetric, and so are the levels."""
    return replace(model, levels=tuple(_level(model, triangles) for triangles in _coarser_heads(model)))


def _level(model: MorphableModel, head: Int64) -> Level:
    """Return one level with the triangles (t, 3) of its head; the hair keeps all its vertices."""
    first = model.head_vertices
    finest = model.triangles[(model.triangles < first).all(1)]
    landmarks = np.fromiter(model.landmarks.values(), np.int64)
    project = Projection(model.mean[:first], finest, model.mirror[:first], head, landmarks)
    kept = np.concatenate([project.kept, np.arange(first, model.vertices)])
    position = np.zeros(model.vertices, np.int64)
    position[kept] = np.arange(len(kept))
    hair = model.triangles[(model.triangles >= first).all(1)]

    def fitted(values: Floating) -> Float64:
        return np.concatenate([project(values[:first]), values[first:]])

    basis = fitted(model.shape_basis.reshape(model.vertices, -1)).reshape(len(kept), 3, -1)
    mean, albedo = fitted(model.mean).astype(np.float32), model.albedo.projected(fitted)
    return Level(
        vertices=kept.astype(np.int32),
        triangles=position[np.concatenate([head, hair])].astype(np.int32),
        mirror=position[model.mirror[kept]].astype(np.int32),
        surface=LevelSurface(mean, round_to_float16(basis), albedo),
    )


def _coarser_heads(model: MorphableModel) -> list[Int64]:
    """Return the triangles (t, 3), into the model's vertices, of each level's head: the left half, then the right."""
    triangles = model.triangles[(model.mean[model.triangles][..., 0] > -ON_MIDLINE).all(1)].astype(np.int64)
    triangles = triangles[(triangles < model.head_vertices).all(1)]
    half = np.unique(triangles)
    number = np.zeros(model.vertices, np.int64)
    number[half] = np.arange(len(half))
    middle = np.abs(model.mean[half, 0]) < ON_MIDLINE
    kind = np.where(middle, EDGE, FREE)
    kind[np.isin(half, list(model.landmarks.values()))] = FIXED
    features, faces = features_of_people(model, half, UNFOLDED_PEOPLE)
    wanted = [(count + middle.sum() // 2) // 2 for count in HEADS]  # about half of the midline stays
    left = [half[each] for each in collapse_edges(number[triangles], features, faces, kind, wanted)]
    return [np.concatenate([each, model.mirror[each][:, ::-1]]) for each in left]
