"""How densely each region of the face is meshed, and the rows of vertices that follow its sharp lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.ear import rim_rows
from facegen.eyes import (
    CORNERS,
    EYEBALL_RADIUS,
    IRIS_RADIUS,
    IRIS_RAISED,
    LOWER_MARGIN,
    PUPIL_RADIUS,
    UPPER_MARGIN,
    aperture,
)
from facegen.features import Place, near
from facegen.landmarks import LANDMARKS, SURFACE_LANDMARKS
from facegen.mouth import mouth_line, mouth_line_depth
from facegen.primitives import Array


@dataclass(frozen=True)
class Zone:
    """Inside the ellipsoid, vertices are `spacing` mm apart; growing to COARSEST over `softness` radii."""

    name: str
    at: Place
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
    Zone("long hair", near("tragion", -21, -40, -37), (26, 34, 40), 4.2, 0.6),
    Zone("chin", near("pogonion", 0, -2, -19), (40, 25, 40), 2.6, 1.0),
)


def vertex_spacing(points: Array) -> Array:
    """Wanted distance (N,), mm, between neighbouring vertices at points (N, 3)."""
    half = np.concatenate([np.abs(points[:, :1]), points[:, 1:]], 1)
    spacing = np.full(len(points), COARSEST)
    for zone in ZONES:
        away = np.linalg.norm((half - zone.at.position(LANDMARKS)) / zone.radii, axis=1)
        growth = np.clip((away - 1) / zone.softness, 0, 1)
        spacing = np.minimum(spacing, zone.spacing + (COARSEST - zone.spacing) * growth)
    return spacing


# Where vertices slide along the skin after meshing: (place, radii).
SLIDING = (
    (near("tragion", 12, 3, -18), (20, 44, 30)),  # ears: their backs are hidden from the rays' centre
    (near("subnasale", 6, 1, 4), (13, 9, 16)),  # nostrils and wings: seen at a grazing angle
)


def slide_freedom(points: Array) -> Array:
    """How freely (N,), 0..1, a vertex at points (N, 3) may slide along the skin."""
    half = np.concatenate([np.abs(points[:, :1]), points[:, 1:]], 1)
    free = np.zeros(len(points))
    for place, radii in SLIDING:
        away = np.linalg.norm((half - place.position(LANDMARKS)) / radii, axis=1)
        free = np.maximum(free, np.clip((1.2 - away) / 0.2, 0, 1))
    return free


def feature_rows() -> list[Array]:
    """Rows of points (n, 3), x > 0, near the skin: lid margins, iris, mouth line, landmarks; kept in every level."""
    return [*_landmark_rows(), *_lid_rows(), *_iris_rows(), *_mouth_rows(), *rim_rows()]


def _landmark_rows() -> list[Array]:
    """One point each: a landmark is a vertex, not the vertex that happens to be near."""
    places = [np.array([LANDMARKS[name]], float) for name in SURFACE_LANDMARKS]
    return [place for place in places if place[0, 0] > 0]


def _lid_rows() -> list[Array]:
    eye_x, _, eye_z = LANDMARKS["eyeball"]
    x = np.linspace(CORNERS[0] + 0.4, CORNERS[1] - 0.4, 42)
    rows = []
    for margin, outwards in ((UPPER_MARGIN, 1), (LOWER_MARGIN, -1)):
        # On the eyeball just inside the margin, on the lid's edge, and on the lid's front.
        for offset, radius in ((-0.45, 12.3), (0.35, 14.2), (1.25, 14.2)):
            y = margin(x) + outwards * offset
            z = eye_z + np.sqrt(np.maximum(radius**2 - (x - eye_x) ** 2 - y**2, 4))
            rows.append(np.stack([x, y, z], 1))
    return rows


def _iris_rows() -> list[Array]:
    eye_x, _, eye_z = LANDMARKS["eyeball"]
    rings = (
        (0.01, 1),
        (1.1, 8),
        (PUPIL_RADIUS - 0.15, 14),
        (PUPIL_RADIUS + 0.35, 16),
        (3.4, 22),
        (4.5, 28),
        (IRIS_RADIUS - 0.5, 34),
        (IRIS_RADIUS + 0.15, 38),
    )
    rows = []
    for radius, count in rings:
        angle = np.arange(count) * 2 * np.pi / count + 0.1 * (count > 1)
        x, y = eye_x + radius * np.cos(angle), IRIS_RAISED + radius * np.sin(angle)
        z = np.full(count, eye_z + np.sqrt((EYEBALL_RADIUS + 0.6) ** 2 - radius**2))
        rows.append(np.stack([x, y, z], 1)[aperture(x, y) > 0.6])
    return rows


def _mouth_rows() -> list[Array]:
    x = np.linspace(0.95, 26.6, 30)
    return [np.stack([x, mouth_line(x) + offset, mouth_line_depth(x)], 1) for offset in (-0.9, 0.0, 0.9)]
