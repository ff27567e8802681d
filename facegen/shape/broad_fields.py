"""The broad shape fields, as functions: ramps over the whole head, and the motion of ears, lids, lips and hairline.

Each returns the displacement (V, 3), mm, of the template's vertices at one standard deviation. The function's name is
the name of the field.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import bump, ramp
from dcign.facegen.sculpture.features import near
from dcign.facegen.sculpture.hairline import BROW_LINE
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.sculpture.mouth import mouth_line
from dcign.facegen.shape.local_fields import Push, displacements, soft_side
from dcign.facegen.template.regions import Regions


class Geometry:
    """The template as the fields see it: vertices (V, 3) with columns x, y and z, away = |x|, mm; and its regions."""

    def __init__(self, vertices: Float64, regions: Regions) -> None:
        self.vertices, self.regions = vertices, regions
        self.x, self.y, self.z = vertices[:, 0], vertices[:, 1], vertices[:, 2]
        self.away = np.abs(self.x)

    def move(self, out: Float64 | float = 0.0, up: Float64 | float = 0.0, forward: Float64 | float = 0.0) -> Float64:
        """Return the displacement (V, 3) with these components (V,), mm.

        `out` is along x. To move both sides away from the midline, it must be positive on the left and negative on the
        right.
        """
        moved = np.empty_like(self.vertices)
        moved[:, 0], moved[:, 1], moved[:, 2] = out, up, forward
        return moved


def size(g: Geometry) -> Float64:
    """A larger head."""
    return 0.019 * g.vertices


def face_height(g: Geometry) -> Float64:
    """The face is longer, from the root of the nose down."""
    below = np.clip(-g.y / 114, 0, 1.15)
    return g.move(up=-4.4 * below * (0.35 + 0.65 * ramp(g.z, -30, 60)))


def face_width(g: Geometry) -> Float64:
    """Wide at the cheek arches."""
    return g.move(out=2.3 * g.x / 70 * _band(g.y, -22, 45) * ramp(g.z, -40, 20))


def jaw_width(g: Geometry) -> Float64:
    """Wide below the height of the mouth: one smooth field for angle, body and jowl."""
    side = soft_side(g.vertices, 16)
    return g.move(out=2.5 * side * _band(g.y, -80, 38) * np.clip(g.away / 45, 0, 1) * (1 - 0.7 * ramp(g.z, 60, 105)))


def fatness(g: Geometry) -> Float64:
    """Full cheeks, jowls and neck, and a soft floor of the mouth: the effect of body fat."""
    cheek = bump(g.regions.half, (52, -62, 48), (26, 34, 46)) + 0.8 * bump(g.regions.half, (46, -92, 40), (26, 26, 44))
    under = bump(g.regions.half, (0, -122, 52), (42, 24, 34))
    around = ramp(-g.y, 90, 126)
    side = soft_side(g.vertices, 16)
    return g.move(
        out=2.5 * side * cheek + 2.6 * g.x / 50 * around,
        up=-3.4 * under,
        forward=0.9 * cheek + 1.6 * under + 2.2 * (g.z + 22) / 55 * around,
    )


def jowl(g: Geometry) -> Float64:
    """The cheek sags over the jaw's edge, beside the chin."""
    pushes = (
        Push("jowl", "out", 1.3, near("jaw_middle", 0, 8, 6), (16, 15, 24)),
        Push("jowl", "up", -1.6, near("jaw_middle", -2, 10, 10), (18, 16, 26)),
    )
    return displacements(pushes, g.vertices, g.regions)["jowl"]


def head_breadth(g: Geometry) -> Float64:
    """A wide brain case."""
    return g.move(out=2.1 * g.x / 75 * ramp(g.y, -70, 20))


def head_length(g: Geometry) -> Float64:
    """A long brain case, mostly backwards."""
    return g.move(forward=3.5 * np.where(g.z < 0, g.z / 95, g.z / 95 * 0.45))


def crown(g: Geometry) -> Float64:
    """A high top of the head."""
    return g.move(up=4.0 * ramp(g.y, 35, 118))


def forehead_slope(g: Geometry) -> Float64:
    """A forehead that falls back."""
    return g.move(forward=-3.6 * ramp(g.y, 22, 95) * ramp(g.z, 0, 70))


def nose_length(g: Geometry) -> Float64:
    """A long nose; the face below moves along."""
    return g.move(up=-2.8 * ramp(-g.y, -4, 40) * np.exp(-np.clip(-g.y - 48, 0, None) / 60) * ramp(g.z, 0, 50))


def upper_lip_length(g: Geometry) -> Float64:
    """A large distance from nose to mouth; the face below moves along."""
    return g.move(up=-1.7 * ramp(-g.y, 46, 62) * np.exp(-np.clip(-g.y - 66, 0, None) / 70) * ramp(g.z, 0, 50))


def chin_height(g: Geometry) -> Float64:
    """A long chin."""
    return g.move(up=-2.6 * ramp(-g.y, 78, 110) * ramp(g.z, 10, 70))


def prognathism(g: Geometry) -> Float64:
    """The lower face comes forward."""
    return g.move(forward=2.8 * ramp(-g.y, 45, 105) * ramp(g.z, 20, 80))


def neck(g: Geometry) -> Float64:
    """A thick neck."""
    # The effect fades below the jaw, so that the neck does not widen like a cone.
    below = ramp(-g.y, 78, 122) * (1 - 0.4 * ramp(-g.y, 122, 165))
    return g.move(out=3.6 * g.x / 55 * below, forward=3.2 * (g.z + 22) / 55 * below)


