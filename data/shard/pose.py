"""Where the camera stands in each image: matrices from model space to camera space, and from there to pixels.

    camera = Rx(elevation) @ Ry(azimuth) @ (model - centre) - (0, 0, distance)
    (x, y, 1) depth = K @ camera,  depth = -camera z

Model space is that of model.npz, in millimetres: +x the subject's left, +y up, +z out of the nose. Camera space has
+x to the right of the picture, +y up, and the camera looks along -z. Pixels: x to the right, y down, (0, 0) is the
corner of the top left pixel. Everything comes from the shard: its labels, its nuisances and its attribute `camera`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from dcign.arrays import Float32, Float64
from dcign.data.damage import decode_reason
from dcign.data.schema import ShardHeader
from dcign.errors import DataError

Labels = Mapping[str, Float32]  # factor or nuisance -> (B, 20)


class _Camera(msgspec.Struct):
    """What the attribute `camera` holds."""

    centre: tuple[float, float, float]
    radius: float
    field_of_view_degrees: float
    fill: float
    distance: float
    distance_mm: float | None = None


def poses(header: ShardHeader, labels: Labels) -> Float64:
    """Return the matrix from model space to camera space of each image (B, 20, 4, 4).

    labels: factors and nuisances (B, 20) by name.

    Raises DataError if the header has no camera, or there is no azimuth or elevation.
    """
    camera, (azimuth, elevation) = _camera(header), (_angle(labels, name) for name in ("azimuth", "elevation"))
    matrices = np.zeros((*azimuth.shape, 4, 4))
    matrices[..., :3, :3] = _turned("x", elevation) @ _turned("y", azimuth)
    matrices[..., :3, 3] = -matrices[..., :3, :3] @ np.array(camera.centre)
    matrices[..., 2, 3] -= _distances(camera, labels)
    matrices[..., 3, 3] = 1.0
    return matrices


def intrinsics(header: ShardHeader, labels: Labels, height: int, width: int) -> Float64:
    """Return K of each image (B, 20, 3, 3), in pixels: K @ camera is (x, y, 1) times the depth.

    Raises DataError if the header has no camera.
    """
    camera, shape = _camera(header), next(iter(labels.values())).shape
    degrees = labels.get("field_of_view", np.full(shape, camera.field_of_view_degrees, np.float32))
    focal = 0.5 / np.tan(np.radians(degrees.astype(np.float64)) / 2)  # in widths; the field of view is a square's
    matrices = np.zeros((*focal.shape, 3, 3))
    matrices[..., 0, 0], matrices[..., 1, 1] = width * focal, -height * focal
    matrices[..., 0, 2], matrices[..., 1, 2], matrices[..., 2, 2] = -width / 2, -height / 2, -1.0
    return matrices


def _distances(camera: _Camera, labels: Labels) -> Float64:
    """Return millimetres from the camera to the centre (B, 20).

    Without a label the head's sphere fills the same share of the picture at any field of view.
    """
    if "distance" in labels:
        return labels["distance"].astype(np.float64)
    if "field_of_view" not in labels or camera.distance_mm is not None:
        return np.full(labels["azimuth"].shape, camera.distance)
    half = np.radians(labels["field_of_view"].astype(np.float64)) / 2
    return np.asarray(camera.radius / np.sin(np.arctan(camera.fill * np.tan(half))))


def _turned(axis: str, angle: Float64) -> Float64:
    """Return right-handed rotations about +x or +y by angles (B, 20) in radians: (B, 20, 3, 3)."""
    first, second = (1, 2) if axis == "x" else (2, 0)
    matrices = np.zeros((*angle.shape, 3, 3))
    matrices[..., 3 - first - second, 3 - first - second] = 1.0
    matrices[..., first, first] = matrices[..., second, second] = np.cos(angle)
    matrices[..., second, first] = np.sin(angle)
    matrices[..., first, second] = -np.sin(angle)
    return matrices


def _angle(labels: Labels, name: str) -> Float64:
    """Return a label in radians."""
    if name not in labels:
        raise DataError(f"expected a label {name} for poses, found {', '.join(labels)}: use a data set that has it.")
    return np.radians(labels[name].astype(np.float64))


def _camera(header: ShardHeader) -> _Camera:
    try:
        found: Any = msgspec.convert(header.camera, _Camera)
    except msgspec.ValidationError as error:
        raise DataError(
            f"expected a camera with centre, radius and distance for poses, found another ({decode_reason(error)}): "
            "use a data set of `dcign render`."
        ) from None
    assert isinstance(found, _Camera)
    return found
