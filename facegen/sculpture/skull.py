"""The brain case: a bald head from above, behind and the side."""

from __future__ import annotations

from dcign.facegen.sculpture.features import Ball, Feature, near

CRANIUM: tuple[Feature, ...] = (
    Ball("brain case", near("vertex", 0, -73), (75.0, 73, 87.5), blend=1, why="the egg that all else hangs on"),
    Ball(
        "frontal bone",
        near("glabella", 0, 16, -77),
        (63, 67, 73.5),
        blend=20,
        why="a forehead that rises before it slopes",
    ),
    Ball("parietal", near("euryon", -47.5, -4, -26), (42, 54, 45), blend=20, why="square at the back, seen from above"),
    Ball(
        "skull base",
        near("opisthocranion", 0, -42, 72),
        (62, 50, 60),
        blend=26,
        why="fills the nape below the egg",
    ),
)
