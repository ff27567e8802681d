"""The template as the shape fields see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.template.regions import Regions


@dataclass(frozen=True, eq=False)
class Geometry:
    """The template as the fields see it: vertices (V, 3) mm, |x| (V,), and its regions."""

    vertices: Float64
    regions: Regions

    @property
    def x(self) -> Float64:
        """Towards the subject's left, (V,) mm."""
        return self.vertices[:, 0]

    @property
    def away(self) -> Float64:
        """Distance |x| from the midline, (V,) mm."""
        return np.abs(self.x)

    @property
    def y(self) -> Float64:
        """Up, (V,) mm."""
        return self.vertices[:, 1]

    @property
    def z(self) -> Float64:
        """Forward, (V,) mm."""
        return self.vertices[:, 2]

    def move(self, out: Float64 | None = None, up: Float64 | None = None, forward: Float64 | None = None) -> Float64:
        """A displacement (V, 3) from its parts (V,); `out` is signed by the side."""
        moved = np.zeros_like(self.vertices)
        for axis, part in enumerate((out, up, forward)):
            if part is not None:
                moved[:, axis] = part
        return moved
