"""Which square of a picture the network gets: the middle one, or the one in which the face lies as in our renders.

Positions are pixels, x to the right and y down from the top left corner. A window is a square that may be turned and
may reach beyond the picture, where it is black.

The renders' positions are those of the model's mean head in front of the default camera at azimuth and elevation 0
(docs/shard.md, "From model space to pixels"): the mean of iBUG's points 37-42 and 43-48 for the eyes, and the box
around all 68 points for the face. People differ from it by a few per cent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dcign.errors import TrainingError

# Shares of a render's width from its centre, x to the right and y down.
EYES_APART, EYES_DOWN = 0.2016, 0.0075
FACE_DOWN, FACE_HEIGHT = 0.1642, 0.4679  # from the brows to the chin
LEAST_SIDE = 8  # px of a window; a smaller one shows nothing that could be read
LEAST_EYES = 3  # px between two eyes
MOST = 4  # largest side of a window, in sides of the picture


@dataclass(frozen=True)
class Window:
    """A square of a picture: its centre and side in pixels, and by how much it is turned clockwise, degrees."""

    x: float
    y: float
    side: float
    turned: float = 0.0
    source: str = "the middle square"

    def describe(self, width: int, height: int) -> str:
        """Say which part of a picture of this size the network gets, and from what that was found."""
        turn = f", turned by {self.turned:+.1f} degrees" if self.turned else ""
        return (
            f"cut a square of {self.side:.0f} px around ({self.x:.0f}, {self.y:.0f}){turn} out of {width} x {height} "
            f"px: {self.source}"
        )

    def reframed(self, zoom: float = 1.0, right: float = 0.0, down: float = 0.0) -> Window:
        """Return the window in which the face is zoomed, then shifted by shares of the window's width."""
        side = self.side / zoom
        angle = math.radians(self.turned)
        x = self.x - side * (right * math.cos(angle) - down * math.sin(angle))
        y = self.y - side * (right * math.sin(angle) + down * math.cos(angle))
        return Window(x, y, side, self.turned, self.source)


def middle_square(width: int, height: int) -> Window:
    """Return the largest square in the middle of a picture."""
    side = min(width, height)
    return Window((width - side) // 2 + side / 2, (height - side) // 2 + side / 2, side)


def window_of_eyes(eyes: Sequence[float]) -> Window:
    """Return the window that puts two eyes, X Y X Y, where our renders have them.

    Raises TrainingError unless they are two places.
    """
    (x, y), (other_x, other_y) = sorted([(eyes[0], eyes[1]), (eyes[2], eyes[3])])
    apart = math.hypot(other_x - x, other_y - y)
    if not math.isfinite(sum(eyes)) or apart < LEAST_EYES:
        raise TrainingError(
            f"expected two eyes {LEAST_EYES} px or more apart, found {_listed(eyes)}: give their centres as X Y X Y."
        )
    side = apart / EYES_APART
    angle = math.atan2(other_y - y, other_x - x)
    down = EYES_DOWN * side
    middle_x, middle_y = (x + other_x) / 2, (y + other_y) / 2
    return Window(
        middle_x + down * math.sin(angle),
        middle_y - down * math.cos(angle),
        side,
        math.degrees(angle),
        "its eyes are where our renders have them",
    )


def window_of_box(box: Sequence[float]) -> Window:
    """Return the window that puts the face in a box X Y W H where our renders have it.

    The box reaches from the brows to the chin. Its centre and its height count, because its width depends on how far
    the head is turned. Raises TrainingError for a box without an area.
    """
    x, y, width, height = box
    if not math.isfinite(sum(box)) or width <= 0 or height <= 0:
        raise TrainingError(
            f"expected a box X Y W H with a width and a height above 0, found {_listed(box)}: give the box around the "
            "face, from the brows to the chin."
        )
    side = height / FACE_HEIGHT
    return Window(
        x + width / 2, y + height / 2 - FACE_DOWN * side, side, source="its face is where our renders have it"
    )


def refuse_outside(window: Window, width: int, height: int) -> None:
    """Raise TrainingError unless a window shows a useful part of a picture of this size."""
    if window.side < LEAST_SIDE or window.side > MOST * max(width, height):
        raise TrainingError(
            f"expected a face whose square has a side from {LEAST_SIDE} to {MOST * max(width, height)} px, found "
            f"{window.side:.0f} px: correct the eyes or the box, in pixels of the picture."
        )
    if not (0 <= window.x < width and 0 <= window.y < height):
        raise TrainingError(
            f"expected a face inside the picture of {width} x {height} px, found one around ({window.x:.0f}, "
            f"{window.y:.0f}): correct the eyes or the box, in pixels of the picture."
        )


def _listed(numbers: Sequence[float]) -> str:
    return " ".join(f"{number:g}" for number in numbers)
