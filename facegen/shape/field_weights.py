"""How much sex, age and published measurements use each shape field, by the field's name."""

from __future__ import annotations

# Change of the fields per standard deviation of sex, towards men, in the fields' standard deviations: the classical
# traits that no table lists. What tables list is corrected to the published differences afterwards.
SEX = {
    "size": 0.75, "head_breadth": 0.2, "face_width": 0.5, "face_height": 0.3, "jaw_width": 0.4,
    "lower_face_breadth": 0.3, "brow_ridge": 1.4, "glabella": 1.0, "brow_height": -0.9, "brow_arch": -0.6,
    "brow_thickness": 0.3, "forehead_slope": 0.9, "forehead_bulge": -0.8, "temple": -0.3, "eye_depth": -0.6,
    "eye_size": -0.3, "lid_opening": -0.6, "cheek_fat": -0.5, "cheek_bone": -0.3, "jaw_angle": -0.8,
    "chin_width": 0.9, "chin_height": 0.4, "chin_point": 0.4, "nose_width": 0.7, "nose_protrusion": 0.3,
    "bridge_height": 0.4, "hump": 0.5, "tip_turn": -0.4, "upper_lip_length": 0.5, "lip_protrusion": -0.4,
    "corner_up": -0.3, "ear_size": 0.4, "ear_flare": 0.45, "neck": 1.9, "adams_apple": 1.0,
    "receding_temples": 0.6, "hairline": 0.3,
}  # fmt: skip

# Change of the fields per decade of age, in the fields' standard deviations.
AGE = {
    "jowl": 0.65, "marionette": 0.5, "hollow_cheek": 0.35, "temple": -0.35, "cheek_fat": -0.10, "smile_fold": 0.45,
    "hood": 0.45, "lid_opening": -0.25, "lid_fold": -0.15, "bags": 0.5, "brow_height": -0.20, "eye_depth": -0.15,
    "tip_turn": -0.35, "nose_length": 0.15, "nose_width": 0.15, "wing_flare": -0.1, "columella": 0.15,
    "upper_lip": -0.30, "lower_lip": -0.25, "upper_lip_length": 0.25, "lip_protrusion": -0.25, "corner_up": -0.30,
    "cupid": -0.2, "philtrum": -0.2, "under_chin": 0.5, "ear_size": 0.30, "ear_lobe": 0.30, "receding_temples": 0.2,
}  # fmt: skip

# Change of the measurements per decade of age, mm. Ears: Heathcote 1995 (0.22 mm per year, less what growing up adds);
# lips and nose: comparisons of young and old people. Measurements that are not listed do not change.
AGE_CHANGES = {
    "ear length": 1.5, "ear breadth": 0.4, "upper lip": 0.35, "upper vermilion": -0.3, "lower vermilion": -0.3,
    "nose height": 0.3, "nose bridge": 0.25, "nose protrusion": 0.15, "nose width": 0.25, "mouth width": 0.3,
    "palpebral fissure": -0.15,
}  # fmt: skip

# Factors on fields whose measurements are published. Conditioning is smooth only where the prior is within about 20 %
# of the published deviation.
MEASURED_SPREAD = {
    "neck": 0.38, "fatness": 0.8, "jaw_width": 1.2, "crown": 1.3, "prognathism": 1.2, "frontal_width": 1.1,
    "upper_lip_length": 1.2, "upper_lip": 1.2, "lower_lip": 2.2, "nose_width": 0.7, "wing_flare": 0.6,
    "mouth_width": 0.8, "ear_size": 1.18, "ear_flare": 1.25,
}  # fmt: skip

# Factors on fields that tables hardly constrain: they make faces look different, noses and eyes above all. The effects
# of sex and age on them stay the same in mm.
FORM_SPREAD = {
    "tip_turn": 1.4, "hump": 1.8, "wing_flare": 1.6, "bridge_width": 1.6, "bridge_height": 1.4, "tip_bulb": 1.8,
    "columella": 1.5, "epicanthus": 1.8, "canthal_tilt": 1.3, "eye_depth": 1.4, "lid_fold": 1.1,
    "brow_height": 1.3, "brow_arch": 1.5, "brow_thickness": 1.6, "cheek_bone": 1.5,
    "cheek_bone_height": 1.3, "cheek_fat": 1.4, "upper_lip": 1.3, "lip_protrusion": 1.6, "corner_up": 1.2,
    "forehead_bulge": 1.4, "forehead_slope": 1.4, "prognathism": 1.3, "chin_point": 1.5, "chin_protrusion": 1.3,
    "under_chin": 1.5, "fatness": 1.1, "eye_size": 1.3,
}  # fmt: skip

# Change of the mean face that gives it a calm and friendly look, in standard deviations of the fields. No measurement
# depends on it. The lower hairline keeps the forehead from looking like a wall.
EXPRESSION = {"brow_tilt": -1.1, "corner_up": 0.4, "hairline": -0.8}

# Fields that correct no length of the mean head: the height of a brow says nothing about the length of a head.
FORM = (
    "glabella", "brow_ridge", "brow_height", "brow_arch", "brow_tilt", "brow_thickness", "forehead_bulge", "temple",
    "eye_depth", "canthal_tilt", "hood", "epicanthus", "lid_fold", "lid_opening", "bags", "hairline",
    "receding_temples", "tip_bulb", "tip_turn", "wing_flare", "columella", "bridge_width", "bridge_height", "hump",
    "cupid", "philtrum", "smile_fold", "corner_up", "chin_groove", "chin_point", "under_chin", "jowl", "marionette",
    "hollow_cheek", "cheek_fat", "cheek_bone", "cheek_bone_height", "ear_height", "jaw_angle", "chin_width",
    "maxilla", "chin_protrusion", "prognathism", "lip_protrusion", "forehead_slope", "eye_size",
)  # fmt: skip
FORM_REACH = 0.05  # of these fields, where other fields have 1
