"""The skin tones of people: published means and spreads of the cheek in CIELAB, and sampling from them.

The population is a mixture of five groups in equal shares, and of a few people who are darker than all of them. The
coefficient `tone` maps to the quantiles of the mixture's L*. a* and b* are normal about their means at that L*, so the
population is a curved sheet. Where the margins of the groups allow colours that no skin has (chalk, mauve, brick), hue
and chroma are limited to natural ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from dcign.arrays import Float64
from dcign.facegen.primitives import curve

HUE_BOND = 0.82  # correlation of a* and b* at one L*: without it, skins turn pink or green
LIGHTEST, DARKEST = 70.0, 29.0  # L*: beyond, a lit cheek is over- or underexposed
# Limits of natural skin over L*: hue in degrees, chroma. As narrow as the margins of the published groups allow.
_LEAST_HUE = curve([(34, 47), (44, 50.5), (55, 50.5), (62, 50), (68, 51)])
_MOST_HUE = 70.0
_LEAST_CHROMA = curve([(32, 9), (42, 17), (52, 18), (58, 17.3), (64, 16.3), (70, 15)])
_MOST_CHROMA = curve([(32, 21), (40, 27), (52, 33), (60, 32), (70, 27)])
_REGAINED = 1.28  # factor on the spread of a* and b* that makes up for the limits
_KNEE = 1.2  # width of a limit's soft transition, degrees or units of chroma


@dataclass(frozen=True)
class Tone:
    """Mean and standard deviation of the cheeks of a group, and the correlations of a* and b* with L* inside it."""

    name: str
    lightness: tuple[float, float]
    red: tuple[float, float]
    yellow: tuple[float, float]
    red_with_lightness: float = -0.55  # the paler, the less blood and pigment; assumed, like the next
    yellow_with_lightness: float = -0.3
    share: float = 0.2  # of the population


TONES = (
    Tone("Caucasian", (59.6, 5.5), (11.8, 3.1), (14.6, 2.6)),  # Xiao 2017, like the next three
    Tone("Chinese", (58.9, 3.1), (11.4, 2.1), (14.2, 1.5)),
    Tone("Thai", (60.7, 4.0), (10.5, 2.3), (17.2, 2.1)),
    Tone("Kurdish", (58.0, 4.4), (11.7, 2.3), (15.8, 2.1)),
    # de Rigal 2010, read off a graph, spreads assumed; in the darkest skins, chroma falls with L*.
    Tone("African-American", (48.0, 6.0), (15.0, 2.0), (20.0, 2.2), 0.6, 0.75, 0.166),
)
# Assumed: the darkest skins, which those studies lack. The share is so small that the published spreads hold.
DARKEST_TONE = Tone("darker", (35.5, 2.6), (11.0, 2.0), (13.5, 2.4), 0.6, 0.75, 0.034)
_ALL = (*TONES, DARKEST_TONE)


def cheek_lab(tone: Float64, red: Float64, yellow: Float64) -> Float64:
    """Return CIELAB (N, 3) of the cheek from three N(0, 1) coefficients (N,); L* within DARKEST..LIGHTEST."""
    lightness, at, about_red, about_yellow = _tables()
    light = np.interp(ndtr(tone), at, lightness)
    mean_red, spread_red = (np.interp(light, lightness, column) for column in about_red)
    mean_yellow, spread_yellow = (np.interp(light, lightness, column) for column in about_yellow)
    bound = HUE_BOND * red + np.sqrt(1 - HUE_BOND**2) * yellow
    red, bound = _REGAINED * red, _REGAINED * bound
    return _natural(light, mean_red + spread_red * red, mean_yellow + spread_yellow * bound)


def _natural(light: Float64, red: Float64, yellow: Float64) -> Float64:
    """Return CIELAB (N, 3) with hue and chroma limited to those of skins at each L*."""
    hue = _at_least(np.degrees(np.arctan2(yellow, red)), _LEAST_HUE(light))
    hue = np.radians(-_at_least(-hue, np.asarray(-_MOST_HUE)))
    chroma = _at_least(np.hypot(red, yellow), _LEAST_CHROMA(light))
    chroma = -_at_least(-chroma, -_MOST_CHROMA(light))
    return np.stack([light, chroma * np.cos(hue), chroma * np.sin(hue)], 1)


def _at_least(values: Float64, limit: Float64) -> Float64:
    """Limit the values from below, smoothly: limited values still differ."""
    return np.asarray(limit + _KNEE * np.logaddexp(0, (values - limit) / _KNEE))


@lru_cache
def _tables() -> tuple[Float64, Float64, tuple[Float64, Float64], tuple[Float64, Float64]]:
    """Return L* in steps, its cumulative share, and mean and spread of a* and of b* at each L*."""
    lightness = np.linspace(DARKEST, LIGHTEST, 165)
    z = np.stack([(lightness - t.lightness[0]) / t.lightness[1] for t in _ALL])
    share = np.array([t.share for t in _ALL]) @ ndtr(z)
    share[0], share[-1] = 0.0, 1.0
    density = np.stack([t.share * np.exp(-(row**2) / 2) / t.lightness[1] for row, t in zip(z, _ALL, strict=True)])
    weights = density / density.sum(0)
    reds = _conditional(z, weights, [(t.red, t.red_with_lightness) for t in _ALL])
    yellows = _conditional(z, weights, [(t.yellow, t.yellow_with_lightness) for t in _ALL])
    return lightness, share, reds, yellows


def _conditional(
    z: Float64, weights: Float64, columns: list[tuple[tuple[float, float], float]]
) -> tuple[Float64, Float64]:
    """Return mean and spread of one coordinate of the mixture where L* is z deviations from each group's mean."""
    means = np.stack([m + r * s * row for ((m, s), r), row in zip(columns, z, strict=True)])
    variances = np.array([[s**2 * (1 - r**2)] for (_, s), r in columns])
    mean = (weights * means).sum(0)
    return mean, np.sqrt((weights * (variances + means**2)).sum(0) - mean**2)
