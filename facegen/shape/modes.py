"""Gaussian-process shape modes: smooth variation at four scales that no named field describes.

The modes are the leading eigenfunctions of the kernel exp(-d^2 / 2 scale^2) on the surface of the head, estimated from
a few hundred farthest points (Nystroem). Most modes are symmetric; a few weaker ones are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import ramp

MIRROR = np.array([-1.0, 1.0, 1.0])
POINTS = 420  # at which the kernel is sampled
ASYMMETRY = 0.10  # amplitude of asymmetric modes over that of symmetric ones
COARSE = 30.0  # mm: only larger scales have asymmetric modes
WIDE = 60.0  # mm: smaller scales are damped along the jaw


@dataclass(frozen=True)
class Scale:
    """Variation of about `amplitude` mm over distances of about `scale` mm, as `count` modes per axis."""

    scale: float
    amplitude: float
    count: int


SCALES = (Scale(85, 1.0, 26), Scale(42, 0.72, 40), Scale(22, 0.38, 60), Scale(12, 0.16, 70))


def gaussian_process_modes(vertices: Float64) -> tuple[Float64, Float64]:
    """Return modes (V, 3, K), one standard deviation each, and the scale (K,) of each; mm."""
    points = _farthest_points(vertices)
    modes, scales = [], []
    for scale in SCALES:
        for part in _modes_of_scale(vertices, points, scale):
            modes.append(part)
            scales.append(np.full(part.shape[2], scale.scale))
    return np.concatenate(modes, 2), np.concatenate(scales)


def _modes_of_scale(vertices: Float64, points: Float64, scale: Scale) -> Iterator[Float64]:
    damping = _damping(vertices, scale)
    still_neck = 0.25 + 0.75 * (1 - ramp(-vertices[:, 1], 118, 165))
    for parity, axes in ((-1, (0,)), (1, (1, 2))):
        functions = _eigenfunctions(vertices, points, scale, parity, scale.count)
        for axis in axes:
            # Faces vary less in height than in the other two directions.
            yield _along(functions * (damping * still_neck * (0.8 if axis == 1 else 1.0))[:, None], axis)
        if scale.scale > COARSE:
            weak = functions[:, : scale.count // 2] * (ASYMMETRY * still_neck)[:, None]
            for axis in {0, 1, 2} - set(axes):
                yield _along(weak, axis)


def _eigenfunctions(vertices: Float64, points: Float64, scale: Scale, parity: int, count: int) -> Float64:
    """Return the leading eigenfunctions (V, count) of the kernel, even (parity 1) or odd (-1) in x."""

    def kernel(first: Float64) -> Float64:
        both = [np.exp(-_squared_distances(first, p) / (2 * scale.scale**2)) for p in (points, points * MIRROR)]
        return np.asarray(both[0] + parity * both[1])

    values, vectors = np.linalg.eigh(kernel(points) + 1e-6 * np.eye(len(points)))
    values, vectors = values[::-1][:count], vectors[:, ::-1][:, :count]
    return np.asarray(scale.amplitude * kernel(vertices) @ (vectors / np.sqrt(np.maximum(values, 1e-9))))


def _farthest_points(vertices: Float64) -> Float64:
    """Return points (POINTS, 3) on the left half, each the farthest from those before; the face has more weight."""
    half = vertices[vertices[:, 0] >= -1e-6]
    weight = np.where(half[:, 2] > 10, 1.0, 0.45)
    chosen = [int(np.argmax(half[:, 2]))]
    nearest = np.full(len(half), np.inf)
    for _ in range(POINTS - 1):
        nearest = np.minimum(nearest, ((half - half[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(np.argmax(nearest * weight)))
    return half[chosen]


def _damping(vertices: Float64, scale: Scale) -> Float64:
    """Return factors (V,) < 1 around the eyes, where fine waves would break the lids, and along the jaw."""
    x, y, z = vertices.T
    eyes = np.exp(-(((np.abs(x) - 31) / 17) ** 2) - (y / 11) ** 2) * (z > 50)
    # The outline from the angle of the jaw to the chin is one curve: such waves would detach the chin from it.
    jaw = np.exp(-(((y + 86) / 32) ** 2)) * ramp(np.abs(x), 16, 34) * ramp(z, -30, 10)
    at_eyes, at_jaw = 0.75 if scale.scale < COARSE else 0.3, 0.55 if scale.scale < WIDE else 0
    return np.asarray((1 - at_eyes * eyes) * (1 - at_jaw * jaw))


def _along(functions: Float64, axis: int) -> Float64:
    modes = np.zeros((len(functions), 3, functions.shape[1]))
    modes[:, axis] = functions
    return modes


def _squared_distances(first: Float64, second: Float64) -> Float64:
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return np.asarray(np.maximum(squares, 0))
