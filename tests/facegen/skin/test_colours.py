"""The colours of people: published tones, natural hues, smooth in sex and age, the same in every batch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from dcign.facegen.colour import lab_to_linear, lab_to_linear_planes, srgb_to_linear
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import AGES, ATTRIBUTES
from dcign.facegen.skin.albedo import PaintedAlbedo
from dcign.facegen.skin.complexion import COEFFICIENTS, Complexion
from dcign.facegen.skin.tones import DARKEST, LIGHTEST
from tests.support.colour import linear_to_lab
from tests.support.palette import cheeks, palette_distances, palettes, published_cheeks

EXTREME = 3.0  # standard deviations


def crowd(people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw coefficients (people, Ka) and attributes (people, A) of both sexes and all ages, with hair."""
    rng = np.random.default_rng(seed)
    attributes = np.zeros((people, len(ATTRIBUTES)), np.float32)
    attributes[:, ATTRIBUTES.index("sex")] = rng.choice((-0.9, 0.9), people) + 0.43 * rng.standard_normal(people)
    attributes[:, ATTRIBUTES.index("age")] = rng.uniform(*AGES, people)
    attributes[:, ATTRIBUTES.index("hair_cut")] = 1
    return rng.standard_normal((people, len(COEFFICIENTS))).astype(np.float32), attributes


def average(**changed: float) -> np.ndarray:
    """Return attributes (1, A) of a person aged forty."""
    values = {"sex": 0.0, "age": 40.0, "hair_cut": 1.0, "hair_length": 0.0, "hair_volume": 0.0} | changed
    return np.array([[values[name] for name in ATTRIBUTES]], np.float32)


def lab(colours: np.ndarray) -> np.ndarray:
    return linear_to_lab(srgb_to_linear(colours).astype(np.float64))


def test_lab_to_linear_inverts_linear_to_lab_and_the_planes_agree() -> None:
    values = np.random.default_rng(0).uniform((34, -5, -5), (75, 30, 30), (50, 3))
    np.testing.assert_allclose(linear_to_lab(lab_to_linear(values)), values, atol=0.02)
    planes = lab_to_linear_planes(values.T[None].astype(np.float32))[0].T
    np.testing.assert_allclose(planes, lab_to_linear(values), atol=1e-5)


def test_cheeks_vary_as_published(model: MorphableModel) -> None:
    coarse = model.at_level(2_500)
    found = cheeks(coarse, coarse.albedos(*crowd(500, 1)))
    wanted = published_cheeks(4000, np.random.default_rng(2))
    assert found.mean(0) == pytest.approx(wanted.mean(0), abs=0.8)
    assert found.std(0) == pytest.approx(wanted.std(0), rel=0.15)
    assert pdist(found).mean() == pytest.approx(pdist(wanted[:1500]).mean(), rel=0.15)


def test_no_two_of_500_people_have_nearly_the_same_colours(model: MorphableModel) -> None:
    distances = palette_distances(palettes(model.at_level(5_000), *crowd(500, 3)))
    assert distances.min() > distances.mean() / 4


def test_nobody_is_too_light_or_too_dark(model: MorphableModel) -> None:
    coefficients, attributes = crowd(2000, 4)
    coefficients *= EXTREME
    lightness = Complexion(coefficients, attributes).skin[:, 0]
    assert lightness.min() >= DARKEST
    assert lightness.max() <= LIGHTEST


@pytest.mark.parametrize("name", [name for name in COEFFICIENTS if not name.startswith(("mottle", "moles"))])
def test_no_coefficient_makes_blue_or_orange_heads(model: MorphableModel, name: str) -> None:
    coarse = model.at_level(2_500)
    skin, hair = bare_skin(coarse), coarse.parts == coarse.part_names.index("hair")
    coefficients = np.zeros((4, len(COEFFICIENTS)), np.float32)
    coefficients[:, COEFFICIENTS.index(name)] = (-EXTREME, EXTREME, -EXTREME, EXTREME)
    attributes = np.concatenate([average(sex=-1), average(sex=1), average(sex=1, age=78), average(sex=-1, age=20)])
    colours = lab(coarse.albedos(coefficients, attributes))
    face = colours[:, skin].mean(1)
    assert (hue(face) > 30).all()
    assert (hue(face) < 75).all()
    assert chroma(face).max() < 30
    on_top = colours[:, hair].mean(1)
    assert chroma(on_top).max() < 36
    assert ((chroma(on_top) < 6) | ((hue(on_top) > 30) & (hue(on_top) < 100))).all()


