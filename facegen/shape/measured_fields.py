"""Shape fields that published measurements ask for, and how far others must be turned down or up.

Conditioning does not ring only where the prior is within about 20 % of the published deviation.
"""

from __future__ import annotations

from dcign.facegen.sculpture.features import near
from dcign.facegen.shape.local_fields import Field, Push

MEASURED_FIELDS = (
    Field(
        "lower_face_breadth",
        "the bitragion-chin arc: how full the face is between ear and chin",
        (
            Push("out", 1.7, near("jaw_middle", 13, 33, 2), (34, 36, 40), softness=16),
            Push("forward", 2.2, near("jaw_middle", -12, 6, 32), (26, 26, 34)),
        ),
    ),
    Field(
        "eye_corner",
        "the outer canthal distance and the fissure: the outer corner moves, the eye does not",
        (Push("out", 0.6, near("exocanthion", 0, 0, 0), (7, 7, 16), where="not eye"),),
    ),
    Field("adams_apple", "the larynx stands out", (Push("forward", 1.8, near("neck_front", 0, 2, -8), (9, 13, 22)),)),
)

# Factors on fields of fields.py and broad_fields.py.
MEASURED_SPREAD = {
    "neck": 0.38, "fatness": 0.8, "jaw_width": 1.2, "crown": 1.3, "prognathism": 1.2, "frontal_width": 1.1,
    "upper_lip_length": 1.2, "upper_lip": 1.2, "lower_lip": 2.2, "nose_width": 0.7, "wing_flare": 0.6,
    "mouth_width": 0.8, "ear_size": 1.18, "ear_flare": 1.25,
}  # fmt: skip

# Factors on fields of which tables know little: what makes faces look different, noses and eyes above all. What sex and
# age do to them stays the same in mm.
FORM_SPREAD = {
    "tip_turn": 1.4, "hump": 1.8, "wing_flare": 1.6, "bridge_width": 1.6, "bridge_height": 1.4, "tip_bulb": 1.8,
    "columella": 1.5, "epicanthus": 1.8, "canthal_tilt": 1.3, "eye_depth": 1.4, "lid_fold": 1.1,
    "brow_height": 1.3, "brow_arch": 1.5, "brow_thickness": 1.6, "cheek_bone": 1.5,
    "cheek_bone_height": 1.3, "cheek_fat": 1.4, "upper_lip": 1.3, "lip_protrusion": 1.6, "corner_up": 1.2,
    "forehead_bulge": 1.4, "forehead_slope": 1.4, "prognathism": 1.3, "chin_point": 1.5, "chin_protrusion": 1.3,
    "under_chin": 1.5, "fatness": 1.1, "eye_size": 1.3,
}  # fmt: skip

# What the sculpture lacks of a calm and friendly look, in standard deviations of the fields: tables do not see it. A
# lower hairline keeps the forehead from being a wall.
EXPRESSION = {"brow_tilt": -1.1, "corner_up": 0.4, "hairline": -0.8}

# Fields of form, by which no length is put right: how a brow lies says nothing about how long a head is.
FORM = (
    "glabella", "brow_ridge", "brow_height", "brow_arch", "brow_tilt", "brow_thickness", "forehead_bulge", "temple",
    "eye_depth", "canthal_tilt", "hood", "epicanthus", "lid_fold", "lid_opening", "bags", "hairline",
    "receding_temples", "tip_bulb", "tip_turn", "wing_flare", "columella", "bridge_width", "bridge_height", "hump",
    "cupid", "philtrum", "smile_fold", "corner_up", "chin_groove", "chin_point", "under_chin", "jowl", "marionette",
    "hollow_cheek", "cheek_fat", "cheek_bone", "cheek_bone_height", "ear_height", "jaw_angle", "chin_width",
    "maxilla", "chin_protrusion", "prognathism", "lip_protrusion", "forehead_slope", "eye_size",
)  # fmt: skip
FORM_REACH = 0.05
