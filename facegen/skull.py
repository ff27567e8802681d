"""Bone and neck: the big forms of the head, with fillets of 14 to 30 mm."""

from __future__ import annotations

from facegen.features import Ball, Feature, Rod, near

CRANIUM: tuple[Feature, ...] = (
    Ball("brain case", near("vertex", 0, -78), (74.5, 78, 86), blend=1, why="the egg that all else hangs on"),
    Ball(
        "frontal bone",
        near("glabella", 0, 20, -77),
        (62, 66, 77),
        blend=18,
        why="a forehead that rises before it slopes",
    ),
    Ball(
        "skull base",
        near("opisthocranion", 0, -44, 71),
        (63, 50, 62),
        blend=22,
        why="fills the nape below the egg",
    ),
)
FACE_BLOCK: tuple[Feature, ...] = (
    Ball(
        "mid face",
        near("zygion", -69, 8, -10),
        (66.8, 66, 70),
        blend=20,
        why="width of the face at the cheek arches",
    ),
    Ball(
        "lower face",
        near("menton", 0, 74, -64),
        (56.5, 80, 65),
        blend=22,
        why="tapers without a corner from cheek to chin",
    ),
    Rod(
        "jaw ramus",
        near("tragion", -21, -4, 4),
        near("gonion", -9.5, 14, 2),
        (13, 12.5),
        blend=26,
        why="from the ear down to the angle",
    ),
    Rod(
        "jaw body",
        near("gonion", -9.5, 14, 2),
        near("menton", 14.5, 17.5, -21),
        (12.5, 14.5),
        blend=28,
        why="from the angle to the chin",
    ),
    Ball("chin", near("pogonion", 0, -0.5, -21), (19.5, 15.5, 20), blend=24),
)
NECK: tuple[Feature, ...] = (
    Rod(
        "neck",
        near("neck_front", 0, 100, -64),
        near("neck_front", 0, -70, -78),
        (45.5, 50),
        blend=28,
        why="ANSUR circumference 364 mm, mean of the sexes",
    ),
    Rod(
        "sternomastoid",
        near("tragion", -21, -30, -26),
        near("neck_front", 16, -50, -20),
        (9, 9),
        blend=22,
        why="from behind the ear to the breast bone",
    ),
    Rod(
        "trapezius",
        near("opisthocranion", 22, -100, 35),
        near("neck_front", 54, -65, -104),
        (12, 20),
        blend=28,
        why="the slope to the shoulder",
    ),
    Ball(
        "larynx",
        near("neck_front", 0, -10, -22),
        (11, 22, 11),
        blend=26,
        why="half an Adam's apple: the mean of the sexes",
    ),
)
