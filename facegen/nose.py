"""The nose, from the bridge down: fillets of 4 to 16 mm, nostril edges of 1.6 mm."""

from __future__ import annotations

from facegen.features import Ball, Feature, Groove, Ridge, Rod, near

NOSTRIL = Ball("nostril", near("subnasale", 7.6, 1.8, 2.5), (3.5, 5.4, 6.8), blend=1.6, turn=24, carve=True)

NOSE: tuple[Feature, ...] = (
    Ball(
        "nose base",
        near("rhinion", 0, -16, -21),
        (18.5, 24, 16),
        blend=16,
        why="lifts the nose off the cheeks",
    ),
    Ridge(
        "bridge",
        near("pronasale"),
        along="y",
        stations=(
            (-22.5, 0, -29, 2.5),
            (-9, 0, -24, 4.71),
            (-4.5, 0, -15.6, 8.6),
            (0.5, 0, -12.4, 10.6),
            (7.5, 0, -14.2, 9.4),
            (17.5, 0, -19.4, 6.6),
            (27.5, 0, -25, 5.5),
            (37.5, 0, -30.6, 5.2),
            (43.5, 0, -32.2, 5.5),
            (55.5, 0, -30.5, 8),
            (67.5, 0, -31, 8),
        ),
        span=(-10.5, 57.5),
        blend=16,
        why="the profile line",
        squeeze=0.86,
        slimness=0.9,
    ),
    Rod("side wall", near("rhinion", 3, 0, -15), near("pronasale", 8, 1.5, -21), (4.6, 7.2), blend=16),
    Ball(
        "tip lobule",
        near("pronasale", 2.6, 0.9, -11.2),
        (7.4, 7.6, 9.4),
        blend=8,
        why="two domes that nearly merge",
    ),
    Ball("wing", near("alare", -6.3, 1.1, -1), (5.3, 6.3, 9.6), blend=5.5, turn=26, why="ala of the nostril"),
    Rod(
        "columella",
        near("subnasale", 0, 6, 9.5),
        near("subnasale", 0, 2, -1),
        (3.4, 4),
        blend=4,
        why="the strut between the nostrils",
    ),
    NOSTRIL,
    Groove(
        "wing crease, above",
        near("alare", -4, 9, 0.5),
        near("alar_crease", 0.6, 5, 2.5),
        width=2.4,
        depth=0.8,
    ),
    Groove(
        "wing crease, behind",
        near("alar_crease", 0.6, 5, 2.5),
        near("alar_crease", 1.2, -3, -1.5),
        width=2.4,
        depth=0.9,
    ),
    Groove(
        "tip crease",
        near("pronasale", 8.6, 3.5, -12.5),
        near("alare", -6.9, 0.5, 6),
        width=2.6,
        depth=0.5,
        why="parts the tip from the wing",
    ),
)