def eye_size(g: Geometry) -> Float64:
    """The whole eye larger."""
    around = bump(g.regions.half, (LANDMARKS["pupil"][0], 0, 76), (19, 15, 24))
    return g.move(out=0.045 * (g.x - np.sign(g.x) * 31.5) * around, up=0.045 * g.y * around)


def lid_opening(g: Geometry) -> Float64:
    """Wide open eyes: the upper lid rises, the lower one sinks a little."""
    eye = np.exp(-(((g.away - 30.5) / 11.0) ** 2)) * ramp(g.z, 58, 68) * (1 - g.regions.eye)
    return g.move(up=(0.9 * _band(g.y, 6, 5) - 0.35 * _band(g.y, -5.5, 3)) * eye)


def brow_thickness(g: Geometry) -> Float64:
    """Bushy brows: the skin is stretched away from the middle line of the brow."""
    above = g.y - BROW_LINE(g.away)
    return g.move(up=0.15 * above * np.exp(-((above / 6) ** 2)) * ramp(g.z, 40, 60))


def mouth_width(g: Geometry) -> Float64:
    """A wide mouth."""
    corner = np.clip(g.away / 26, 0, 1) * np.exp(-(((g.away - 24) / 17) ** 2)) * _band(g.y, -68, 12)
    return g.move(out=1.9 * soft_side(g.vertices, 3) * corner * ramp(g.z, 60, 80))


def upper_lip(g: Geometry) -> Float64:
    """A full upper lip."""
    red = _band(g.y, -60.5, 4.2) * np.exp(-((g.away / 17) ** 2)) * ramp(g.z, 75, 90)
    return g.move(up=1.15 * red * (g.y > mouth_line(g.away)), forward=1.1 * red)


def lower_lip(g: Geometry) -> Float64:
    """A full lower lip."""
    red = _band(g.y, -74, 4.6) * np.exp(-((g.away / 17) ** 2)) * ramp(g.z, 75, 90)
    return g.move(up=-1.25 * red * (g.y < mouth_line(g.away)), forward=1.2 * red)


def ear_size(g: Geometry) -> Float64:
    """Large ears."""
    ear = _ears(g)
    return g.move(up=0.072 * (g.y + 14) * ear, forward=0.065 * (g.z + 4) * ear)


def ear_flare(g: Geometry) -> Float64:
    """Ears that stand out."""
    return g.move(out=2.4 * soft_side(g.vertices, 3) * _ears(g) * np.clip((g.away - 70) / 14, 0, 1.5))


def ear_height(g: Geometry) -> Float64:
    """Ears set high."""
    return g.move(up=2.2 * _ears(g))


def ear_lobe(g: Geometry) -> Float64:
    """Long lobes."""
    return g.move(up=-1.8 * _lobe(g))


def hairline(g: Geometry) -> Float64:
    """A high forehead: the hairline moves up, the skull does not."""
    rise = 3.6 * np.exp(-((g.regions.inside_hair / 26) ** 2)) * ramp(g.z, 20, 70)
    upwards = np.array([0, 1, 0]) - g.regions.normals[:, 1:2] * g.regions.normals
    return rise[:, None] * upwards


def receding_temples(g: Geometry) -> Float64:
    """The hairline falls back beside the forehead, not in its middle."""
    corner = np.exp(-(((g.away - 44) / 16) ** 2) - ((g.regions.inside_hair / 20) ** 2)) * ramp(g.z, 0, 50)
    back = np.array([0, 0.7, -0.7])
    backwards = back - (g.regions.normals @ back)[:, None] * g.regions.normals
    return np.asarray(4.0 * corner[:, None] * backwards)


def chin_aside(g: Geometry) -> Float64:
    """An asymmetry: the chin to one side."""
    return g.move(out=0.65 * ramp(-g.y, 30, 110) * ramp(g.z, 20, 90))


def face_tilt(g: Geometry) -> Float64:
    """An asymmetry: one side of the face higher."""
    return g.move(up=0.4 * g.x / 60 * ramp(g.z, 0, 50))


BROAD_FIELDS: tuple[Callable[[Geometry], Float64], ...] = (
    size, face_height, face_width, jaw_width, fatness, jowl, head_breadth, head_length, crown, forehead_slope,
    nose_length, upper_lip_length, chin_height, prognathism, neck,
    eye_size, lid_opening, brow_thickness, mouth_width, upper_lip, lower_lip,
    ear_size, ear_flare, ear_height, ear_lobe,
    hairline, receding_temples,
    chin_aside, face_tilt,
)  # fmt: skip


def _band(t: Float64, centre: float, width: float) -> Float64:
    return np.asarray(np.exp(-(((t - centre) / width) ** 2)))


def _ears(g: Geometry) -> Float64:
    # The lobe is nearer to the head than the rim, and all of it moves with the rim. With the distance ramp alone, only
    # its outer part would move, and the lobe would end in a point.
    outside = 1 - (1 - ramp(g.away, 69.5, 76)) * (1 - _lobe(g))
    outside *= np.exp(-(((g.y + 14) / 48) ** 4))
    return outside * ramp(-g.z, -16, -6) * (g.z > -60)


def _lobe(g: Geometry) -> Float64:
    return bump(g.regions.half, near("ear_bottom", 1, -1, -2).position(LANDMARKS), (14, 15, 15))
