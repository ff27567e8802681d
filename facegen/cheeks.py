"""Cheeks, brows and eye sockets."""

from __future__ import annotations

from facegen.features import Ball, Feature, Rod, near

CHEEKS: tuple[Feature, ...] = (
    Ball(
        "mouth barrel",
        near("stomion", 0, 7.8, -36),
        (38, 32, 34),
        blend=16,
        why="the teeth push the mouth forward",
    ),
    Ball("cheek bone", near("malare", -1, 4, -19), (19, 13, 19), blend=22, turn=40),
    Rod(
        "cheek arch",
        near("zygion", -17, -4, 26),
        near("zygion", -9, -1, -8),
        (6, 4),
        blend=26,
        why="towards the ear",
    ),
    Ball("cheek front", near("cheek", -6, 6, -18), (21, 26, 21), blend=20),
    Ball(
        "buccal fat",
        near("cheek", -5, 2, -34),
        (19.5, 32, 26),
        blend=26,
        why="no hollow between arch and jaw",
    ),
)
BROWS: tuple[Feature, ...] = (
    Rod(
        "brow ridge",
        near("brow_inner", 2, 2, -11.4),
        near("brow_peak", -4, -1.5, -5.8),
        (3.6, 5.6),
        blend=22,
        why="halfway between a man's and a woman's",
    ),
    Rod("brow end", near("brow_peak", -4, -1.5, -5.6), near("brow_outer", 0, -9, -8), (6.0, 4), blend=26),
    Ball(
        "temple",
        near("frontotemporale", 27, -8, -14),
        (12, 28, 20),
        blend=26,
        carve=True,
        why="the hollow behind the brow",
    ),
)
SOCKETS: tuple[Feature, ...] = (
    Ball("orbit", near("eyeball", -1.5, -1, 22.5), (18, 11, 11.5), blend=14, carve=True),
    Ball(
        "inner orbit",
        near("endocanthion", 2.7, 3.4, 12),
        (6, 9, 8.5),
        blend=12,
        carve=True,
        why="beside the root of the nose",
    ),
)
