"""The density of the mesh in each region of the face, and where vertices may slide along the skin afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.sculpture.features import LandmarkOffset, near
from dcign.facegen.sculpture.landmarks import LANDMARKS


@dataclass(frozen=True)
class Zone:
    """An ellipsoid with vertices `spacing` mm apart; outside, the spacing grows to COARSEST over `softness` radii."""

    name: str
    at: LandmarkOffset
    radii: tuple[float, float, float]
    spacing: float
    softness: float


COARSEST = 7.0  # mm: scalp and neck

ZONES = (
    Zone("face", near("rhinion", 0, -16, -43), (66, 88, 60), 2.5, 0.8),
    Zone("forehead", near("glabella", 0, 10, -27), (62, 40, 60), 3.4, 0.8),
    Zone("eye", near("pupil", -0.5, 1.7, -6), (20, 11, 22), 1.0, 1.2),
    Zone("brow", near("brow_peak", -10, -2.5), (28, 8, 30), 1.25, 1.6),
    Zone("nose", near("pronasale", 0, 1.5, -16), (22, 18, 30), 1.35, 1.5),
    Zone("mouth", near("stomion", 0, -0.2, -5), (30, 13, 24), 1.2, 1.5),
    Zone("ear", near("tragion", 9, 6, -14), (16, 34, 26), 1.9, 0.8),
    Zone("under jaw", near("gonion", -12, -12, 18), (34, 22, 44), 3.4, 0.7),
    Zone("chin", near("pogonion", 0, -2, -19), (40, 25, 40), 2.6, 1.0),
)


def vertex_spacing(points: Float64) -> Float64:
    """Return the target distance (N,), mm, between neighbouring vertices at points (N, 3)."""
    half = np.concatenate([np.abs(points[:, :1]), points[:, 1:]], 1)
    spacing = np.full(len(points), COARSEST)
    for zone in ZONES:
        away = np.linalg.norm((half - zone.at.position(LANDMARKS)) / zone.radii, axis=1)
        growth = np.clip((away - 1) / zone.softness, 0, 1)
        spacing = np.minimum(spacing, zone.spacing + (COARSEST - zone.spacing) * growth)
    return spacing


# Ellipsoids in which vertices slide along the skin after meshing: (centre, radii).
SLIDING = (
    (near("tragion", 12, 3, -18), (20, 44, 30)),  # ears: their backs are hidden from the centre of the rays
    (near("subnasale", 6, 1, 4), (13, 9, 16)),  # nostrils and wings: rays arrive at a grazing angle
    (near("pupil", -1, 1.5, -6), (18, 11, 22)),  # lids: evenly between their rows
    (near("gonion", -10, -18, 22), (30, 24, 46)),  # below the jaw: it hides the neck behind it
)


def slide_freedom(points: Float64) -> Float64:
    """Return how freely (N,), 0..1, vertices at points (N, 3) may slide along the skin."""
    half = np.concatenate([np.abs(points[:, :1]), points[:, 1:]], 1)
    free = np.zeros(len(points))
    for centre, radii in SLIDING:
        away = np.linalg.norm((half - centre.position(LANDMARKS)) / radii, axis=1)
        free = np.maximum(free, np.clip((1.2 - away) / 0.2, 0, 1))
    return free
