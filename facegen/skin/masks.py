"""Named masks over sites of skin and hair, which layers.py colours. Sites are vertices or texels.

A mask is 0..1 unless noted. `*_mm` are signed distances, positive inside. Noises have unit variance and are 0 where the
sites are too far apart to show them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Bool, Float32, Float64, Integer
from dcign.facegen.primitives import bump, curve, ramp, step, window
from dcign.facegen.sculpture.eyes import IRIS_RADIUS, LOWER_MARGIN, PUPIL_RADIUS, UPPER_MARGIN
from dcign.facegen.sculpture.features import LandmarkOffset, near
from dcign.facegen.sculpture.hairline import BROW_HALF_HEIGHT, BROW_LINE, hairline_noise
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.sculpture.mouth import LOWER_VERMILION, UPPER_VERMILION, mouth_line
from dcign.facegen.skin.brow_hairs import brow_hairs
from dcign.facegen.skin.complexion import MOLES, MOTTLES
from dcign.facegen.skin.noise import grain, smooth_noise
from dcign.facegen.skin.spots import Spots, anywhere, on_cheeks_and_nose, on_sunny_skin, scatter_spots
from dcign.facegen.skin.wrinkles import GROUPS, RIDGE, line_masks
from dcign.facegen.template.regions import Regions

FINE = 0.9  # mm: sites closer than this show pores and strokes
# Range of a mask by the start of its name; 0..1 for all others.
_RANGES = {
    **dict.fromkeys(("mottle_", "grain", "pores", "lip_lines", "brow_strokes", "fibres", "lash_strokes"), (-3.0, 3.0)),
    **dict.fromkeys(("tufts", "dots", "locks", "white_locks"), (-3.0, 3.0)),
    **dict.fromkeys(GROUPS, (-RIDGE, 1.0)),
    "scalp_mm": (-16.0, 34.0),
    "brow_mm": (-4.0, 4.0),
    "beard_mm": (-10.0, 14.0),
}
_MOTTLE_SCALES = (5.0, 8.0, 12.0, 18.0, 28.0)  # mm


@dataclass(frozen=True, eq=False)
class Sites:
    """Points (S, 3) of the template to be coloured; footprint (S,): distance between neighbours, mm.

    regions: those of the sites on the head. strand (S, 2): for sites on the hair, the position around the head (0 front
    .. 1 back, the same on both sides) and along the hair (0 root .. 1 tip); NaN on the head. openness (S, cuts): share
    of the sky that hair is exposed to, by haircut.
    """

    points: Float64
    footprint: Float64
    regions: Regions
    strand: Float64
    openness: Float64


# Skin that differs from the cheek: centre, radii in mm. The colours are in layers.py.
_PATCHES: dict[str, tuple[LandmarkOffset, tuple[float, float, float]]] = {
    "cheek_flush": (near("cheek", 0, 20, -6), (16, 15, 30)),
    "nose_tip": (near("pronasale", 0, -0.5, -9), (14, 11, 18)),
    "nose": (near("rhinion", 0, -11, 2), (13, 22, 25)),
    "wing_crease": (near("alar_crease", 0, -1, 2), (5, 7, 9)),
    "chin": (near("pogonion", 0, -2, -7), (20, 14, 25)),
    "under_eye": (near("orbitale", -6, 5, 0), (11, 4.5, 14)),
    "inner_corner": (near("endocanthion", -1, 1, 2), (5, 8, 9)),
    "upper_lid": (near("lid_upper", 1, 2.8, -5), (15, 4.5, 14)),
    "forehead": (near("trichion", 0, -26, 2), (50, 26, 60)),
    "around_mouth": (near("stomion", 0, -2, 0), (34, 20, 25)),
    "temple": (near("frontotemporale", 6, -8, -8), (18, 24, 30)),
}
_UPPER_BEARD = curve(  # height of the upper border of a beard over x
    ((0, -51), (12, -51.5), (21, -55), (29, -64), (36, -66), (46, -58), (56, -42), (63, -22), (68, -4), (80, 0))
)


def all_masks(sites: Sites, spots: dict[str, Spots]) -> dict[str, Float32]:
    """Return every mask (S,) by name, over head and hair."""
    on_head = np.isnan(sites.strand[:, 0])
    head = _head_masks(sites, on_head, spots)
    hair = _hair_masks(sites.strand[~on_head], sites.openness[~on_head], sites.footprint[~on_head])
    masks = {name: np.zeros(len(on_head), np.float32) for name in (*head, *hair)}
    for where, own in ((on_head, head), (~on_head, hair)):
        for name, mask in own.items():
            masks[name][where] = mask
    return masks


def mask_range(name: str) -> tuple[float, float]:
    """Return the least and the greatest value of a mask."""
    return next((limits for start, limits in _RANGES.items() if name.startswith(start)), (0.0, 1.0))


def find_spots(vertices: Float64, triangles: Integer) -> dict[str, Spots]:
    """Return the freckles, age spots and moles of the template."""
    rng = np.random.default_rng(17)
    spots = {
        "freckles": scatter_spots(vertices, triangles, 1400, on_cheeks_and_nose, (0.5, 1.5), rng),
        "age_spots": scatter_spots(vertices, triangles, 170, on_sunny_skin, (1.2, 5.0), rng),
    }
    for group in range(MOLES):
        spots[f"moles_{group}"] = scatter_spots(vertices, triangles, 3, anywhere, (0.6, 1.9), rng)
    return spots


def _head_masks(sites: Sites, on_head: Bool, spots: dict[str, Spots]) -> dict[str, Float64]:
    points, footprint, regions = sites.points[on_head], sites.footprint[on_head], sites.regions
    masks = {name: bump(regions.half, at.position(LANDMARKS), radii) for name, (at, radii) in _PATCHES.items()}
    masks |= {"ear": regions.ear, "closed": 1 - regions.openness, "neck": ramp(-points[:, 1], 105, 135)}
    masks |= line_masks(regions.half, footprint)
    masks |= {name: kind.mask(points, footprint) for name, kind in spots.items()}
    masks["moles"] = np.max([masks[f"moles_{group}"] for group in range(MOLES)], 0)
    fine = ramp(-footprint, -1.4 * FINE, -0.6 * FINE)
    masks |= _noises(points, regions, fine)
    masks |= _lips(regions, fine)
    masks |= _brows(regions, fine)
    masks |= _eyes(regions, fine)
    return masks | _hairy(points, regions, fine)


def _noises(points: Float64, regions: Regions, fine: Float64) -> dict[str, Float64]:
    rng = np.random.default_rng(5)
    skin = 1 - regions.eye
    masks = {
        f"mottle_{i}": skin * smooth_noise(points, _MOTTLE_SCALES[i % len(_MOTTLE_SCALES)], rng) for i in range(MOTTLES)
    }
    masks["grain"] = skin * smooth_noise(points, 3.0, rng)
    coarse = ramp(regions.half[:, 2], 20, 75) * (0.5 + 0.5 * ramp(-regions.half[:, 0], -50, -20))
    pores = grain(points, 0.55, rng) + 0.8 * grain(points, 1.1, rng)
    masks["pores"] = skin * fine * (0.25 + 0.75 * coarse) * pores / 1.28
    return masks


def _lips(regions: Regions, fine: Float64) -> dict[str, Float64]:
    x, y, z = regions.half.T
    inside = np.minimum(UPPER_VERMILION(x) - y, y - LOWER_VERMILION(x))
    front = (x < 28) * step(z - 74, 1)
    ripple = grain(np.stack([x + 0.12 * (y - mouth_line(x)) * x / 12, y / 9], 1), 0.75, np.random.default_rng(11))
    return {
        "lip": ramp(inside, -0.9, 1.3) * front,
        "lip_rim": np.exp(-(((inside + 0.7) / 0.9) ** 2)) * front,
        "lip_upper": ramp(inside, -0.6, 1.2) * step(y - mouth_line(x), 0.6) * front,
        "lip_lines": ramp(inside, -0.2, 1.6) * front * fine * ripple,
        "mouth_line": np.exp(-(((y - mouth_line(x)) / 0.85) ** 2)) * step(26 - x, 1.0) * step(z - 76, 1),
    }


def _brows(regions: Regions, fine: Float64) -> dict[str, Float64]:
    x, y, z = regions.half.T
    above = y - BROW_LINE(x)
    inside = BROW_HALF_HEIGHT(x) - np.abs(above)
    strokes = brow_hairs(regions.half, np.random.default_rng(23))
    return {
        "brow": ramp(inside, -3.2, -1.2) * step(z - 46, 3) * ramp(x, 5.5, 13.0) * (1 - ramp(x, 48, 57)),
        "brow_mm": np.clip(inside, -4, 3),
        # Where single hairs are too fine, their mean coverage.
        "brow_strokes": (inside > -4) * (fine * (2.3 * strokes - 0.75) + (1 - fine) * 0.5 * ramp(inside, -1.5, 1)),
    }


def _eyes(regions: Regions, fine: Float64) -> dict[str, Float64]:
    x, y, _ = regions.half.T
    radius, angle, eye = regions.iris_radius, regions.iris_angle, regions.eye
    beside = np.abs(x - LANDMARKS["eyeball"][0])
    iris = eye * step(IRIS_RADIUS - radius, 0.16)
    rng = np.random.default_rng(31)
    around = np.stack([np.cos(angle), np.sin(angle)], 1)
    broad = np.cos(9 * angle + 2 * np.sin(4 * angle))
    # Noise on a circle in its plane: the fibres are periodic in the angle and waver towards the rim.
    fibres = 0.8 * grain(around * (9 + 0.25 * radius[:, None]), 0.55, rng) + 0.7 * grain(around * 6, 0.75, rng)
    veins = grain(np.stack([y * 1.6 + 0.4 * np.sin(1.1 * x), x / 6], 1), 0.5, rng)
    return {
        "eye": eye,
        "eye_corner": eye * np.clip((beside - 5.5) / 8, 0, 1) ** 1.3,
        "veins": eye * fine * np.clip(veins - 0.9, 0, 2) * np.clip((beside - 5.5) / 5, 0, 1),
        "iris": iris,
        "iris_inner": iris * np.exp(-(((radius - 2.6) / 1.1) ** 2)),
        "fibres": iris * ramp(radius, 1.8, 2.8) * (0.6 * broad * (1 - fine) + fine * fibres),
        "limbal": iris * ramp(radius, IRIS_RADIUS - 1.35, IRIS_RADIUS - 0.1),
        "pupil": eye * step(PUPIL_RADIUS - radius, 0.14),
        "lid_shade": eye * np.exp(-np.clip(UPPER_MARGIN(x) - y, 0, None) / 1.7),
        "caruncle": regions.caruncle,
        "waterline": window(LOWER_MARGIN(x) - y, (-0.25, 0.15), (0.4, 1.1)) * (1 - eye) * _at_eye(regions.half),
        "upper_lashes": regions.upper_lashes,
        "lower_lashes": regions.lower_lashes,
        "lash_strokes": fine * _at_eye(regions.half) * grain(np.stack([x * 1.0, y / 8], 1), 0.45, rng),
        "nostril": regions.nostril,
    }


def _at_eye(half: Float64) -> Float64:
    return np.asarray(
        (half[:, 2] > 60) & (np.abs(half[:, 0] - LANDMARKS["eyeball"][0]) < 17) & (np.abs(half[:, 1]) < 12), float
    )


def _hairy(points: Float64, regions: Regions, fine: Float64) -> dict[str, Float64]:
    x, y, z = regions.half.T
    azimuth = np.degrees(np.arctan2(x, z))
    bare_ear = 1 - regions.ear
    rng = np.random.default_rng(41)
    tufts = grain(points * (1, 0.35, 1), 1.2, rng)
    dots = grain(points * (1, 0.7, 1), 0.6, rng)
    inside = regions.inside_hair - hairline_noise(azimuth, y)
    along_jaw = np.minimum(_UPPER_BEARD(x) - y, y + 124 - 0.12 * x + 0.25 * np.clip(60 - z, 0, 60))
    beard = np.minimum(along_jaw, z + 2 - 0.05 * x)
    below_lip = 6.5 * bump(regions.half, near("labiale_inferius", 13, -3).position(LANDMARKS), (6.5, 4, 20))
    lips = np.minimum(UPPER_VERMILION(x) - y, y - LOWER_VERMILION(x)) * (x < 27) + (-9.0) * (x >= 27)
    beard = np.minimum(beard - 0.6 * below_lip, -4 * lips - 1.0)
    return {
        "scalp": ramp(inside, -14, -9) * bare_ear,
        "scalp_mm": np.clip(inside, -16, 34),
        "temples": window(azimuth, (8, 30), (50, 66)) * ramp(y, 25, 50),
        "front": ramp(z, 30, 60) * ramp(y, 50, 65),
        "crown": bump(points, (0, 105, -42), (36, 30, 36)),
        "top": ramp(y, 38, 62),
        "tufts": fine * tufts + (1 - fine) * 0.35 * tufts,
        "dots": fine * dots,
        "beard": ramp(beard, -9, 0.5) * bare_ear * (z > 0),
        "beard_mm": np.clip(beard, -10, 14),
        "moustache": bump(regions.half, near("labiale_superius", 7, 5, 0).position(LANDMARKS), (20, 5, 20)),
    }


def _hair_masks(strand: Float64, openness: Float64, footprint: Float64) -> dict[str, Float64]:
    """Return the masks of the hair, whose locks run from root to tip."""
    side, along = strand.T
    rng = np.random.default_rng(47)
    locks = [grain(np.stack([side * 60, along * 1.5], 1), size, rng) for size in (0.3, 0.9, 2.4)]
    # White hairs are single: too fine for vertices to show.
    white = grain(np.stack([side * 60, along * 0.6], 1), 0.09, rng)
    fine = ramp(-footprint, -1.4 * FINE, -0.6 * FINE)
    hollow = {f"hollow_{cut}": 1 - seen for cut, seen in enumerate(openness.T)}
    return hollow | {
        "shell": np.ones(len(strand)),
        "root": 1 - ramp(along, 0.0, 0.45),
        "tip": ramp(along, 0.45, 1.0),
        "locks": np.clip(0.6 * locks[0] + 0.7 * locks[1] + 0.6 * locks[2], -3, 3),
        "white_locks": np.clip(fine * 1.1 * white + 0.2 * locks[0] + 0.15 * locks[2], -3, 3),
    }
