"""Measure how different the people of a model are: their measurements, and the distances between them.

The distance between two people is Euclidean over the published measurements. Each is divided by its standard deviation
over all people, so that a lip counts as much as a neck.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.distance import pdist

from dcign.arrays import Float32, Float64, Integer
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.shape.girths import Chains, lay, lengths
from dcign.facegen.shape.measurements import COURSES, MEASUREMENTS, published


def measure_people(model: MorphableModel, shapes: Float32) -> Float64:
    """Return measurements (N, M), mm, of people with shape coefficients (N, Ks), on the finest level of the model."""
    bare = model.without_hair()
    chains = lay(COURSES, bare.mean.astype(np.float64), bare.triangles, bare.landmarks)
    touched, chains = on_touched_vertices(chains)  # a few hundred: thousands of people are measured in a second
    heads = bare.mean[touched] + np.einsum("vck,nk->nvc", bare.shape_basis[touched], shapes, optimize=True)
    return lengths(chains, heads)


def on_touched_vertices(chains: Chains) -> tuple[Integer, Chains]:
    """Return the vertices (v,) on which any length depends, and the same chains on a mesh of these vertices alone."""
    vertices = np.unique(chains.edges)
    return vertices, replace(chains, edges=np.searchsorted(vertices, chains.edges))


def distances(measured: Float64) -> Float64:
    """Return the distances (N (N - 1) / 2,) between any two of N people with these measurements (N, M)."""
    everybody = np.array([np.hypot(m.within, m.difference) for m in MEASUREMENTS])
    return pdist(measured / everybody)


def published_distance(correlation: Float64, rng: np.random.Generator, people: int = 1000) -> float:
    """Return the mean distance if men and women are normal about the published means, correlated by (M, M)."""
    root = np.linalg.cholesky(correlation)
    drawn = []
    for sex in ("women", "men"):
        mean, deviation = published(sex)
        drawn.append(mean + deviation * (rng.standard_normal((people // 2, len(mean))) @ root.T))
    return float(distances(np.concatenate(drawn)).mean())
