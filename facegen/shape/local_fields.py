"""The local shape fields: each moves one part of the face. Broad fields are functions, in broad_fields.py.

A field is the sum of the pushes that carry its name. A push is a Gaussian bump at a landmark and at its mirror image.
Directions: "out" from the midline, "up", "forward", and "across", which moves both sides towards the subject's left:
an asymmetry.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    """A Gaussian bump of `amount` mm in one direction, at one standard deviation of its field.

    at: its centre; radii: mm along x, y and z; where: "all", or "not eye" to leave the eyeball where it is; softness:
    the distance in mm over which "out" changes sign at the midline. A bump that reaches the midline needs a wide one:
    otherwise it folds the skin there.
    """

    field: str
    direction: str
    amount: float
    at: LandmarkOffset
    radii: tuple[float, float, float]
    where: str = "all"
    softness: float = 3.0


LOCAL_FIELDS = (
    # forehead and brows
    Push("forehead_bulge", "forward", 1.8, near("trichion", 0, -19, 4), (50, 26, 60)),  # a round forehead
    Push("frontal_width", "out", 2.4, near("frontotemporale", 1, 2, -3), (26, 34, 34)),  # wide above the brows
    Push("temple", "out", 1.6, near("frontotemporale", 10, -6, -16), (18, 26, 28)),  # full temples
    Push("brow_ridge", "forward", 1.2, near("lid_upper", -8, 11.4, 5), (26, 9, 24)),  # a heavy brow
    Push("glabella", "forward", 1.3, near("glabella", 0, 0, 1), (12, 10, 18)),
    Push("brow_height", "up", 1.4, near("brow_peak", -8, -2.5, -2), (28, 9, 30)),
    Push("brow_arch", "up", 1.5, near("brow_peak", 4, -2.5, -10), (13, 10, 22)),  # outer half up, inner down
    Push("brow_arch", "up", -0.9, near("brow_inner", 3, 0, -4), (10, 9, 18)),
    Push("brow_tilt", "up", 0.65, near("brow_inner", 2, 0, -3), (11, 9, 18)),  # inner ends up: worried; down: stern
    Push("brow_tilt", "up", -0.5, near("brow_outer", -5, 0, 5), (11, 9, 20)),
    # eyes
    Push("eye_distance", "out", 1.25, near("pupil", 0, -0.3, -6), (19, 15, 24)),
    Push("eye_depth", "forward", 1.4, near("pupil", 0, -0.3, -6), (19, 15, 24)),  # deep-set or bulging
    Push("canthal_tilt", "up", 1.2, near("exocanthion", -2.8, 0.2, -1), (9, 8, 20)),  # outer corners up
    Push("canthal_tilt", "up", -0.5, near("endocanthion", 1.7, 0.4), (8, 7, 12)),
    # the brow's skin hangs over the lid
    Push("hood", "up", -1.2, near("brow_peak", -2, -8, -6), (14, 6.5, 14), where="not eye"),
    Push("hood", "forward", 0.9, near("lid_upper", 5, 5.4, -5), (14, 5, 14), where="not eye"),
    Push("epicanthus", "out", -0.6, near("endocanthion", -0.3, 2.4, 1), (5, 6, 9)),  # a fold over the inner corner
    Push("epicanthus", "up", -0.7, near("endocanthion", 0.7, 3.4, 1), (6, 6, 9)),
    Push("epicanthus", "forward", 1.0, near("endocanthion", 0.7, 5.4, 1), (7, 8, 9)),
    Push("lid_fold", "forward", 1, near("lid_upper", 1, 4.4, -3), (15, 3.5, 12), where="not eye"),  # a full upper lid
    Push("bags", "forward", 1, near("orbitale", -1, 4, 1), (11, 4.5, 11)),
    Push("bags", "forward", -0.5, near("orbitale", -3, -1, 1), (13, 4, 11)),
    # nose
    Push("nose_width", "out", 1.35, near("alar_crease", 0, 0, 4), (9, 9, 13)),
    Push("nose_width", "forward", -0.5, near("alar_crease", 0, 0, 4), (9, 9, 13)),
    Push("nose_protrusion", "forward", 2.3, near("pronasale", 0, 1.5, -8), (17, 19, 24)),
    Push("bridge_height", "forward", 2, near("sellion", 0, -8, 0.5), (11, 19, 18)),
    Push("bridge_width", "out", 1.3, near("rhinion", 7, 2, -10), (7, 22, 14)),
    Push("bridge_width", "forward", -0.5, near("rhinion", 0, 2, -5), (6, 22, 14)),
    Push("tip_turn", "up", 2.4, near("pronasale", 0, -2.5, -5), (11, 11, 15)),  # turned up or hanging
    Push("tip_turn", "forward", 0.5, near("pronasale", 0, -2.5, -5), (11, 11, 15)),
    Push("hump", "forward", 1.5, near("rhinion", 0, 0, -2), (9, 9, 14)),  # convex or saddle bridge
    Push("hump", "forward", -0.5, near("pronasale", 0, 7.5, -9), (9, 8, 14)),
    Push("tip_bulb", "out", 1.2, near("pronasale", 8, 0.5, -10), (6, 8, 10)),  # a broad tip
    Push("tip_bulb", "forward", 0.4, near("pronasale", 0, -0.5, -3), (8, 8, 9)),
    Push("wing_flare", "out", 1, near("alare", -0.5, -1.5, -2), (6, 5, 9)),
    Push("wing_flare", "up", 1.2, near("alare", -1.5, -3.5, -1), (7, 6, 10)),
    Push("columella", "up", -1.2, near("subnasale", 0, 1, 7), (5, 5, 11)),  # hangs below the wings
    Push("nose_bend", "across", 0.45, near("pronasale", 0, 1.5, -9), (16, 18, 22)),  # the nose leans to one side
    # cheeks
    Push("cheek_bone", "out", 1.3, near("malare", 3, 2, -9), (20, 16, 28)),
    Push("cheek_bone", "forward", 1.8, near("malare", -1, 1, -3), (20, 15, 26)),
    Push("cheek_bone_height", "up", 2, near("malare", 3, 2, -9), (24, 20, 32)),
    Push("cheek_fat", "out", 1.7, near("cheek", 9, -4, -30), (28, 34, 40)),  # round or hollow
    Push("cheek_fat", "forward", 1.4, near("cheek", -2, -2, -4), (22, 26, 30)),
    Push("smile_fold", "forward", 0.7, near("cheek", -9, 6, 4), (9, 14, 15)),
    Push("smile_fold", "forward", -0.7, near("cheilion", -0.2, 9.9, 4), (6, 13, 15)),
    # mouth
    Push("lip_protrusion", "forward", 1.3, near("stomion", 0, 0.3, -3), (24, 11, 24)),
    Push("corner_up", "up", 0.7, near("cheilion", 1.8, -0.1), (10, 9, 16)),
    Push("cupid", "up", 0.7, near("cupid_peak", 0, -0.7, 1), (3.5, 4, 8)),  # a marked bow
    Push("cupid", "up", -0.6, near("labiale_superius"), (3, 4, 8)),
    Push("philtrum", "forward", -0.6, near("labiale_superius", 0, 5, -1), (3, 6, 8)),
    Push("philtrum", "forward", 0.4, near("cupid_peak", 0.5, 3.3, -1), (3, 6, 8)),
    Push("maxilla", "forward", 1.6, near("labiale_superius", 0, 1, -7), (34, 22, 30)),
    Push("chin_groove", "forward", -1.3, near("sublabiale", 0, 0, 1), (16, 7, 14)),
    # chin and jaw
    Push("chin_protrusion", "forward", 2.8, near("pogonion", 0, -3, -7), (38, 26, 40)),
    Push("chin_width", "out", 2.2, near("menton", 28, 20, -24), (30, 32, 46), softness=18),
    Push("chin_width", "out", 0.8, near("jaw_middle", 8, 26, 8), (28, 28, 40), softness=16),
    Push("chin_point", "forward", 1, near("pogonion", 0, -2, -1), (10, 10, 15)),  # pointed or square
    Push("chin_point", "forward", -0.7, near("pogonion", 16, -2, -9), (10, 13, 17)),
    Push("chin_point", "up", -1.4, near("menton", 0, 2), (14, 12, 18)),
    Push("jaw_angle", "up", 3.4, near("gonion", 3, 10, 2), (28, 30, 36)),  # a high or low angle of the jaw
    Push("under_chin", "up", -3.6, near("neck_front", 0, 18, 16), (42, 24, 36)),
    Push("under_chin", "forward", 1.6, near("neck_front", 0, 18, 16), (42, 24, 36)),
    # age
    # a furrow from the mouth's corner down
    Push("marionette", "forward", -0.8, near("cheilion", 3, -11, -3), (4.5, 11, 14)),
    Push("marionette", "forward", 0.6, near("cheilion", 13, -11, -8), (8, 14, 18)),
    Push("hollow_cheek", "out", -1.3, near("cheek", 14, -6, -28), (15, 22, 28)),  # less fat between cheek bone and jaw
    Push("hollow_cheek", "forward", -0.9, near("cheek", 2, -3, -6), (15, 18, 22)),
    # what published measurements need
    # the bitragion-chin arc: how full the face is between ear and chin
    Push("lower_face_breadth", "out", 1.7, near("jaw_middle", 13, 33, 2), (34, 36, 40), softness=16),
    Push("lower_face_breadth", "forward", 2.2, near("jaw_middle", -12, 6, 32), (26, 26, 34)),
    # the outer canthal distance and the fissure: the outer corner moves, the eye does not
    Push("eye_corner", "out", 0.6, near("exocanthion", 0, 0, 0), (7, 7, 16), where="not eye"),
    Push("adams_apple", "forward", 1.8, near("neck_front", 0, 2, -8), (9, 13, 22)),  # the larynx stands out
)


def displacements(pushes: Sequence[Push], vertices: Float64, regions: Regions) -> dict[str, Float64]:
    """Return each field's displacement (V, 3), mm, of the template's vertices (V, 3)."""
    moved: dict[str, Float64] = {}
    for push in pushes:
        strength = push.amount * _mirrored_bump(vertices, push)
        if push.direction == "out":
            strength *= soft_side(vertices, push.softness)
        if push.where == "not eye":
            strength *= 1 - regions.eye
        moved.setdefault(push.field, np.zeros_like(vertices))[:, AXES[push.direction]] += strength
    return moved


def soft_side(vertices: Float64, softness: float) -> Float64:
    """Return +1 on the left, -1 on the right and 0 on the midline (V,). A sharp sign would fold the midline."""
    x = vertices[:, 0]
    return np.asarray(x / np.hypot(x, softness))


def _mirrored_bump(vertices: Float64, push: Push) -> Float64:
    centre = push.at.position(LANDMARKS)
    left = bump(vertices, centre, push.radii)
    # Not bump(|x|): where both bumps overlap, at the midline, the sum stays smooth.
    return left if centre[0] == 0 else left + bump(vertices, centre * (-1, 1, 1), push.radii)
