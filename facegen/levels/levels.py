"""Levels of detail: coarser meshes of the same people, as close to the finest as so few triangles can be.

Which vertices stay is decided by edge collapse in a space of places and colours (collapse.py). Then they move to where
their surface is nearest to the finest one (projection.py), and so does each mode: a level has a mean and a basis of its
own, in the same coefficients. Landmarks stay exactly where they are. The layer of hair is kept whole: its locks are as
small as its triangles, in ten cuts at once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dcign.arrays import Float32, Float64, Floating, Int64
from dcign.facegen.levels.collapse import EDGE, FIXED, FREE, collapsed
from dcign.facegen.levels.projection import Projection
from dcign.facegen.model.morphable import Fit, Level, MorphableModel, exact_in_half
from dcign.facegen.model.population import sample_person, stacked

HEADS = (3_500, 2_850)  # vertices of the head: 40 dB from the finest at 150 and at 64 pixels (docs/log.md)
CROWD, PATTERNS, TRIED = 40, 3, 12  # people, the strongest patterns of their lightness; faces that may not fold
COLOUR_MM = 15.0  # by how many mm an edge between black and white may as well be off; 10 and 20 do as well
ON_MIDLINE = 1e-6  # mm


def with_levels(model: MorphableModel) -> MorphableModel:
    """The same model with its levels of detail. Its head must be its own mirror image, and so are they."""
    return replace(model, levels=tuple(_level(model, triangles) for triangles in _coarser_heads(model)))


def _level(model: MorphableModel, head: Int64) -> Level:
    """One level from the triangles (t, 3) of its head; the hair is whole."""
    first = model.hair.first if model.hair is not None else model.vertices
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
    return Level(
        vertices=kept.astype(np.int32),
        triangles=position[np.concatenate([head, hair])].astype(np.int32),
        mirror=position[model.mirror[kept]].astype(np.int32),
        fit=Fit(fitted(model.mean).astype(np.float32), exact_in_half(basis), model.albedo.projected(fitted)),
    )


def _coarser_heads(model: MorphableModel) -> list[Int64]:
    """The triangles (t, 3) of each level's head, into the model's vertices: the left half's, then their mirrors."""
    triangles = model.triangles[(model.mean[model.triangles][..., 0] > -ON_MIDLINE).all(1)].astype(np.int64)
    if model.hair is not None:
        triangles = triangles[(triangles < model.hair.first).all(1)]
    half = np.unique(triangles)
    number = np.zeros(model.vertices, np.int64)
    number[half] = np.arange(len(half))
    middle = np.abs(model.mean[half, 0]) < ON_MIDLINE
    kind = np.where(middle, EDGE, FREE)
    kind[np.isin(half, list(model.landmarks.values()))] = FIXED
    rng = np.random.default_rng(0)
    shape, albedo, attributes = stacked([sample_person(model, rng) for _ in range(CROWD)])
    features = np.concatenate([model.mean[half], COLOUR_MM * _lightness(model.albedos(albedo, attributes)[:, half])], 1)
    faces = np.concatenate([model.mean[None], model.shapes(shape[:TRIED], attributes[:TRIED])])[:, half]
    wanted = [(count + middle.sum() // 2) // 2 for count in HEADS]  # about half of the midline stays
    left = [half[each] for each in collapsed(number[triangles], features, faces.astype(np.float64), kind, wanted)]
    return [np.concatenate([each, model.mirror[each][:, ::-1]]) for each in left]


def _lightness(albedos: Float32) -> Float64:
    """Of people (N, V, 3): their mean lightness, 0..1, and its strongest patterns, one deviation: (V, 1 + PATTERNS)."""
    gray = albedos.astype(np.float64) @ (0.3, 0.6, 0.1)
    mean = gray.mean(0)
    _, strength, patterns = np.linalg.svd(gray - mean, full_matrices=False)
    return np.concatenate([mean[:, None], patterns[:PATTERNS].T * (strength[:PATTERNS] / np.sqrt(len(gray)))], 1)
