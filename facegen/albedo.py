"""The colours of the population, as independent N(0, 1) modes about the mean person.

Each tint changes some parameters of the mean person; half the difference between painting them up and down is one
column of the covariance. Smooth pigment noise gives every skin its own pattern. The principal components of all
columns are the modes. Straight lines in sRGB stay natural because each tint moves along real skins and hairs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from facegen.primitives import Array
from facegen.regions import Regions
from facegen.skin import Appearance, paint

MOTTLE_SCALES = (3.0, 14.0)  # mm: pores and patches that everybody has
PATTERN_SCALES = (10.0, 16.0, 28.0)  # mm: what differs from skin to skin
PATTERNS = 16  # of each scale
PATTERN_AMPLITUDE = 0.011  # sRGB, all patterns together


@dataclass(frozen=True)
class Tint:
    """How much each parameter of Appearance changes at one standard deviation, and why.

    reach: the number of deviations at which the painted difference is taken; between, colour follows a chord.
    """

    name: str
    shifts: dict[str, float]
    why: str
    reach: float = 1.0


# Towards men. The first tint is the one that population.py ties to the sex of the shape.
SEX = Tint(
    "sex",
    {"beard": 0.28, "lip_red": -1.7, "lashes": -0.12, "brow": 0.05, "cheek_red": -0.15},
    "dimorphism",
)

TINTS = (
    SEX,
    Tint("tone", {"tone": 0.85, "hair": -0.4, "iris": -0.12, "iris_blue": -0.12}, "dark hair goes with dark skin", 2.0),
    Tint("hair", {"hair": 0.8}, "black to dark blond", 2.0),
    Tint("hair cover", {"hair_cover": 0.03}, "thin or shaven hair lets the scalp through"),
    Tint("hair red", {"hair_red": 1.3}, ""),
    Tint("red", {"red": 0.9}, "a* hardly varies"),
    Tint("yellow", {"yellow": 1.1}, ""),
    Tint("cheeks", {"cheek_red": 0.5}, ""),
    Tint("rings", {"under_eye": 0.6}, ""),
    Tint("beard", {"beard": 0.18}, ""),
    Tint("lips red", {"lip_red": 1.8}, ""),
    Tint("lips light", {"lip_light": 2.4}, ""),
    Tint("brows", {"brow": 0.10}, ""),
    Tint("iris", {"iris": 0.25}, ""),
    Tint("iris blue", {"iris_blue": 0.35}, ""),
)


@dataclass(frozen=True, eq=False)
class AlbedoModel:
    """mean (V, 3) sRGB; basis (V, 3, K); sex (K,) the unit direction from women to men."""

    mean: Array
    basis: Array
    sex: Array


def albedo_model(vertices: Array, regions: Regions, modes: int, seed: int = 0) -> AlbedoModel:
    """Mean and basis of the population's colours on the template's vertices (V, 3)."""
    rng = np.random.default_rng(seed)
    mottle = np.mean([_noise(vertices, scale, rng) for scale in MOTTLE_SCALES], 0)
    mean = paint(regions, Appearance(), mottle)
    columns = np.stack([*(_column(regions, tint, mottle) for tint in TINTS), *_patterns(vertices, regions, rng)], -1)
    flat = columns.reshape(mean.size, -1)
    chosen = np.linalg.eigh(flat.T @ flat)[1][:, ::-1][:, :modes]
    basis = flat @ chosen
    left = np.repeat(vertices[:, 0] >= 0, 3)
    signs = np.sign(basis[np.argmax(np.abs(basis * left[:, None]), 0), np.arange(basis.shape[1])])
    # A tint's column is flat @ e, so its coefficients are the rows of the eigenvectors.
    sex = chosen[TINTS.index(SEX)] * signs
    return AlbedoModel(mean, (basis * signs).reshape(*mean.shape, -1), sex / np.linalg.norm(sex))


def _column(regions: Regions, tint: Tint, mottle: Array) -> Array:
    """The change of colour (V, 3) at one standard deviation."""
    up, down = (_shifted(tint, sign * tint.reach) for sign in (1, -1))
    return (paint(regions, up, mottle) - paint(regions, down, mottle)) / (2 * tint.reach)


def _shifted(tint: Tint, deviations: float) -> Appearance:
    mean = asdict(Appearance())
    return replace(Appearance(), **{name: mean[name] + deviations * shift for name, shift in tint.shifts.items()})


def _patterns(vertices: Array, regions: Regions, rng: np.random.Generator) -> list[Array]:
    """Columns (V, 3) of smooth pigment noise on skin and, less, on hair."""
    where = (1 - regions.eye) * (1 - 0.5 * regions.hair)
    amplitude = PATTERN_AMPLITUDE / np.sqrt(PATTERNS * len(PATTERN_SCALES))
    columns = []
    for scale in PATTERN_SCALES:
        for _ in range(PATTERNS):
            pattern = amplitude * where * _noise(vertices, scale, rng)
            columns.append(pattern[:, None] * np.array([1.0, 0.95, 0.9]))
    return columns


def _noise(vertices: Array, scale: float, rng: np.random.Generator, waves: int = 48) -> Array:
    """Band-limited noise (V,) of unit variance: a sum of plane waves with random directions and phases."""
    wave_vectors = rng.standard_normal((waves, 3)) / scale
    phases = rng.uniform(0, 2 * np.pi, waves)
    return np.asarray(np.cos(vertices @ wave_vectors.T + phases).sum(1) * np.sqrt(2 / waves))
