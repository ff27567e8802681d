"""The nose, from the bridge down: fillets of 3 to 16 mm, nostril edges of 1.4 mm."""

from __future__ import annotations

from dcign.facegen.sculpture.features import Capsule, Ellipsoid, Feature, Groove, Ridge, near

NOSTRIL = Ellipsoid("nostril", near("subnasale", 7.0, 1.4, 4.6), (2.9, 4.6, 6.2), blend=1.4, turn=-24, carve=True)

NOSE: tuple[Feature, ...] = (
    Ellipsoid("nose base", near("rhinion", 0, -17, -22), (16, 25, 16), blend=14),  # lifts the nose off the cheeks
    Ridge(
        "bridge",  # the line of the profile
        near("pronasale"),
        along="y",
        stations=(
            (-13, 0, -20, 3.6),
            (-8.5, 0, -12.4, 7.2),
            (-4, 0, -9.9, 9.0),
            (0, 0, -9.4, 9.3),
            (4, 0, -9.9, 8.6),
            (8.5, 0, -11.8, 6.8),
            (14, 0, -14.8, 5.4),
            (22, 0, -19.7, 4.7),
            (31, 0, -25.4, 4.5),
            (39.5, 0, -30.0, 5.1),
            (46, 0, -32, 7),
            (57, 0, -33.5, 9),
        ),
        span=(-9.5, 52),
        blend=14,
        squeeze=0.9,
        slimness=0.9,
    ),
    Capsule("side wall", near("rhinion", 2.5, 3, -13.5), near("pronasale", 8.5, 0.5, -20.5), (3.8, 6.4), blend=15),
    # Two domes that nearly merge.
    Ellipsoid("tip lobule", near("pronasale", 3.2, -2.2, -8.8), (6.6, 7.2, 8.0), blend=6),
    Ellipsoid("wing", near("alare", -4.9, 1.0, -0.2), (5.1, 7.0, 10.5), blend=6.5, turn=24),  # ala of the nostril
    # The strut between the nostrils.
    Capsule("columella", near("subnasale", 0, 4.4, 10.5), near("subnasale", 0, 2, -1), (3.2, 3.8), blend=4),
    NOSTRIL,
    Groove("wing crease, above", near("alare", -5.5, 8, 4), near("alare", -0.8, 4.8, -4.5), width=2.6, depth=0.5),
    Groove("wing crease, behind", near("alare", -0.8, 4.8, -4.5), near("alare", 0, -3.5, -6.5), width=2.4, depth=0.6),
    # Separates the tip from the wing.
    Groove("tip crease", near("alare", -5.5, 8, 4), near("alare", -7.6, 0.5, 9.5), width=2.6, depth=0.3),
)
