"""Painting a person: skin, lips, hair, brows, lashes and eyes of the template from a few parameters.

Skin is worked out in CIELAB, where it was measured; layers are mixed in linear light; the result is sRGB. No light is
baked in but ambient occlusion: light is one of the factors that are to be learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegen.colour import lab_to_linear, linear_to_srgb
from facegen.eyes import IRIS_RADIUS, PUPIL_RADIUS
from facegen.features import Place, near
from facegen.landmarks import LANDMARKS
from facegen.primitives import Array, bump, curve, step
from facegen.regions import Regions

# Skin from the fairest (0) to the darkest (5): lightness is capped at 70, b* peaks mid-tone (de Rigal 2010, Xiao 2017).
TONE_L = curve([(0, 70), (1, 65), (2, 58.5), (3, 51), (4, 42), (5, 34)])
TONE_A = curve([(0, 10.5), (1, 12.0), (2, 12.8), (3, 13.4), (4, 13), (5, 11)])
TONE_B = curve([(0, 13.5), (1, 16), (2, 18.5), (3, 20), (4, 18.5), (5, 13.5)])
# Hair from black (0) to dark blond (5).
HAIR_L = curve([(0, 7), (1, 12), (2, 19), (3, 28), (4, 38), (5, 48)])
HAIR_A = curve([(0, 0.5), (1, 2), (2, 4.5), (3, 6), (4, 6.5), (5, 6)])
HAIR_B = curve([(0, 0.5), (1, 3), (2, 7), (3, 11.5), (4, 16), (5, 20)])


@dataclass(frozen=True)
class Appearance:
    """What a person's colours depend on; the defaults are the mean person."""

    tone: float = 2.35  # 0 fair .. 5 dark
    red: float = 0.0  # added to a*
    yellow: float = 0.0  # added to b*
    cheek_red: float = 1.0  # 0 none .. 2 flushed
    under_eye: float = 1.0  # dark rings
    beard: float = 0.24  # shadow of a shaven beard
    lip_red: float = 0.5  # added to the lips' a*
    lip_light: float = 0.0  # added to the lips' L*
    hair: float = 1.5  # 0 black .. 5 dark blond
    hair_cover: float = 0.97  # how opaque it is: 1 thick, less where the scalp shows through
    hair_red: float = 0.0  # added to the hair's a* and b*
    brow: float = 0.85  # how opaque the brows are
    lashes: float = 0.75
    iris: float = 0.35  # 0 dark .. 1 light
    iris_blue: float = 0.3  # 0 brown .. 1 blue


@dataclass(frozen=True)
class Flush:
    """A region whose skin differs from the cheek's base colour by (L*, a*, b*)."""

    name: str
    at: Place
    radii: tuple[float, float, float]
    shift: tuple[float, float, float]
    scales_with: str = ""  # the parameter of Appearance that multiplies it


FLUSHES = (
    Flush("cheek", near("cheek", 0, 14, -8), (17, 17, 30), (-1.0, 3.0, -0.8), "cheek_red"),
    Flush("nose tip", near("pronasale", 0, -0.5, -9), (15, 11, 18), (-0.4, 3.4, -0.8), "cheek_red"),
    Flush("nose", near("rhinion", 0, -11, 2), (13, 22, 25), (0, 1.0, 0), "cheek_red"),
    Flush("chin", near("pogonion", 0, -2, -7), (20, 14, 25), (0, 1.3, 0), "cheek_red"),
    Flush("under the eye", near("orbitale", -4, 4, 0), (12, 5, 14), (-2.4, 1.6, -1.6), "under_eye"),
    Flush("upper lid", near("lid_upper", 1, 2.4, -5), (15, 5, 14), (-1.8, 1.8, 0), "under_eye"),
    Flush("forehead", near("trichion", 0, -26, 2), (50, 26, 60), (0.8, 0, 1.2)),
    Flush("ear", near("tragion", 12, 6, -12), (22, 45, 40), (-1.2, 3.6, 0)),
)

SCLERA = np.array([0.60, 0.55, 0.51])  # linear
IRIS_DARK, IRIS_LIGHT = np.array([0.030, 0.016, 0.009]), np.array([0.15, 0.095, 0.05])
IRIS_BLUE = np.array([-0.035, 0.015, 0.10])  # added for blue, in proportion to the lightness
PUPIL = np.array([0.004, 0.004, 0.004])
OCCLUSION = 0.6
HAIR_MOTTLE = 0.16  # lighter and darker locks, relative to the hair


