"""Measure how different the colours of people are: a palette per person, and the distances between palettes.

A palette holds CIELAB colours: of the cheek, of other points of the face less that of the cheek, of hair and irises.
Each coordinate is divided by its standard deviation over all people, so that lips count as much as white hair.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist

from dcign.arrays import Float32, Float64
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.primitives import bump
from dcign.facegen.sculpture.features import LandmarkOffset, near
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.skin.complexion import Complexion
from dcign.facegen.skin.texture import CHEEK, CHEEK_RADII
from dcign.facegen.skin.tones import TONES
from tests.support.colour import linear_to_lab

_SPOT = (8.0, 8.0, 20.0)  # mm
PLACES: tuple[LandmarkOffset, ...] = (
    near("trichion", 0, -26),
    near("pronasale", 0, 0, -5),
    near("pogonion", 0, 0, -5),
    near("labiale_superius", 0, 5),
    near("jaw_middle"),
    near("frontotemporale"),
    near("cheek"),
    near("orbitale"),
)
PARTS = ("brow", "lip")


def cheeks(model: MorphableModel, colours: Float32) -> Float64:
    """Return CIELAB (N, 3) of cheeks, where the published ones were measured, from colours (N, V, 3) sRGB."""
    return np.asarray(np.mean([_lab_at(model, colours, CHEEK, CHEEK_RADII, side) for side in _sides(CHEEK)], 0))


def palettes(model: MorphableModel, coefficients: Float32, attributes: Float32) -> Float64:
    """Return palettes (N, C), CIELAB, of people with coefficients (N, Ka) and attributes (N, A)."""
    colours = model.albedos(coefficients, attributes)
    cheek = cheeks(model, colours)
    hair = Complexion(coefficients, attributes).hair
    columns = [cheek, linear_to_lab(hair), _lab_of(model, colours, "iris")]
    columns += [_lab_of(model, colours, part) - cheek for part in PARTS]
    columns += [_lab_at(model, colours, place, _SPOT, side) - cheek for place in PLACES for side in _sides(place)]
    return np.concatenate(columns, 1)


def palette_distances(found: Float64) -> Float64:
    """Return the distances (N (N - 1) / 2,) between any two palettes (N, C), in standard deviations."""
    return pdist(found / found.std(0))


def published_cheeks(people: int, rng: np.random.Generator) -> Float64:
    """Draw CIELAB (people, 3) from the published groups themselves: what the model's cheeks are compared with."""
    group = rng.integers(0, len(TONES), people)
    mean = np.array([[t.lightness[0], t.red[0], t.yellow[0]] for t in TONES])
    spread = np.array([[t.lightness[1], t.red[1], t.yellow[1]] for t in TONES])
    return np.asarray(mean[group] + spread[group] * rng.standard_normal((people, 3)))


def _sides(place: LandmarkOffset) -> tuple[int, ...]:
    return (1, -1) if place.position(LANDMARKS)[0] > 0 else (1,)


def _lab_at(
    model: MorphableModel, colours: Float32, place: LandmarkOffset, radii: tuple[float, float, float], side: int
) -> Float64:
    head = model.mean[: model.hair.first] if model.hair else model.mean
    weight = bump(head * np.array([side, 1.0, 1.0]), place.position(LANDMARKS), radii)
    near_by = np.flatnonzero(weight > 1e-3 * weight.max())
    lab = linear_to_lab(srgb_to_linear(colours[:, near_by]).astype(np.float64))
    return np.asarray(np.einsum("nvc,v->nc", lab, weight[near_by] / weight[near_by].sum()))


def _lab_of(model: MorphableModel, colours: Float32, part: str) -> Float64:
    own = model.parts == model.part_names.index(part)
    return np.asarray(linear_to_lab(srgb_to_linear(colours[:, own]).astype(np.float64)).mean(1))
