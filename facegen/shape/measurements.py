"""Published measurements of faces: means, deviations and correlations. The sampled population reproduces them by sex.

The tables do not distinguish right and left: the left side is measured. All lengths are taken on bare skin, because
instruments press hair flat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Bool, Float64
from dcign.facegen.shape.girths import Arc, Calliper, Course, Tape


@dataclass(frozen=True)
class Measurement:
    """A length on the head. men, women: its mean and standard deviation in each sex, mm."""

    name: str
    course: Course
    men: tuple[float, float]
    women: tuple[float, float]
    source: str

    @property
    def mean(self) -> float:
        """Mean over both sexes, in equal numbers."""
        return (self.men[0] + self.women[0]) / 2

    @property
    def difference(self) -> float:
        """Half of the difference between the means of men and women."""
        return (self.men[0] - self.women[0]) / 2

    @property
    def within(self) -> float:
        """Standard deviation within a sex."""
        return float(np.sqrt((self.men[1] ** 2 + self.women[1] ** 2) / 2))


ANSUR = "ANSUR II 2012: 4082 men, 1986 women"
NORMS = "Weinberg et al. 2016: 3D Facial Norms, age 25"
HEIGHT, BREADTH = (0, 1, 0), (1, 0, 0)


def _pair(name: str) -> Calliper:
    return Calliper(f"{name}_left", f"{name}_right")


# Definitions in the sources' words. Columns: men and women as (mean, standard deviation).
#   head circumference: the tape above the brow ridges and over the back of the head.
#   tragion-top of head: height of the top above the notch of the ear, the eyes looking level.
#   bitragion-chin arc: the tape from ear to ear over the tip of the chin.
#   ear protrusion: from the mastoid to the outermost point of the ear, sideways.
#   neck circumference: the tape below the Adam's apple, across the neck's own axis.
#   sn-sto is the height of the whole upper lip, vermilion its red part.
MEASUREMENTS = (
    Measurement("bizygomatic", _pair("zygion"), (142.6, 6.2), (133.8, 5.6), ANSUR),
    Measurement("head breadth", _pair("euryon"), (154.3, 5.5), (147.8, 5.2), ANSUR),
    Measurement("menton-sellion", Calliper("sellion", "menton"), (122.6, 6.7), (113.1, 6.1), ANSUR),
    Measurement("interpupillary", _pair("pupil"), (64.0, 3.4), (61.7, 3.6), ANSUR),
    Measurement("head length", Calliper("glabella", "opisthocranion"), (199.5, 7.0), (189.8, 7.4), ANSUR),
    Measurement("head circumference", Tape("glabella", rise=8, lean=6, hair=2.5), (574.4, 16.0), (561.1, 19.4), ANSUR),
    Measurement("tragion-top of head", Calliper("tragion_left", "vertex", HEIGHT), (131.1, 6.2), (126.5, 6.5), ANSUR),
    Measurement(
        "bitragion-chin arc", Arc("tragion_left", "gnathion", "tragion_right"), (331.7, 14.0), (311.0, 14.2), ANSUR
    ),
    Measurement("ear length", Calliper("ear_top_left", "ear_bottom_left"), (64.2, 4.5), (59.4, 3.9), ANSUR),
    Measurement("ear breadth", Calliper("ear_front_left", "ear_back_left"), (36.1, 3.0), (33.2, 2.8), ANSUR),
    Measurement("ear protrusion", Calliper("mastoid_left", "ear_back_left", BREADTH), (23.2, 3.0), (20.4, 2.7), ANSUR),
    Measurement("neck circumference", Tape("neck_front", lean=8), (397.6, 25.8), (329.8, 19.2), ANSUR),
    Measurement("outer canthal", _pair("exocanthion"), (88.9, 4.1), (85.6, 3.8), NORMS),
    Measurement("inner canthal", _pair("endocanthion"), (32.7, 2.9), (31.5, 2.7), NORMS),
    Measurement(
        "palpebral fissure", Calliper("endocanthion_left", "exocanthion_left"), (28.7, 1.9), (27.8, 2.0), NORMS
    ),
    Measurement("face height", Calliper("nasion", "menton"), (126.6, 6.6), (118.0, 5.8), NORMS),
    Measurement("mandibular width", _pair("gonion"), (103.7, 7.1), (97.0, 6.5), NORMS),
    Measurement("bifrontal", _pair("frontotemporale"), (110.4, 8.4), (105.7, 7.8), NORMS),
    Measurement("mouth width", _pair("cheilion"), (50.1, 3.8), (47.9, 3.5), NORMS),
    Measurement("upper lip", Calliper("subnasale", "stomion"), (22.6, 2.5), (20.3, 2.4), NORMS),
    Measurement("upper vermilion", Calliper("labiale_superius", "stomion"), (7.6, 1.6), (7.4, 1.4), NORMS),
    Measurement("lower vermilion", Calliper("stomion", "labiale_inferius"), (8.7, 2.1), (8.6, 1.7), NORMS),
    Measurement("nose width", _pair("alare"), (35.9, 2.6), (32.7, 2.3), NORMS),
    Measurement("nose height", Calliper("nasion", "subnasale"), (56.7, 3.9), (54.5, 3.6), NORMS),
    Measurement("nose bridge", Calliper("nasion", "pronasale"), (49.6, 3.9), (47.1, 3.4), NORMS),
    Measurement("nose protrusion", Calliper("subnasale", "pronasale"), (20.9, 2.0), (20.0, 1.8), NORMS),
)
NAMES = tuple(m.name for m in MEASUREMENTS)
COURSES = tuple(m.course for m in MEASUREMENTS)

# Within-sex correlations, ANSUR II, both sexes pooled.
CORRELATIONS = {
    ("bizygomatic", "head breadth"): 0.64,
    ("bizygomatic", "menton-sellion"): 0.20,
    ("bizygomatic", "interpupillary"): 0.45,
    ("bizygomatic", "bitragion-chin arc"): 0.57,
    ("bizygomatic", "head length"): 0.18,
    ("head breadth", "menton-sellion"): 0.17,
    ("head breadth", "interpupillary"): 0.30,
    ("head breadth", "head length"): 0.19,
    ("menton-sellion", "interpupillary"): 0.18,
    ("menton-sellion", "head length"): 0.31,
    ("interpupillary", "head length"): 0.29,
}
EARS = ("ear length", "ear breadth", "ear protrusion")
# Factor on the prior's correlations between ears and other lengths: the source calls them "nearly independent".
EARS_WITH_THE_REST = 0.3


def published(sex: str) -> tuple[Float64, Float64]:
    """Return the means (M,) and standard deviations (M,), mm, of "men" or "women"."""
    means, deviations = np.array([getattr(m, sex) for m in MEASUREMENTS]).T
    return means, deviations


def correlation(prior: Float64) -> tuple[Float64, Bool]:
    """Return the target correlations within a sex (M, M), and a mask (M, M) of those that are fixed.

    Fixed are the published ones, the diagonal, and those of an ear length with another length. The others come from the
    prior covariance (M, M).
    """
    deviations = np.sqrt(np.diag(prior))
    wanted = prior / np.outer(deviations, deviations)
    ears = np.isin(NAMES, EARS)
    wanted[np.ix_(ears, ~ears)] *= EARS_WITH_THE_REST
    wanted[np.ix_(~ears, ears)] *= EARS_WITH_THE_REST
    known = np.eye(len(wanted), dtype=bool) | (ears[:, None] != ears)
    for (first, second), value in CORRELATIONS.items():
        row, column = NAMES.index(first), NAMES.index(second)
        for pair in ((row, column), (column, row)):
            wanted[pair], known[pair] = value, True
    return wanted, known
