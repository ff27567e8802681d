"""Shape fields that published measurements ask for, and how far others must be turned down or up.

Conditioning does not ring only where the prior is within about 20 % of the published deviation.
"""

from __future__ import annotations

from facegen.features import near
from facegen.fields import Field, Push

MEASURED_FIELDS = (
    Field(
        "lower_face_breadth",
        "the bitragion-chin arc: how full the face is between ear and chin",
        (
            Push("out", 2.6, near("jaw_middle", 12, 22, -10), (34, 36, 46), softness=16),
            Push("forward", 1.2, near("pogonion", 0, 2, -10), (48, 34, 50)),
        ),
    ),
)

# Factors on fields of fields.py and broad_fields.py.
MEASURED_SPREAD = {
    "neck": 0.72, "jaw_width": 1.2, "crown": 1.3, "prognathism": 1.2, "frontal_width": 1.15,
    "upper_lip_length": 1.2, "upper_lip": 1.3, "lower_lip": 1.75, "nose_width": 0.7, "wing_flare": 0.6,
    "mouth_width": 0.9, "ear_size": 1.1, "ear_flare": 1.05,
}  # fmt: skip