def test_extreme_people_keep_human_hues(model: MorphableModel) -> None:
    coarse = model.at_level(2_500)
    skin = bare_skin(coarse)
    coefficients, attributes = crowd(300, 5)
    face = lab(coarse.albedos(1.5 * coefficients, attributes))[:, skin].mean(1)
    assert (hue(face) > 25).all()
    assert (hue(face) < 80).all()
    assert chroma(face).max() < 34


def test_light_hair_and_light_eyes_go_with_light_skin() -> None:
    coefficients, attributes = crowd(2000, 6)
    people = Complexion(coefficients, attributes)
    dark = people.skin[:, 0] < 48
    assert people.hair[dark].max() < 0.06
    assert people.iris_light[dark].max() < 0.6
    assert people.hair[~dark].max() > 0.2
    assert people.iris_light[~dark].max() > 0.95


def test_a_beard_and_a_bald_crown_are_for_men_and_grey_hair_for_the_old() -> None:
    coefficients, attributes = crowd(500, 7)
    people = Complexion(coefficients, attributes)
    women, young = attributes[:, 0] < -0.8, attributes[:, 1] < 30
    assert people.beard[women].max() == people.shadow[women].max() == 0
    assert people.recession[women].max() < 3
    assert people.grey[young].max() < 0.2
    assert people.grey[attributes[:, 1] > 75].mean() > 0.7


@pytest.mark.parametrize(("name", "low", "high"), [("sex", -2.5, 2.5), ("age", 18.0, 80.0)])
def test_colours_change_smoothly_with_sex_and_age(model: MorphableModel, name: str, low: float, high: float) -> None:
    coarse = model.without_hair().at_level(2_500)  # locks turn grey one by one, not smoothly
    steps = np.linspace(low, high, 60)
    attributes = np.concatenate([average(**{name: float(step)}) for step in steps])
    colours = coarse.albedos(np.zeros((60, coarse.albedo_modes), np.float32), attributes)
    moved = np.abs(np.diff(colours, axis=0))
    assert 0.01 < moved.max() < 0.06
    assert np.abs(colours[-1] - colours[0]).mean() > 0.005


def test_a_person_has_the_same_colours_alone_and_in_a_batch(model: MorphableModel) -> None:
    coarse = model.at_level(2_500)
    coefficients, attributes = crowd(25, 8)
    together = coarse.albedos(coefficients, attributes)
    alone = np.concatenate([coarse.albedos(coefficients[i : i + 1], attributes[i : i + 1]) for i in range(25)])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    np.testing.assert_array_equal(coarse.albedos(coefficients, attributes), together)


def test_the_texture_shows_what_the_vertices_show(model: MorphableModel) -> None:
    texture = model.texture
    coefficients, attributes = crowd(2, 9)
    colours = model.albedos(coefficients, attributes)
    pictures = texture.images(coefficients, attributes) / 255.0
    column, row = np.round(texture.uv * (1, -1) * texture.size + (0, texture.size) - 0.5).astype(int).T
    own = np.mean(
        [pictures[:, np.clip(row + i, 0, 1023), np.clip(column + j, 0, 1023)] for i in (-2, 0, 2) for j in (-2, 0, 2)],
        0,
    )
    skin = np.flatnonzero(np.isin(model.parts, [model.part_names.index(part) for part in ("skin", "lip", "sclera")]))
    front = skin[model.mean[skin, 2] > 40]
    away = np.abs(own[:, front] - colours[:, front])
    assert away.mean() < 0.012
    assert np.quantile(away, 0.99) < 0.09


def test_a_painted_albedo_survives_its_file(model: MorphableModel) -> None:
    albedo = model.at_level(2_500).albedo
    again = PaintedAlbedo.from_arrays(albedo.arrays())
    coefficients, attributes = crowd(2, 10)
    np.testing.assert_array_equal(again.colours(coefficients, attributes), albedo.colours(coefficients, attributes))


def bare_skin(model: MorphableModel) -> np.ndarray:
    """Return a mask (V,) of the face without the scalp, which is painted with hair."""
    face = (model.mean[:, 2] > 45) & (model.mean[:, 1] < 60)
    return face & (model.parts == model.part_names.index("skin"))


def hue(colours: np.ndarray) -> np.ndarray:
    """Degrees: 0 pink, 45 orange, 90 yellow."""
    return np.degrees(np.arctan2(colours[..., 2], colours[..., 1]))


def chroma(colours: np.ndarray) -> np.ndarray:
    return np.hypot(colours[..., 1], colours[..., 2])
