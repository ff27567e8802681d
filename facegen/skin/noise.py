"""Noise over the skin, of unit variance. Its value at a point does not depend on the other points."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from dcign.arrays import Float32, Float64

LATTICE = 48  # cells per side after which a lattice repeats
LATTICES = 3  # that are rotated and averaged: one alone would show its axes


def smooth_noise(points: Float64, scale: float, rng: np.random.Generator, waves: int = 48) -> Float32:
    """Return band-limited noise (S,) at points (S, 3): plane waves of random direction and phase; scale in mm."""
    wave_vectors = (rng.standard_normal((waves, 3)) / scale).astype(np.float32)
    phases = rng.uniform(0, 2 * np.pi, waves).astype(np.float32)
    near = points.astype(np.float32)
    total = np.zeros(len(points), np.float32)
    for vector, phase in zip(wave_vectors, phases, strict=True):
        total += np.cos(near @ vector + phase)
    total *= np.sqrt(2 / waves)
    return total


def grain(points: Float64, size: float, rng: np.random.Generator) -> Float32:
    """Return rough noise (S,) at points (S, d), d = 1, 2 or 3, with lumps of about `size` mm: pores, strands."""
    dimensions = points.shape[1]
    near = np.asarray(points, np.float32) / np.float32(size)
    total = np.zeros(len(points), np.float32)
    for _ in range(LATTICES if dimensions == 3 else 1):
        values = rng.standard_normal((LATTICE if dimensions > 1 else 4096,) * dimensions).astype(np.float32)
        turned = near @ _turn(dimensions, rng) + np.asarray(rng.uniform(0, LATTICE, dimensions), np.float32)
        total += map_coordinates(values, turned.T, order=1, mode="grid-wrap")
    # Linear interpolation multiplies the variance by 2 / 3 per dimension.
    total /= np.sqrt((LATTICES if dimensions == 3 else 1) * (2 / 3) ** dimensions)
    return total


def _turn(dimensions: int, rng: np.random.Generator) -> Float32:
    if dimensions < 3:
        return np.eye(dimensions, dtype=np.float32)  # strands run along an axis
    return np.asarray(Rotation.random(random_state=rng).as_matrix(), np.float32)
