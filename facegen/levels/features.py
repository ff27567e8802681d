"""What the levels of a model must keep: the shapes and colours of people, and landmarks at their vertices."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float32, Float64, IntP
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.population import sample_person, stacked

PEOPLE = 40  # random people, whose colours and shapes the levels must keep
PATTERNS = 3  # principal components of their lightness
COLOUR_MM = 15.0  # mm of position error that weigh as much as a difference from black to white; 10 and 20 do as well


def features_of_people(model: MorphableModel, vertices: IntP, unfolded: int) -> tuple[Float64, Float64]:
    """Return what `collapse_edges` measures at some vertices (n,) of a model: features (n, 4 + PATTERNS) and faces.

    features: position and lightness, mm; faces (1 + unfolded, n, 3) mm: the mean and the first random people
    """
    rng = np.random.default_rng(0)
    shape, albedo, attributes = stacked([sample_person(model, rng) for _ in range(PEOPLE)])
    lightness = _lightness(model.albedos(albedo, attributes)[:, vertices])
    faces = np.concatenate([model.mean[None], model.shapes(shape[:unfolded], attributes[:unfolded])])[:, vertices]
    return np.concatenate([model.mean[vertices], COLOUR_MM * lightness], 1), faces.astype(np.float64)


def _lightness(albedos: Float32) -> Float64:
    """Return the mean lightness, 0..1, of people (N, V, 3), and its principal components: (V, 1 + PATTERNS).

    The components are scaled to one standard deviation.
    """
    gray = albedos.astype(np.float64) @ (0.3, 0.6, 0.1)
    mean = gray.mean(0)
    _, strength, patterns = np.linalg.svd(gray - mean, full_matrices=False)
    return np.concatenate([mean[:, None], patterns[:PATTERNS].T * (strength[:PATTERNS] / np.sqrt(len(gray)))], 1)
