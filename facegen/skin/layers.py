"""The effect of a complexion at each mask: shifts of the skin in CIELAB, then layers of paint in linear light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.colour import lab_to_linear
from dcign.facegen.haircuts import CUTS
from dcign.facegen.primitives import ramp
from dcign.facegen.skin.complexion import MOLES, MOST_CUTS, MOTTLES, Complexion

Weights = dict[str, Float64 | float]  # by mask: (N,), or the same for everybody
_FRINGES = [number for number, cut in enumerate(CUTS) if cut.fringe is not None]
EVERYWHERE = ""  # the mask that is 1 at every site
_FLESH = np.array([-9.0, 10.0, -3.0])  # wet flesh, CIELAB less that of the skin
_MELANIN, _BLOOD = np.array([-1.25, 0.35, 0.75]), np.array([-0.4, 0.9, 0.15])  # shifts of the patterns


def skin_shifts(c: Complexion) -> dict[str, Float64]:
    """Return the CIELAB shift (N, 3) that each mask adds to the skin of N people."""
    shown = 1 - 0.5 * c.dark  # red shows less through dark skin
    shifts = {
        "cheek_flush": _shift(c.flush, -0.6, 2.0, -0.4),
        "nose_tip": _shift(c.nose_red, -0.6, 2.8, -0.5),
        "nose": _shift(c.nose_red, -0.3, 1.3, 0.0),
        "wing_crease": _shift(c.flush, -1.6, 2.6, 0.0),
        "chin": _shift(c.flush, 0.0, 1.3, 0.0),
        "ear": _shift(c.flush, -0.6, 2.4, 0.1),
        "under_eye": _shift(c.under_eye, -2.6, 1.6, -1.8),
        "inner_corner": _shift(c.under_eye, -2.4, 1.5, -0.6),
        "upper_lid": _shift(c.under_eye * shown, -1.4, 2.4, 0.2),
        "forehead": _shift(c.forehead, -1.6, 0.3, 0.8) + _shift(1 + 0 * c.dark, 0.0, 0.7, 0.4),
        "around_mouth": _shift(c.around_mouth, -1.2, -0.1, 0.1),
        "temple": _shift(1 + 0 * c.dark, 0.2, -0.9, 0.4),
        "neck": _shift(1 + 0 * c.dark, 0.4, -1.2, 1.0),
        "grain": _shift(0.6 + 0.35 * c.old, -0.8, 0.5, 0.1),
        "pores": _shift(0.8 + 0.3 * c.man + 0.3 * c.old, -1.0, 0.25, 0.1),
        "lip": c.lips,
        "lip_rim": _shift(shown, 1.4, -0.6, 0.2),
        # Dark skin: the upper lip is nearly as brown as the skin, the lower one pinker.
        "lip_upper": _shift(0.7 + 1.6 * c.dark, -2.6, 0.2, -0.6) + _shift(c.dark, 0.0, -4.0, 0.0),
        "lip_lines": _shift(0.5 + 0.7 * c.old, -0.9, 0.3, 0.0),
        "forehead_lines": _shift(_from(c.lines, 0.22), -6.0, 1.6, -0.4),
        "frown": _shift(_from(c.lines, 0.25), -5.0, 1.4, -0.3),
        "crows_feet": _shift(_from(c.lines, 0.22), -5.0, 1.2, -0.3),
        "nasolabial": _shift(_from(c.lines, 0.08), -5.5, 1.8, -0.3),
        "marionette": _shift(_from(c.lines, 0.35), -5.5, 1.2, 0.0),
        "eye_bag": _shift(_from(c.lines, 0.12), -4.2, 1.6, -0.8),
        "lid_fold": _shift(0.35 + 0.65 * c.lines, -4.5, 1.6, 0.0),
        "neck_lines": _shift(_from(c.lines, 0.15), -4.5, 1.0, 0.0),
    }
    unevenness = (0.66 + 0.34 * c.old) / np.sqrt(MOTTLES / 2)
    for number in range(MOTTLES):
        pigment = _MELANIN if number % 2 else _BLOOD
        shifts[f"mottle_{number}"] = (unevenness * c.mottle[:, number])[:, None] * pigment
    return shifts


@dataclass(frozen=True)
class Layer:
    """Paint over what is below: below + opacity (colour - below), in linear light.

    opacity = strength * gate * clip(sum of weight * mask, 0, 1). gate: name of a mask that is 0 where the layer cannot
    be; colour (N, 3).
    """

    gate: str
    weights: Callable[[Complexion], Weights]
    colour: Callable[[Complexion], Float64]
    strength: Callable[[Complexion], Float64 | float] = lambda c: 1.0


def _whole(c: Complexion) -> Weights:
    return {EVERYWHERE: 1.0}


def _plain(*rgb: float) -> Callable[[Complexion], Float64]:
    return lambda c: np.tile(rgb, (len(c.dark), 1))


def _spots(kind: str, amount: Callable[[Complexion], Float64], sharpness: float) -> Callable[[Complexion], Weights]:
    # Spots appear in the order of their rank: those above 1 - amount.
    return lambda c: {kind: sharpness, EVERYWHERE: -sharpness * (1 - amount(c))}


def _hairline(c: Complexion) -> Weights:
    bald = (1 - c.cropped) * c.man
    fringe = c.cut[:, _FRINGES].sum(1)  # no roots show where it ends
    return {
        "scalp_mm": 0.13,
        "temples": -0.13 * c.recession,
        "front": -0.06 * c.recession - 1.5 * fringe,
        "crown": -0.07 * np.clip(c.recession - 11, 0, 20),
        "top": -6.0 * bald,
        "tufts": 0.12,
        "dots": 0.12,
        EVERYWHERE: 0.42,
    }


LAYERS: tuple[Layer, ...] = (
    Layer("freckles", _spots("freckles", lambda c: c.freckles, 3.0),
          lambda c: _skin_but(c, -13, 4.5, 7), lambda c: 0.75),
    Layer("age_spots", _spots("age_spots", lambda c: 0.7 * c.spots, 2.0),
          lambda c: _skin_but(c, -10, 2.0, 4), lambda c: 0.6),
    Layer("moles", lambda c: {f"moles_{i}": c.mole_groups[:, i] for i in range(MOLES)},
          lambda c: _skin_but(c, -24, 2, 0), lambda c: 0.9),
    # A shaven beard shows through the skin; stubble and beard lie on it.
    Layer("beard",
          lambda c: {"beard_mm": 0.05, EVERYWHERE: 0.5 + 0.05 * c.beard_cover, "moustache": 0.12, "dots": 0.45},
          lambda c: 0.5 * _hair(c, 0.8) + 0.22 * lab_to_linear(c.skin) * (1.0, 0.97, 0.94),
          lambda c: 0.40 * c.shadow * (0.35 + 0.65 * ramp(-_hair(c, 0.8).mean(1), -0.25, -0.02))),
    Layer("beard", lambda c: {"beard_mm": 0.06, EVERYWHERE: 0.10 + 0.16 * c.beard_cover, "tufts": 0.25, "dots": 0.5},
          lambda c: 0.9 * _hair(c, 0.9) + 0.004, lambda c: 0.92 * c.beard),
    Layer("scalp", _hairline, lambda c: 0.82 * _hair(c, 0.9),
          lambda c: 0.92 * c.cropped + 0.22 * (1 - c.cropped) * (0.4 + 0.6 * ramp(-c.hair.mean(1), -0.12, -0.02))),
    Layer("scalp", lambda c: {"scalp_mm": 0.02, "dots": 0.25, "tufts": 0.12, EVERYWHERE: -0.3},
          lambda c: 0.4 * _hair(c, 0.9), lambda c: 0.8 * c.cropped),
    Layer("brow",
          lambda c: {"brow_mm": 0.18, EVERYWHERE: 0.22 + 0.28 * c.brow_thickness - 0.12 * c.grey, "brow_strokes": 0.62},
          lambda c: 0.6 * (c.brow_hair + (0.5 * c.grey**2)[:, None] * (0.5 * c.white - c.brow_hair)),
          lambda c: c.brow_density),
    Layer("eye", _whole, lambda c: _sclera(c)),
    Layer("eye", lambda c: {"eye_corner": 0.35 + 0.15 * c.old, "veins": 0.22}, _plain(0.36, 0.19, 0.16)),
    Layer("iris", _whole, lambda c: c.iris),
    Layer("iris", lambda c: {"iris_inner": 0.85, "fibres": 0.1}, lambda c: c.iris_inner, lambda c: 0.8),
    Layer("iris", lambda c: {"fibres": 0.30 + 0.06 * c.iris_fibres}, lambda c: 1.9 * c.iris + 0.006, lambda c: 0.75),
    Layer("iris", lambda c: {"fibres": -0.34}, lambda c: 0.45 * c.iris, lambda c: 0.8),
    Layer("limbal", lambda c: {"limbal": 1.0}, lambda c: 0.14 * c.iris, lambda c: c.limbal),
    Layer("pupil", lambda c: {"pupil": 1.0}, _plain(0.004, 0.004, 0.004)),
    Layer("eye", lambda c: {"lid_shade": 0.62}, _plain(0.035, 0.02, 0.018)),
    Layer("caruncle", lambda c: {"caruncle": 1.0}, lambda c: _flesh(c), lambda c: 0.75),
    Layer("waterline", lambda c: {"waterline": 1.0}, lambda c: 1.1 * _flesh(c), lambda c: 0.5),
    Layer("upper_lashes", lambda c: {EVERYWHERE: 0.9, "lash_strokes": 0.3},
          lambda c: 0.25 * _lash(c), lambda c: c.lashes),
    Layer("lower_lashes", lambda c: {EVERYWHERE: 0.7, "lash_strokes": 0.6},
          lambda c: 0.6 * _lash(c), lambda c: 0.34 * c.lashes),
    Layer("mouth_line", lambda c: {"mouth_line": 1.0}, lambda c: 0.22 * _flesh(c), lambda c: 0.72),
    Layer("nostril", lambda c: {"nostril": 1.0}, lambda c: _flesh(c) * (0.20, 0.11, 0.09), lambda c: 0.85),
    Layer("shell", _whole, lambda c: c.hair),
    Layer("shell", lambda c: {"white_locks": 0.42, EVERYWHERE: 2.2 * c.grey - 0.7 + 0.2 * c.old},
          lambda c: c.white, lambda c: ramp(c.grey, 0.02, 0.2)),
    Layer("shell", lambda c: {"locks": -0.28, "root": 0.45}, lambda c: 0.4 * _hair(c, 1.0)),
    Layer("shell", lambda c: {"locks": 0.20, "tip": 0.22}, lambda c: np.clip(1.7 * _hair(c, 1.0) + 0.004, 0, 0.8)),
    Layer("shell", lambda c: {f"hollow_{cut}": 0.85 * c.cut[:, cut] for cut in range(MOST_CUTS)},
          lambda c: 0.15 * c.hair),
)  # fmt: skip


def _shift(amount: Float64, lightness: float, red: float, yellow: float) -> Float64:
    return np.asarray(amount[:, None] * np.array([lightness, red, yellow]))


def _from(lines: Float64, youngest: float) -> Float64:
    """Return the depth of a line (N,): it grows with age from a least value in youth."""
    return youngest + (1 - youngest) * lines


def _skin_but(c: Complexion, lightness: float, red: float, yellow: float) -> Float64:
    """Return linear RGB (N, 3) of the skin, shifted in CIELAB, and less on dark skin, which has less range."""
    shift = np.array([lightness, red, yellow]) * (1 - 0.45 * c.dark)[:, None]
    return np.clip(lab_to_linear(c.skin + shift), 0.003, 1)


def _flesh(c: Complexion) -> Float64:
    return np.clip(lab_to_linear(c.skin + _FLESH), 0.003, 1)


def _hair(c: Complexion, share: float) -> Float64:
    """Return linear RGB (N, 3) of pigmented and white hair mixed. share: grey here over grey on the head."""
    return np.asarray(c.hair + (share * c.grey)[:, None] * (c.white - c.hair))


def _lash(c: Complexion) -> Float64:
    return np.clip(c.brow_hair, 0, 0.05)


def _sclera(c: Complexion) -> Float64:
    """Return linear RGB (N, 3): off-white, duller and yellower with age and on dark skin."""
    dull = (0.16 * c.old + 0.14 * c.dark)[:, None] * (0.8, 1.0, 1.5)
    return np.array([0.50, 0.455, 0.42]) * (1 - dull)
