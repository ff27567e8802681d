"""The slow, plain twin of the truth pass: numpy only, one triangle after another. Tests compare the two."""

from __future__ import annotations

import numpy as np

from dcign.arrays import Float32, Float64
from dcign.facegen.colour import linear_to_srgb
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.truth_pass import Truth
from dcign.render.twin.rasteriser import nearest_fragments


def rasterise_truth(
    positions: Float32,
    normals: Float32,
    albedo: Float32,
    mesh: Mesh,
    *,
    size: int,
    view: Float64,
    projection: Float64,
) -> Truth:
    """Return what shaders/truth draws, unrounded: depth (H, W) mm, normals and albedo (H, W, 3), parts (H, W).

    positions, normals, albedo (V, 3) linear; view, projection (4, 4): model to camera space to clip space
    """
    camera = positions @ view[:3, :3].T + view[:3, 3]
    clip = np.c_[camera, np.ones(len(camera))] @ projection.T
    shares = np.eye(len(mesh.part_names))[mesh.parts]
    attributes = np.c_[-camera[:, 2], normals @ view[:3, :3].T, albedo, shares]
    found, depth, _ = nearest_fragments(clip, attributes, mesh.triangles, size)
    seen = np.isfinite(depth)
    turned = found[..., 1:4]
    lengths = np.linalg.norm(turned, axis=-1, keepdims=True)
    return {
        "depth": found[..., 0],
        "normals": np.divide(turned, lengths, out=np.zeros_like(turned), where=lengths > 0),
        "albedo": seen[..., None] * 255 * linear_to_srgb(found[..., 4:7]),
        "parts": seen * (1 + found[..., 7:].argmax(axis=-1)),
    }
