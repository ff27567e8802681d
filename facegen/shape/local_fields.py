"""Semantic shape fields, the local ones: each moves a part of the face by its standard deviation, in mm.

A field is a sum of pushes; a push is a Gaussian bump at a place, mirrored. Directions: "out" from the midline,
"up", "forward", and "across" (towards the subject's left on both sides: an asymmetry). Fields that need more than
bumps are functions, in broad_fields.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import bump
from dcign.facegen.sculpture.features import LandmarkOffset, near
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.template.regions import Regions

AXES = {"out": 0, "across": 0, "up": 1, "forward": 2}


@dataclass(frozen=True)
class Push:
    """A Gaussian bump of `amount` mm in one direction.

    where: "all", or "not eye" to leave the eyeball alone; softness: mm over which "out" changes sign at the midline,
    wide for bumps that reach it, which would fold it otherwise.
    """

    direction: str
    amount: float
    at: LandmarkOffset
    radii: tuple[float, float, float]
    where: str = "all"
    softness: float = 3.0


@dataclass(frozen=True)
class Field:
    """A named way in which faces differ: the displacement at one standard deviation."""

    name: str
    why: str
    pushes: tuple[Push, ...]


FIELDS = (
    # forehead and brows
    Field("forehead_bulge", "a round forehead", (Push("forward", 1.8, near("trichion", 0, -19, 4), (50, 26, 60)),)),
    Field(
        "frontal_width", "wide above the brows", (Push("out", 2.4, near("frontotemporale", 1, 2, -3), (26, 34, 34)),)
    ),
    Field("temple", "full temples", (Push("out", 1.6, near("frontotemporale", 10, -6, -16), (18, 26, 28)),)),
    Field("brow_ridge", "a heavy brow", (Push("forward", 1.2, near("lid_upper", -8, 11.4, 5), (26, 9, 24)),)),
    Field("glabella", "", (Push("forward", 1.3, near("glabella", 0, 0, 1), (12, 10, 18)),)),
    Field("brow_height", "", (Push("up", 1.4, near("brow_peak", -8, -2.5, -2), (28, 9, 30)),)),
    Field(
        "brow_arch",
        "outer half up, inner down",
        (
            Push("up", 1.5, near("brow_peak", 4, -2.5, -10), (13, 10, 22)),
            Push("up", -0.9, near("brow_inner", 3, 0, -4), (10, 9, 18)),
        ),
    ),
    Field(
        "brow_tilt",
        "inner ends up: worried; down: stern",
        (
            Push("up", 0.65, near("brow_inner", 2, 0, -3), (11, 9, 18)),
            Push("up", -0.5, near("brow_outer", -5, 0, 5), (11, 9, 20)),
        ),
    ),
    # eyes
    Field("eye_distance", "", (Push("out", 1.25, near("pupil", 0, -0.3, -6), (19, 15, 24)),)),
    Field("eye_depth", "deep-set or bulging", (Push("forward", 1.4, near("pupil", 0, -0.3, -6), (19, 15, 24)),)),
    Field(
        "canthal_tilt",
        "outer corners up",
        (
            Push("up", 1.2, near("exocanthion", -2.8, 0.2, -1), (9, 8, 20)),
            Push("up", -0.5, near("endocanthion", 1.7, 0.4), (8, 7, 12)),
        ),
    ),
    Field(
        "hood",
        "the brow's skin hangs over the lid",
        (
            Push("up", -1.2, near("brow_peak", -2, -8, -6), (14, 6.5, 14), where="not eye"),
            Push("forward", 0.9, near("lid_upper", 5, 5.4, -5), (14, 5, 14), where="not eye"),
        ),
    ),
    Field(
        "epicanthus",
        "a fold over the inner corner",
        (
            Push("out", -0.6, near("endocanthion", -0.3, 2.4, 1), (5, 6, 9)),
            Push("up", -0.7, near("endocanthion", 0.7, 3.4, 1), (6, 6, 9)),
            Push("forward", 1.0, near("endocanthion", 0.7, 5.4, 1), (7, 8, 9)),
        ),
    ),
    Field(
        "lid_fold",
        "a full upper lid",
        (Push("forward", 1, near("lid_upper", 1, 4.4, -3), (15, 3.5, 12), where="not eye"),),
    ),
    Field(
        "bags",
        "",
        (
            Push("forward", 1, near("orbitale", -1, 4, 1), (11, 4.5, 11)),
            Push("forward", -0.5, near("orbitale", -3, -1, 1), (13, 4, 11)),
        ),
    ),
    # nose
    Field(
        "nose_width",
        "",
        (
            Push("out", 1.35, near("alar_crease", 0, 0, 4), (9, 9, 13)),
            Push("forward", -0.5, near("alar_crease", 0, 0, 4), (9, 9, 13)),
        ),
    ),
    Field("nose_protrusion", "", (Push("forward", 2.3, near("pronasale", 0, 1.5, -8), (17, 19, 24)),)),
    Field("bridge_height", "", (Push("forward", 2, near("sellion", 0, -8, 0.5), (11, 19, 18)),)),
    Field(
        "bridge_width",
        "",
        (
            Push("out", 1.3, near("rhinion", 7, 2, -10), (7, 22, 14)),
            Push("forward", -0.5, near("rhinion", 0, 2, -5), (6, 22, 14)),
        ),
    ),
    Field(
        "tip_turn",
        "turned up or hanging",
        (
            Push("up", 2.4, near("pronasale", 0, -2.5, -5), (11, 11, 15)),
            Push("forward", 0.5, near("pronasale", 0, -2.5, -5), (11, 11, 15)),
        ),
    ),
    Field(
        "hump",
        "convex or saddle bridge",
        (
            Push("forward", 1.5, near("rhinion", 0, 0, -2), (9, 9, 14)),
            Push("forward", -0.5, near("pronasale", 0, 7.5, -9), (9, 8, 14)),
        ),
    ),
    Field(
        "tip_bulb",
        "a broad tip",
        (
            Push("out", 1.2, near("pronasale", 8, 0.5, -10), (6, 8, 10)),
            Push("forward", 0.4, near("pronasale", 0, -0.5, -3), (8, 8, 9)),
        ),
    ),
    Field(
        "wing_flare",
        "",
        (
            Push("out", 1, near("alare", -0.5, -1.5, -2), (6, 5, 9)),
            Push("up", 1.2, near("alare", -1.5, -3.5, -1), (7, 6, 10)),
        ),
    ),
    Field("columella", "hangs below the wings", (Push("up", -1.2, near("subnasale", 0, 1, 7), (5, 5, 11)),)),
    Field(
        "nose_bend", "the nose leans to one side", (Push("across", 0.45, near("pronasale", 0, 1.5, -9), (16, 18, 22)),)
    ),
    # cheeks
    Field(
        "cheek_bone",
        "",
        (
            Push("out", 1.3, near("malare", 3, 2, -9), (20, 16, 28)),
            Push("forward", 1.8, near("malare", -1, 1, -3), (20, 15, 26)),
        ),
    ),
    Field("cheek_bone_height", "", (Push("up", 2, near("malare", 3, 2, -9), (24, 20, 32)),)),
    Field(
        "cheek_fat",
        "round or hollow",
        (
            Push("out", 1.7, near("cheek", 9, -4, -30), (28, 34, 40)),
            Push("forward", 1.4, near("cheek", -2, -2, -4), (22, 26, 30)),
        ),
    ),
    Field(
        "smile_fold",
        "",
        (
            Push("forward", 0.7, near("cheek", -9, 6, 4), (9, 14, 15)),
            Push("forward", -0.7, near("cheilion", -0.2, 9.9, 4), (6, 13, 15)),
        ),
    ),
    # mouth
    Field("lip_protrusion", "", (Push("forward", 1.3, near("stomion", 0, 0.3, -3), (24, 11, 24)),)),
    Field("corner_up", "", (Push("up", 0.7, near("cheilion", 1.8, -0.1), (10, 9, 16)),)),
    Field(
        "cupid",
        "a marked bow",
        (
            Push("up", 0.7, near("cupid_peak", 0, -0.7, 1), (3.5, 4, 8)),
            Push("up", -0.6, near("labiale_superius"), (3, 4, 8)),
        ),
    ),
    Field(
        "philtrum",
        "",
        (
            Push("forward", -0.6, near("labiale_superius", 0, 5, -1), (3, 6, 8)),
            Push("forward", 0.4, near("cupid_peak", 0.5, 3.3, -1), (3, 6, 8)),
        ),
    ),
    Field("maxilla", "", (Push("forward", 1.6, near("labiale_superius", 0, 1, -7), (34, 22, 30)),)),
    Field("chin_groove", "", (Push("forward", -1.3, near("sublabiale", 0, 0, 1), (16, 7, 14)),)),
    # chin and jaw
    Field("chin_protrusion", "", (Push("forward", 2.8, near("pogonion", 0, -3, -7), (38, 26, 40)),)),
    Field(
        "chin_width",
        "",
        (
            Push("out", 2.2, near("menton", 28, 20, -24), (30, 32, 46), softness=18),
            Push("out", 0.8, near("jaw_middle", 8, 26, 8), (28, 28, 40), softness=16),
        ),
    ),
    Field(
        "chin_point",
        "pointed or square",
        (
            Push("forward", 1, near("pogonion", 0, -2, -1), (10, 10, 15)),
            Push("forward", -0.7, near("pogonion", 16, -2, -9), (10, 13, 17)),
            Push("up", -1.4, near("menton", 0, 2), (14, 12, 18)),
        ),
    ),
    Field("jaw_angle", "a high or low angle of the jaw", (Push("up", 3.4, near("gonion", 3, 10, 2), (28, 30, 36)),)),
    Field(
        "under_chin",
        "",
        (
            Push("up", -3.6, near("neck_front", 0, 18, 16), (42, 24, 36)),
            Push("forward", 1.6, near("neck_front", 0, 18, 16), (42, 24, 36)),
        ),
    ),
)


def displacement(field: Field, vertices: Float64, regions: Regions) -> Float64:
    """The field's displacement (V, 3), mm, of the template's vertices (V, 3)."""
    moved = np.zeros_like(vertices)
    for push in field.pushes:
        strength = push.amount * _mirrored_bump(vertices, push)
        if push.direction == "out":
            strength *= soft_side(vertices, push.softness)
        if push.where == "not eye":
            strength *= 1 - regions.eye
        moved[:, AXES[push.direction]] += strength
    return moved


def soft_side(vertices: Float64, softness: float) -> Float64:
    """+1 on the left, -1 on the right, 0 on the midline (V,): a sharp sign would fold the midline."""
    x = vertices[:, 0]
    return np.asarray(x / np.hypot(x, softness))


def _mirrored_bump(vertices: Float64, push: Push) -> Float64:
    centre = push.at.position(LANDMARKS)
    left = bump(vertices, centre, push.radii)
    # Not bump(|x|): where both bumps overlap, at the midline, the sum stays smooth.
    return left if centre[0] == 0 else left + bump(vertices, centre * (-1, 1, 1), push.radii)
