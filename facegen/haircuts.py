"""The haircuts: their shapes, and how likely a person is to have each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.primitives import curve

Stations = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Cut:
    """The shape of one haircut on the average person who has it, mm, and how likely it is.

    women, men: relative probability at 30, by sex; ageing: the factor on it from 30 to 70, for women and for men
    top, sides, back: thickness over the skull
    rim: distance from the hairline over which the thickness rises to these values
    front: additional thickness over the forehead
    lumps, curl: heights of locks and of curls
    parted: combed from a middle parting; crown: whether the top of the head has hair
    hangs: the first azimuth, degrees, whose strands fall below the hairline, or None
    tips: y of the tips of hanging strands, front and back; tip_slope: change of y per standard deviation of length
    growth, bulk: relative change of thickness per standard deviation of length and of volume
    fringe: y of the fringe's tips, or None
    bun: tied to a knot; over_ears: hanging hair covers the ears; wave: amplitude of waves of hanging hair
    edge: azimuth of the hanging hair's edge beside the face, over y
    width, depth: half-width of the hanging hair, and its depth behind the line of the ears, over y
    """

    name: str
    women: float
    men: float
    ageing: tuple[float, float] = (1.0, 1.0)
    top: float = 6.0
    sides: float = 4.0
    back: float = 5.0
    rim: float = 14.0
    front: float = 0.0
    lumps: float = 0.6
    curl: float = 0.0
    parted: bool = False
    crown: bool = True
    hangs: float | None = None
    tips: tuple[float, float] = (0.0, 0.0)
    tip_slope: float = 0.0
    growth: float = 0.0
    bulk: float = 0.12
    fringe: float | None = None
    bun: bool = False
    over_ears: bool = True
    wave: float = 0.0
    edge: Stations = ()
    width: Stations = ()
    depth: Stations = ()


_OVER_THE_EARS = ((-240, 88), (-170, 83), (-110, 83), (-60, 88), (-25, 91), (10, 91), (35, 87), (60, 80))
_BEHIND_THE_EARS = ((-240, 80), (-140, 72), (-80, 71), (-40, 75), (0, 80), (35, 80), (60, 78))
_BACK = ((-240, 106), (-170, 99), (-110, 95), (-60, 96), (-20, 99), (30, 103), (60, 102))
_BOB_SIDES = ((-150, 74), (-120, 80), (-90, 88), (-60, 93), (-25, 94), (10, 93), (35, 89), (60, 81))
_BOB_BACK = ((-150, 72), (-120, 82), (-90, 91), (-60, 96), (-20, 100), (30, 103), (60, 103))
# Azimuth, degrees, of the edge beside the face, over y.
_FACE_EDGE = ((-240, 52), (-120, 60), (-40, 64), (20, 60), (50, 50))
_EAR_EDGE = ((-240, 84), (-120, 100), (-60, 112), (-20, 116), (20, 116))

CUTS: tuple[Cut, ...] = (
    Cut("bald", women=0.3, men=7, ageing=(2.0, 3.0)),  # shaved or lost
    Cut("cropped", women=1.5, men=20, ageing=(1.5, 1.2),  # clippers all over, 3 to 6 mm
        top=7.0, sides=6.0, back=7.0, rim=12, growth=0.2, lumps=0.9),
    Cut("balding", women=0, men=3, ageing=(1.0, 6.0),  # hair on the sides alone
        top=6.0, sides=6.0, back=6.0, rim=12, growth=0.25, lumps=0.8, crown=False),
    Cut("short sides", women=3, men=20, ageing=(2.0, 0.9),  # longer on top, brushed up from the forehead
        top=15, sides=6.5, back=8.0, rim=15, front=8.0, growth=0.15, lumps=2.6),
    Cut("short", women=10, men=18, ageing=(1.8, 1.2),  # a few centimetres all over, a pixie or an overdue cut
        top=14, sides=10, back=10, rim=18, front=4.0, growth=0.15, lumps=2.6),
    Cut("curls", women=13, men=12, ageing=(0.9, 0.5),  # a rounded cloud of curls
        top=23, sides=15, back=18, rim=20, growth=0.12, lumps=0.6, curl=4.5),
    Cut("bob", women=17, men=2, ageing=(1.2, 0.4),  # to the jaw, over the ears, parted
        top=13, sides=11, back=13, rim=10, parted=True, hangs=44, tips=(-98, -92), tip_slope=14, growth=0.05,
        lumps=2.6, edge=_FACE_EDGE, width=_BOB_SIDES, depth=_BOB_BACK),
    Cut("fringe", women=12, men=1, ageing=(0.7, 0.3),  # a bob with the forehead covered
        top=13, sides=12, back=13, rim=10, hangs=44, tips=(-108, -104), tip_slope=14, growth=0.05,
        lumps=2.6, fringe=25, edge=_FACE_EDGE, width=_BOB_SIDES, depth=_BOB_BACK),
    Cut("long, behind the ears", women=15, men=6, ageing=(0.5, 0.5),  # the ears show
        top=11, sides=8.9, back=10.6, rim=12, hangs=112, over_ears=False, wave=1.5, tips=(-215, -225),
        tip_slope=22, growth=0.05, lumps=2.6, edge=_EAR_EDGE, width=_BEHIND_THE_EARS, depth=_BACK),
    Cut("long, parted", women=18, men=3, ageing=(0.45, 0.4),  # from a middle parting, in front of the shoulders
        top=13, sides=11, back=12, rim=10, parted=True, hangs=44, tips=(-200, -225), tip_slope=24, growth=0.05,
        lumps=2.8, wave=3.0, edge=_FACE_EDGE, width=_OVER_THE_EARS, depth=_BACK),
    Cut("tied", women=9, men=3, ageing=(0.8, 0.3),  # combed back into a knot
        top=11, sides=8.5, back=9.0, rim=14, front=3.0, growth=0.1, lumps=1.6, bun=True),
)  # fmt: skip

CUT_NAMES = tuple(cut.name for cut in CUTS)
SEX_SOFTNESS = 0.35  # standard deviations of sex over which the probabilities change from women's to men's
YOUNG, OLD = 30.0, 70.0  # years


def cut_probabilities(sex: float, age: float) -> Float64:
    """Return the probability (S,) of each of CUTS for a person; sex in standard deviations, men > 0; age in years."""
    share = 1 / (1 + np.exp(-sex / SEX_SOFTNESS))
    ageing = np.clip((age - YOUNG) / (OLD - YOUNG), -0.3, 1.2)
    women = np.array([cut.women * cut.ageing[0] ** ageing for cut in CUTS])
    men = np.array([cut.men * cut.ageing[1] ** ageing for cut in CUTS])
    return np.asarray((1 - share) * women / women.sum() + share * men / men.sum())


# Height y of the edge of the hair's surface over azimuth: it passes over the ears, which the painted hairline does not.
HAIR_EDGE_HEIGHT = curve(
    [(0, 76), (18, 75), (32, 70), (44, 60), (54, 44), (61, 25), (68, 4), (74, -9), (79, -4), (84, 16), (91, 30),
     (98, 23), (103, -14), (110, -62), (117, -75), (135, -83), (157, -86), (180, -86)]
)  # fmt: skip
# Height y over azimuth at which hair that hangs over the ears leaves the skull.
HANGING_EDGE_HEIGHT = curve(
    [(0, 76), (18, 75), (32, 70), (44, 60), (54, 48), (65, 36), (80, 24), (103, 0), (135, -35), (180, -55)]
)
