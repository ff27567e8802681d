"""The landmarks of the mean head: anchors of the sculpture, and end points of every measurement.

Millimetres; +x the subject's left, y = 0 the line of the pupils, z = 0 the ear canals. Only left landmarks are listed.
Off the midline, NAME gives NAME_left and NAME_right. Moving a landmark moves every feature anchored to it.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from dcign.arrays import Float64

# name: (x, y, z)  # what it is; it lies on the skin unless the comment says otherwise
LANDMARKS: dict[str, tuple[float, float, float]] = {
    "vertex": (0, 111, -9.5),  # top of the head
    "opisthocranion": (0, 38, -97.5),  # back of the head
    "euryon": (75.5, 38, -14),  # widest point of the head
    "trichion": (0, 70, 84),  # hairline
    "frontotemporale": (53.5, 28, 64),  # where the temple begins
    "glabella": (0, 20, 97),  # between the brows
    "brow_inner": (9, 15, 96),
    "brow_peak": (38, 19.5, 82),
    "brow_outer": (53, 14, 59),
    "eyeball": (31.5, 0, 69.5),  # centre of the eye, inside the head
    "pupil": (31.5, 0.3, 82),
    "endocanthion": (15.8, -2.8, 80.5),  # inner corner of the eye
    "exocanthion": (43.9, -0.6, 75.8),  # outer corner
    "lid_upper": (30, 5.6, 83),
    "lid_lower": (30, -5.3, 82.5),
    "orbitale": (31, -16, 80),  # lower rim of the orbit
    "nasion": (0, 9, 95.8),  # between the eyes, the bone's suture
    "sellion": (0, 4, 94.8),  # deepest point of the nose's root
    "rhinion": (0, -14, 103),  # end of the nasal bone
    "pronasale": (0, -35.5, 118.5),  # tip of the nose
    "subnasale": (0, -46.8, 101.3),  # where the nose meets the lip
    "alare": (16.1, -41, 99),  # widest point of the nostril wing
    "alar_crease": (17, -41, 91),
    "cupid_peak": (5.5, -57.3, 104),
    "labiale_superius": (0, -59, 105),
    "stomion": (0, -67.8, 103),  # where the lips meet
    "cheilion": (25.2, -67.9, 88),  # corner of the mouth
    "labiale_inferius": (0, -77, 103),
    "sublabiale": (0, -86, 96),  # groove below the lower lip
    "pogonion": (0, -98, 99),  # foremost point of the chin
    "menton": (0, -115.5, 86),  # underside of the chin
    "malare": (42.3, -26, 78.2),  # cheek bone, from the front
    "zygion": (69, -16, 20),  # widest point of the cheek arch
    "cheek": (38.5, -52, 78.5),
    "jaw_middle": (39, -97, 45),
    "gonion": (50.5, -79, 8),  # angle of the jaw, on its lower border
    "tragion": (71.5, -18.5, 4),  # notch above the ear's tragus
    "ear_top": (76.1, 13.6, -18.5),
    "ear_bottom": (71.5, -46.8, -1.7),
    "ear_back": (82.3, -14.5, -29.9),
    "subalare": (9.6, -48, 100),  # where the wing's foot meets the lip
    "crista_philtri": (5.2, -57, 103),
    "gnathion": (0, -112.5, 92),  # lowest point of the chin's front
    "otobasion_superius": (74, 3, -3),  # where the ear's upper rim meets the head
    "otobasion_inferius": (66, -42, 1),  # where the lobe meets the cheek
    "ear_front": (71, -12, 5),  # foremost point of the ear's root
    "mastoid": (64, -22, -28),  # on the head behind the ear
    "neck_front": (0, -140, 40),
    "neck_side": (50, -140, -28),
    "neck_back": (0, -140, -79),
}

# Landmarks on the skin, which are looked up on the mesh: all but the centre of the eyeball.
SURFACE_LANDMARKS = tuple(name for name in LANDMARKS if name != "eyeball")


def locate_landmarks(vertices: Float64) -> dict[str, int]:
    """Return the number of the vertex (V, 3) nearest to each landmark, with _left and _right off the midline."""
    tree = cKDTree(vertices)
    found = {}
    for name in SURFACE_LANDMARKS:
        position = np.array(LANDMARKS[name], float)
        if position[0] == 0:
            found[name] = int(tree.query(position)[1])
        else:
            found[f"{name}_left"] = int(tree.query(position)[1])
            found[f"{name}_right"] = int(tree.query(position * (-1, 1, 1))[1])
    return found
