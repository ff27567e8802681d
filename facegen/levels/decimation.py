"""Levels of models read from files: coarser meshes by edge collapse (collapse.py).

A level consists of the model's own vertices, so that it shares the model's basis. All landmarks stay, and so do the
edges between parts of different colours, such as an iris and the white around it.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from dcign.arrays import Bool, Float32, Int32, Int64
from dcign.facegen.levels.collapse import EDGE, FIXED, FREE, collapse_edges
from dcign.facegen.levels.features import features_of_people
from dcign.facegen.model.morphable import Level, MorphableModel

VERTICES = (5_000, 2_500)  # what render draws with up to 256 and 96 pixels
LEAST_RATIO = 1.3  # of the mesh's vertices to a level's
SYMMETRIC = 0.5  # mm
UNFOLDED_PEOPLE = 3  # random people of whom no triangle may turn over; more make the conversion slow


def coarser_levels(model: MorphableModel) -> tuple[Level, ...]:
    """Return levels of a model, finest first. Each has all landmarks of the model."""
    wanted = [count for count in VERTICES if model.vertices > LEAST_RATIO * count]
    if not wanted:
        return ()
    triangles = model.triangles.astype(np.int64)
    kind = np.where(_on_border(triangles, model.vertices), EDGE, FREE)
    kind[list(model.landmarks.values())] = FIXED
    features, faces = features_of_people(model, np.arange(model.vertices), UNFOLDED_PEOPLE)
    return tuple(_level(model.mean, cells) for cells in collapse_edges(triangles, features, faces, kind, wanted))


def mirror_of(mean: Float32) -> Int32:
    """Return the vertex across the midline of each vertex (V,), or each vertex itself if the mesh is not symmetric."""
    flipped = mean * np.array([-1, 1, 1], np.float32)
    distance, across = (np.asarray(part) for part in cKDTree(mean).query(flipped))
    own = np.arange(len(mean))
    if distance.max() > SYMMETRIC or (across[across] != own).any():
        across = own
    return across.astype(np.int32)


def _on_border(triangles: Int64, vertices: int) -> Bool:
    """Return which vertices (V,) are on an edge of one triangle only (T, 3): the border of an open mesh."""
    edges = np.sort(np.stack([triangles.ravel(), np.roll(triangles, -1, 1).ravel()], 1), axis=1)
    each, counts = np.unique(edges, axis=0, return_counts=True)
    border = np.zeros(vertices, bool)
    border[each[counts == 1]] = True
    return border


def _level(mean: Float32, triangles: Int64) -> Level:
    chosen, corners = np.unique(triangles, return_inverse=True)
    cells = corners.reshape(-1, 3).astype(np.int32)
    return Level(chosen.astype(np.int32), cells, mirror_of(mean[chosen]))
