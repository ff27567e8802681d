"""What age does to a face: fields of its own, and how much of which field a decade brings."""

from __future__ import annotations

from dcign.facegen.sculpture.features import near
from dcign.facegen.shape.local_fields import Field, Push

AGE_FIELDS = (
    Field(
        "jowl",
        "the cheek sags over the jaw's edge, beside the chin",
        (
            Push("out", 1.3, near("jaw_middle", 0, 8, 6), (16, 15, 24)),
            Push("up", -1.6, near("jaw_middle", -2, 10, 10), (18, 16, 26)),
        ),
    ),
    Field(
        "marionette",
        "a furrow from the mouth's corner down",
        (
            Push("forward", -0.8, near("cheilion", 3, -11, -3), (4.5, 11, 14)),
            Push("forward", 0.6, near("cheilion", 13, -11, -8), (8, 14, 18)),
        ),
    ),
    Field(
        "hollow_cheek",
        "less fat between cheek bone and jaw",
        (
            Push("out", -1.3, near("cheek", 14, -6, -28), (15, 22, 28)),
            Push("forward", -0.9, near("cheek", 2, -3, -6), (15, 18, 22)),
        ),
    ),
)

# Change per decade of the fields, in their standard deviations.
AGE = {
    "jowl": 0.65, "marionette": 0.5, "hollow_cheek": 0.35, "temple": -0.35, "cheek_fat": -0.10, "smile_fold": 0.45,
    "hood": 0.45, "lid_opening": -0.25, "lid_fold": -0.15, "bags": 0.5, "brow_height": -0.20, "eye_depth": -0.15,
    "tip_turn": -0.35, "nose_length": 0.15, "nose_width": 0.15, "wing_flare": -0.1, "columella": 0.15,
    "upper_lip": -0.30, "lower_lip": -0.25, "upper_lip_length": 0.25, "lip_protrusion": -0.25, "corner_up": -0.30,
    "cupid": -0.2, "philtrum": -0.2, "under_chin": 0.5, "ear_size": 0.30, "ear_lobe": 0.30, "receding_temples": 0.2,
}  # fmt: skip

# Change per decade of the measurements, mm: the ears' after Heathcote 1995 (0.22 mm a year, less what growing up adds),
# the lips' and the nose's from comparisons of the young and the old. Those not listed do not change.
AGE_CHANGES = {
    "ear length": 1.5, "ear breadth": 0.4, "upper lip": 0.35, "upper vermilion": -0.3, "lower vermilion": -0.3,
    "nose height": 0.3, "nose bridge": 0.25, "nose protrusion": 0.15, "nose width": 0.25, "mouth width": 0.3,
    "palpebral fissure": -0.15,
}  # fmt: skip
