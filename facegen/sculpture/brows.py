"""Brows and eye sockets; the cheeks are in the outlines of drape.py."""

from __future__ import annotations

from dcign.facegen.sculpture.features import Ball, Feature, Rod, near

BROWS: tuple[Feature, ...] = (
    Rod(
        "brow ridge",
        near("brow_inner", 2, 1, -10.6),
        near("brow_peak", 3, -2, -10.5),
        (2.6, 5.8),
        blend=22,
        why="halfway between a man's and a woman's",
    ),
)
SOCKETS: tuple[Feature, ...] = (
    Ball("orbit", near("eyeball", -1.5, -1, 22.5), (18, 10.5, 10.8), blend=14, carve=True),
    Ball(
        "inner orbit",
        near("endocanthion", 2.7, 3.4, 12),
        (5.6, 8.6, 7.8),
        blend=12,
        carve=True,
        why="beside the root of the nose",
    ),
)
