"""The slow, plain twin of the batch renderer: numpy alone, one triangle after another. Tests compare the two.

It follows render/shaders line by line: the same 2 x 2 sample grid, the same per-vertex and per-fragment
arithmetic, averaging in linear light. It knows nothing of OpenGL.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.scene import (
    GRAY_WEIGHTS,
    HeadFrame,
    Scene,
    light_directions,
    projection_matrix,
    view_matrices,
)

Float = NDArray[np.float64]

SUPERSAMPLING = 2


def rasterise(
    positions: NDArray[np.float32],
    normals: NDArray[np.float32],
    albedo: NDArray[np.float32],
    triangles: NDArray[np.int32],
    *,
    size: int,
    channels: int,
    angles: tuple[float, float, float],
    head: HeadFrame,
    scene: Scene,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw one face.

    positions, normals, albedo (V, 3) linear, triangles (T, 3); angles: azimuth, elevation, light azimuth in degrees
    -> image (size, size, channels), mask (size, size), both uint8
    """
    azimuth, elevation, light_azimuth = (np.array([angle]) for angle in angles)
    view = view_matrices(azimuth, elevation, head, scene.camera)[0].astype(np.float64)
    light = light_directions(light_azimuth, scene.light)[0].astype(np.float64)
    camera = positions @ view[:3, :3].T + view[:3, 3]
    clip = np.c_[camera, np.ones(len(camera))] @ projection_matrix(head, scene.camera).astype(np.float64).T
    # Per vertex: n.l, n.h, linear albedo; the same that face.vert hands to face.frag.
    normals = normals @ view[:3, :3].T
    half = _unit(light - _unit(camera))
    surface = albedo.astype(np.float64)
    if channels == 1:
        surface = surface @ np.array(GRAY_WEIGHTS)[:, None]
    attributes = np.c_[normals @ light, (normals * half).sum(axis=1), surface]
    fragments, covered = _nearest_fragments(clip, attributes, triangles, size * SUPERSAMPLING)
    radiance = np.where(covered[..., None], _shade(fragments, scene), 0.0)
    root = np.round(255 * np.sqrt(radiance)) / 255  # the samples are stored in 8 bits
    image = srgb_from_linear(_average(root**2))
    mask = _average(covered[..., None].astype(np.float64))[..., 0]
    return _bytes(image), _bytes(mask)


def srgb_from_linear(linear: Float) -> Float:
    """IEC 61966-2-1, any shape, 0..1."""
    return np.where(linear < 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def _nearest_fragments(
    clip: Float, attributes: Float, triangles: NDArray[np.int32], extent: int
) -> tuple[Float, NDArray[np.bool_]]:
    """Interpolated attributes of the nearest front face at each sample (extent, extent, A), and where there is one.

    Row 0 is the top. Attributes are interpolated with perspective: a/w and 1/w linearly on the screen.
    """
    inverse_w = 1.0 / clip[:, 3]
    screen = np.c_[
        (clip[:, 0] * inverse_w + 1) / 2 * extent, (1 - clip[:, 1] * inverse_w) / 2 * extent, clip[:, 2] * inverse_w
    ]
    over_w = attributes * inverse_w[:, None]
    depth = np.full((extent, extent), np.inf)
    found = np.zeros((extent, extent, attributes.shape[1]))
    for a, b, c in triangles:
        corners = screen[[a, b, c]]
        low = np.maximum(np.ceil(corners[:, :2].min(0) - 0.5), 0).astype(int)
        high = np.minimum(np.floor(corners[:, :2].max(0) - 0.5), extent - 1).astype(int)
        area = _cross(corners[1] - corners[0], corners[2] - corners[0])
        if (low > high).any() or area >= 0:  # off the picture or between samples, or facing away (y points down)
            continue
        x, y = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
        at = np.stack([x + 0.5, y + 0.5], axis=-1)
        weights = np.stack([_cross(corners[(i + 2) % 3] - corners[(i + 1) % 3], at - corners[(i + 1) % 3, :2])
                            for i in range(3)], axis=-1) / area  # fmt: skip
        z = weights @ corners[:, 2]
        nearer = (weights >= 0).all(-1) & (z < depth[y, x])
        w = 1.0 / (weights[nearer] @ inverse_w[[a, b, c]])
        depth[y[nearer], x[nearer]] = z[nearer]
        found[y[nearer], x[nearer]] = (weights[nearer] @ over_w[[a, b, c]]) * w[:, None]
    return found, np.isfinite(depth)


def _shade(fragments: Float, scene: Scene) -> Float:
    """albedo * (ambient + diffuse * max(n.l, 0)) + specular * max(n.h, 0)^shininess -> (..., 3 or 1), linear 0..1"""
    normal_dot_light, normal_dot_half, albedo = fragments[..., 0:1], fragments[..., 1:2], fragments[..., 2:]
    lambert = np.maximum(normal_dot_light, 0)
    highlight = np.where(lambert > 0, np.maximum(normal_dot_half, 0), 0)
    shininess = 2**scene.skin.shininess_doublings
    radiance = albedo * (scene.light.ambient + scene.light.diffuse * lambert)
    return np.asarray(np.minimum(radiance + scene.skin.specular * highlight**shininess, 1.0))


def _unit(vectors: Float) -> Float:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def _cross(a: Float, b: Float) -> Float:
    """z of the cross product of the first two components."""
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _average(samples: Float) -> Float:
    """(2 H, 2 W, C) -> (H, W, C)"""
    height, width, channels = samples.shape
    blocks = (height // SUPERSAMPLING, SUPERSAMPLING, width // SUPERSAMPLING, SUPERSAMPLING, channels)
    return np.asarray(samples.reshape(blocks).mean(axis=(1, 3)))


def _bytes(values: Float) -> NDArray[np.uint8]:
    return np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)
