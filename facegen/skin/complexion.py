"""A person's complexion from N(0, 1) coefficients, sex and age. Traits that go together in nature go together here.

Skin follows the published tables (tones.py). Hair depends on skin, eyes on skin and hair, grey hair and lines on age,
beards on sex. Every curve is monotone and saturates, so that nobody is orange or blue at any coefficient.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from dcign.arrays import Float64, Floating
from dcign.facegen.colour import lab_to_linear
from dcign.facegen.model.person import ATTRIBUTES, HAIR_TONE
from dcign.facegen.primitives import curve, ramp
from dcign.facegen.skin.tones import cheek_lab

MOTTLES = 14  # patterns of pigment and of blood; every skin has its own mixture
MOST_CUTS = 16  # haircuts that can have their own shading
MOLES = 8  # groups of moles

# Name of the coefficient: effect of one standard deviation.
_NAMED = {
    "tone": "lighter skin, along the published tones",
    "red": "a* of the skin, at its tone",
    "yellow": "b* of the skin, at its tone",
    "flush": "cheeks, nose and ears redder than the rest",
    "nose_red": "a redder nose",
    "forehead": "a darker forehead",
    "around_mouth": "darker about the mouth",
    "under_eye": "dark rings",
    "freckles": "freckles, where the skin is fair",
    "moles": "more moles",
    "lines": "folds and lines beyond one's years",
    "sun": "age spots and uneven pigment beyond one's years",
    "hair": "lighter hair, as far as the skin's tone goes with it",
    "hair_red": "redder hair",
    "grey": "greys earlier",
    "balding": "a higher hairline, temples first; men with age",
    "iris": "lighter eyes, as far as the skin's tone goes with it",
    "iris_hue": "of light eyes: grey and blue rather than green and hazel",
    "iris_fibres": "which fibres are light",
    "limbal": "a darker rim of the iris",
    "brow_density": "denser brows",
    "brow_thickness": "thicker brows",
    "lashes": "darker lashes",
    "beard": "men: a darker shadow, then stubble, then a short beard",
    "beard_cover": "men: how high on the cheeks and how evenly the beard grows",
    "lip_red": "redder lips",
    "lip_light": "lighter lips",
}
OF_HAIR = ("hair", "hair_red", "grey", "balding")  # brows and beards take the hair's colour
COEFFICIENTS = (*_NAMED, *(f"mottle_{i}" for i in range(MOTTLES)), *(f"moles_{i}" for i in range(MOLES)))

# Hair from black (0) to blond (5), CIELAB.
HAIR_L = curve([(0, 7), (1, 12), (2, 19), (3, 29), (4, 42), (5, 56)])
HAIR_A = curve([(0, 0.5), (1, 2), (2, 4.5), (3, 6), (4, 6), (5, 4)])
HAIR_B = curve([(0, 0.5), (1, 3), (2, 7), (3, 12), (4, 18), (5, 22)])
HAIR_LIGHTEST = curve([(44, 1.0), (52, 1.6), (57, 2.9), (61, 4.6), (65, 5.0)])  # over the L* of the skin
WHITE_HAIR = np.array([60.0, 0.6, 5.0])
# Irises, linear RGB, from much pigment (0) to little (1): dark brown, brown, hazel, then green or blue.
_IRIS_STATIONS = (0.0, 0.35, 0.6, 0.8, 1.0)
_IRIS_DARK = ((0.036, 0.019, 0.011), (0.105, 0.052, 0.021))
_IRIS_GREEN = (*_IRIS_DARK, (0.160, 0.102, 0.038), (0.125, 0.122, 0.060), (0.125, 0.140, 0.090))
_IRIS_BLUE = (*_IRIS_DARK, (0.145, 0.110, 0.062), (0.125, 0.145, 0.150), (0.115, 0.165, 0.220))
_IRIS_HERE = curve([(44, -3.0), (52, -2.1), (57, -1.1), (61, 0.2), (66, 0.9)])  # over the L* of the skin
GREY_AGE, GREY_DEVIATION, GREY_WIDTH = 57.0, 8.0, 15.0  # years: half grey; spread among people; duration
DYED = 14.0  # years by which grey shows later in women, because some dye their hair


class Complexion:
    """The quantities that determine the colours of N people. Arrays (N,), 0..1 unless noted; colours (N, 3).

    skin: CIELAB of the cheek; dark: 0 fair .. 1 dark; man, old: 0 woman .. 1 man, 0 young .. 1 old; hair, brow_hair,
    white, iris, iris_inner: linear RGB; grey: share of white hairs; recession: mm by which the hairline of the temples
    has moved up; cropped: whether there is hair on the scalp; cut (N, MOST_CUTS): one-hot haircut; lips: CIELAB less
    that of the skin; mottle (N, MOTTLES) and mole_groups (N, MOLES): patterns; the others as in _NAMED.
    """

    def __init__(self, coefficients: Floating, attributes: Floating) -> None:
        """Derive everything from coefficients (N, Ka), in the order of COEFFICIENTS, and attributes (N, A)."""
        own = dict(zip(COEFFICIENTS, coefficients.astype(np.float64).T, strict=True))
        about = dict(zip((*ATTRIBUTES, HAIR_TONE), attributes.astype(np.float64).T, strict=False))
        z = {name: soft(own[name]) for name in _NAMED}
        skin = cheek_lab(own["tone"], pallid(own["red"]), pallid(own["yellow"]))
        lightness, age = skin[:, 0], about["age"]
        dark = ramp(-lightness, -64, -36)
        hair_lightness, hair_dark, iris_with_hair = lightness, dark, 0.35 * z["hair"] * (1 - dark)
        if HAIR_TONE in about:  # hair of somebody else
            hair_lightness = cheek_lab(about[HAIR_TONE], z["red"], z["yellow"])[:, 0]
            hair_dark, iris_with_hair = ramp(-hair_lightness, -64, -36), np.zeros(len(skin))
        man, old = ramp(about["sex"], -0.8, 0.9), ramp(age, 28, 80)
        young = DYED * (1 - man) - GREY_DEVIATION * z["grey"] - 3 * hair_dark
        index = HAIR_LIGHTEST(hair_lightness) * ndtr(own["hair"]) ** 1.15 * (1 - 0.2 * old)
        iris_light = ramp(_IRIS_HERE(lightness) + 1.1 * z["iris"] + iris_with_hair, -1.4, 1.6)
        moles = np.stack([own[f"moles_{i}"] for i in range(MOLES)], 1) + 0.5 * z["moles"][:, None]
        adult = ramp(age, 17, 30) * 0.5 + 0.5
        hairy = man * adult
        self.skin, self.dark, self.man, self.old, self.iris_light = skin, dark, man, old, iris_light
        self.hair = _hair_linear(index, z["hair_red"], hair_lightness)
        self.grey = ramp(age - young, GREY_AGE - GREY_WIDTH, GREY_AGE + GREY_WIDTH + 4)
        self.cropped = (about["hair_cut"] > 0.5).astype(np.float64)
        self.cut = np.round(about["hair_cut"])[:, None] == np.arange(MOST_CUTS)
        self.flush = (1.0 + 0.45 * z["flush"]) * (1 - 0.45 * dark)
        self.nose_red = np.maximum(1.0 + 0.5 * z["nose_red"], 0) * (1 - 0.45 * dark)
        self.forehead = 1.0 + 0.7 * z["forehead"]
        self.around_mouth = 1.0 + 1.1 * z["around_mouth"] + 1.5 * dark
        self.under_eye = np.maximum(0.9 + 0.5 * z["under_eye"] + 0.5 * old, 0.1)
        self.freckles = ramp(z["freckles"] + 1.8 * ramp(lightness, 54, 66), 1.9, 4.3)
        self.spots = ramp(age + 9 * z["sun"], 45, 88)
        self.lines = np.clip(ramp(age + 6 * z["lines"], 24, 88), 0, 1)
        self.white = np.tile(lab_to_linear(WHITE_HAIR), (len(skin), 1))
        self.recession = _recession(man, age, own["balding"])
        self.brow_hair = _hair_linear(np.minimum(0.75 * index, 3.0), z["hair_red"], hair_lightness)
        self.brow_density = np.clip(0.68 + 0.11 * z["brow_density"] + 0.10 * man - 0.10 * old, 0.2, 1)
        self.brow_thickness = 0.45 * z["brow_thickness"] + 1.1 * man - 0.45
        self.lashes = np.clip(0.78 + 0.08 * z["lashes"] - 0.22 * man - 0.25 * old, 0.2, 1)
        self.iris = _iris_linear(iris_light, z["iris_hue"])
        self.iris_inner = _iris_linear(np.clip(iris_light - 0.28, 0, 1), z["iris_hue"] - 1)
        self.iris_fibres = z["iris_fibres"]
        self.limbal = np.clip(0.62 + 0.16 * z["limbal"] - 0.35 * old, 0.05, 1)
        self.shadow = hairy * np.clip(0.40 + 0.22 * z["beard"], 0.05, 0.8)
        self.beard = hairy * ramp(own["beard"], 0.2, 1.9)
        self.beard_cover = z["beard_cover"]
        self.lips = _lips(z, man, old, dark)
        self.mottle = np.stack([own[f"mottle_{i}"] for i in range(MOTTLES)], 1)
        self.mole_groups = ramp(moles, 0.6, 1.8)


def soft(z: Float64) -> Float64:
    """Compress the tails of N(0, 1) to +-2.5 at unit variance."""
    return np.asarray(2.5 * np.tanh(z / 2.25))


def pallid(z: Float64) -> Float64:
    """Do the same for coefficients whose low values turn skin grey: down to -1.7 only."""
    return np.where(z < 0, 1.7 * np.tanh(z / 1.7), soft(z))


def _hair_linear(index: Float64, red: Float64, lightness: Float64) -> Float64:
    """Return linear RGB (N, 3) of hair at index 0 black .. 5 blond."""
    fair = ramp(lightness, 57, 65)
    ginger = fair * ramp(red, 1.35, 1.9) * ramp(index, 1.2, 2.6)
    brown = ramp(index, 0.5, 2.5) * (0.8 * red + 1.5 * fair * ramp(red, 0.4, 1.6))
    lab = np.stack([HAIR_L(index), HAIR_A(index) + brown + 11 * ginger, HAIR_B(index) + 0.8 * brown + 9 * ginger], 1)
    return np.clip(lab_to_linear(lab), 0.003, 1)


def _iris_linear(light: Float64, hue: Float64) -> Float64:
    """Return linear RGB (N, 3): from dark brown to green or blue, by hue."""
    blue = ramp(hue, -0.9, 0.5)[:, None]
    green, azure = (
        np.stack([np.interp(light, _IRIS_STATIONS, channel) for channel in np.array(stations).T], 1)
        for stations in (_IRIS_GREEN, _IRIS_BLUE)
    )
    return np.asarray(green + blue * (azure - green))


def _recession(man: Float64, age: Float64, balding: Float64) -> Float64:
    """Return how far (N,), mm, the hairline of the temples has moved up."""
    men = 26 * ramp(age + 15 * balding, 34, 80)
    return np.asarray(man * (3 + men) + 2.0 * np.tanh(balding))


def _lips(z: dict[str, Float64], man: Float64, old: Float64, dark: Float64) -> Float64:
    """Return CIELAB (N, 3) of the lips less that of the skin around them."""
    red = 9.0 - 0.5 * dark - 2.6 * man - 3.0 * old + 3.0 * z["lip_red"]
    light = -9.5 + 3.0 * dark + 1.6 * man + 1.0 * old + 3.0 * z["lip_light"]
    return np.stack([light, np.maximum(red, 3.0), -1.6 + 0.15 * red - 0.3 * dark + 0.9 * z["lip_light"]], 1)