def paint(regions: Regions, person: Appearance, mottle: Array) -> Array:
    """The person's sRGB (V, 3), 0..1; mottle (V,) is a unit noise of the skin's pigment."""
    hair = np.clip(lab_to_linear(_hair_lab(person)), 0.003, 1)
    lab = _skin_lab(regions, person, mottle)
    colour = np.clip(lab_to_linear(lab), 0.003, 1)
    flesh = np.clip(lab_to_linear(lab + np.array([-8, 9, -4])), 0.003, 1).mean(0)
    colour = _over(colour, hair * 0.8, regions.brow * person.brow)
    locks = np.clip(1 + HAIR_MOTTLE * mottle, 0.5, 1.5)[:, None]
    colour = _over(colour, hair * locks, person.hair_cover * regions.hair)
    colour = _over(colour, _eyes(regions, person), regions.eye)
    colour = _over(colour, flesh, 0.8 * regions.caruncle)
    colour = _over(colour, hair * 0.3, regions.upper_lashes * person.lashes)
    colour = _over(colour, hair * 0.6 + 0.02, regions.lower_lashes * person.lashes * 0.35)
    colour *= (1 - 0.55 * regions.mouth_line)[:, None] * np.array([1, 0.93, 0.92]) ** regions.mouth_line[:, None]
    colour = _over(colour, flesh * (0.20, 0.11, 0.09), 0.85 * regions.nostril)
    return linear_to_srgb(np.clip(colour * _occlusion(regions), 0.002, 0.95))


def _skin_lab(regions: Regions, person: Appearance, mottle: Array) -> Array:
    """CIELAB (V, 3) of skin and lips."""
    dark = np.clip(person.tone / 5, 0, 1)
    base = np.array([f(np.array(person.tone)) for f in (TONE_L, TONE_A, TONE_B)])
    lab = np.tile(base + np.array([0, person.red, person.yellow]), (len(regions.half), 1))
    for flush in FLUSHES:
        # Redness shows less on dark skin.
        strength = (getattr(person, flush.scales_with) if flush.scales_with else 1.0) * (1 - 0.5 * dark)
        weight = bump(regions.half, flush.at.position(LANDMARKS), flush.radii)
        lab += strength * weight[:, None] * np.array(flush.shift)
    lab += mottle[:, None] * (0.9, 0.6, 0.2)
    lab += (person.beard * regions.beard)[:, None] * np.array([-8.0 + 3 * dark, -1.0, -3.0])
    lips = (-9.5 + 3.5 * dark + person.lip_light, 9.5 - 4.0 * dark + person.lip_red, -2.0 + 0.35 * person.lip_red)
    return np.asarray(lab + regions.lip[:, None] * np.array(lips))


def _hair_lab(person: Appearance) -> Array:
    lightness, red, yellow = (float(f(np.array(person.hair))) for f in (HAIR_L, HAIR_A, HAIR_B))
    return np.array([lightness, red + person.hair_red, yellow + person.hair_red])


def _eyes(regions: Regions, person: Appearance) -> Array:
    """Linear colour (V, 3) of the eyeball: sclera greying to the corners, iris with rays and a dark rim, pupil."""
    radius, beside = regions.iris_radius, np.abs(regions.half[:, 0] - LANDMARKS["eyeball"][0])
    sclera = SCLERA * (1 - 0.35 * np.clip((beside - 6) / 9, 0, 1) ** 1.5)[:, None]
    sclera = sclera * (1 - np.outer(0.22 * np.clip((beside - 8) / 7, 0, 1), (0, 1, 1)))
    base = IRIS_DARK + person.iris * (IRIS_LIGHT - IRIS_DARK + person.iris_blue * IRIS_BLUE)
    rays = 1 + 0.28 * np.cos(9 * regions.iris_angle + 2 * np.sin(4 * regions.iris_angle)) * np.clip(
        (radius - 2) / 4, 0, 1
    )
    rings = curve([(0, 1.25), (2.0, 1.35), (3.2, 1.25), (4.8, 0.9), (5.6, 0.45), (6.2, 0.3)])(radius)
    iris = np.clip(base, 0.003, 1) * (rays * rings)[:, None]
    eye = _over(sclera, iris, step(IRIS_RADIUS - radius, 0.16))
    return _over(eye, PUPIL, step(PUPIL_RADIUS - radius, 0.14))


def _occlusion(regions: Regions) -> Array:
    """What part of the sky a fold sees, (V, 3): red light leaks through skin."""
    seen = 1 - OCCLUSION * (1 - regions.openness)
    return np.stack([seen**0.85, seen, seen**1.05], 1)


def _over(below: Array, above: Array, opacity: Array) -> Array:
    alpha = np.clip(opacity, 0, 1)[:, None]
    return np.asarray(below * (1 - alpha) + above * alpha)
