"""Noise over the skin: unit variance, the same at the same place whatever the sites it is asked at."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from dcign.arrays import Float32, Float64

LATTICE = 48  # cells a side before a lattice repeats
LATTICES = 3  # turned against each other and averaged: one alone shows its axes


def smooth_noise(points: Float64, scale: float, rng: np.random.Generator, waves: int = 48) -> Float32:
    """Band-limited noise (S,) at points (S, 3): plane waves with random directions and phases, scale in mm."""
    wave_vectors = (rng.standard_normal((waves, 3)) / scale).astype(np.float32)
    phases = rng.uniform(0, 2 * np.pi, waves).astype(np.float32)
    near = points.astype(np.float32)
    total = np.zeros(len(points), np.float32)
    for vector, phase in zip(wave_vectors, phases, strict=True):
        total += np.cos(near @ vector + phase)
    total *= np.sqrt(2 / waves)
    return total


def grain(points: Float64, size: float, rng: np.random.Generator) -> Float32:
    """Rough noise (S,) at points (S, d), d = 1, 2 or 3, whose lumps are about `size` mm across: pores, strands."""
    dimensions = points.shape[1]
    near = np.asarray(points, np.float32) / np.float32(size)
    total = np.zeros(len(points), np.float32)
    for _ in range(LATTICES if dimensions == 3 else 1):
        values = rng.standard_normal((LATTICE if dimensions > 1 else 4096,) * dimensions).astype(np.float32)
        turned = near @ _turn(dimensions, rng) + np.asarray(rng.uniform(0, LATTICE, dimensions), np.float32)
        total += map_coordinates(values, turned.T, order=1, mode="grid-wrap")
    # A linear blend of 2^d values halves the variance about 1.5 times a dimension.
    total /= np.sqrt((LATTICES if dimensions == 3 else 1) * (2 / 3) ** dimensions)
    return total


def _turn(dimensions: int, rng: np.random.Generator) -> Float32:
    if dimensions < 3:
        return np.eye(dimensions, dtype=np.float32)  # strands run along an axis
    return np.asarray(Rotation.random(random_state=rng).as_matrix(), np.float32)
