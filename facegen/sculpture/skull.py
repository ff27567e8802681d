"""The brain case, brow ridges and eye sockets: a bald head from above, behind and the side."""

from __future__ import annotations

from dcign.facegen.sculpture.features import Capsule, Ellipsoid, Feature, near

BRAIN_CASE: tuple[Feature, ...] = (
    Ellipsoid("brain case", near("vertex", 0, -73), (75.0, 73, 87.5), blend=1),  # everything else is attached to it
    # A forehead that rises before it slopes.
    Ellipsoid("frontal bone", near("glabella", 0, 16, -77), (63, 67, 73.5), blend=20),
    Ellipsoid("parietal", near("euryon", -47.5, -4, -26), (42, 54, 45), blend=20),  # square at the back, from above
    Ellipsoid("skull base", near("opisthocranion", 0, -42, 72), (62, 50, 60), blend=26),  # fills the nape
)
BROWS_AND_SOCKETS: tuple[Feature, ...] = (
    # Halfway between a man's and a woman's.
    Capsule("brow ridge", near("brow_inner", 2, 1, -10.6), near("brow_peak", 3, -2, -10.5), (2.6, 5.8), blend=22),
    Ellipsoid("orbit", near("eyeball", -1.5, -1, 22.5), (18, 10.5, 10.8), blend=14, carve=True),
    # Beside the root of the nose.
    Ellipsoid("inner orbit", near("endocanthion", 2.7, 3.4, 12), (5.6, 8.6, 7.8), blend=12, carve=True),
)
