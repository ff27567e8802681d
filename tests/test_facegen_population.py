"""People drawn at random: their statistics, and what an off-the-shelf face detector and a stranger would say."""

from __future__ import annotations

import numpy as np
import pytest

from facegen.model import MorphableModel
from facegen.population import SEX_CORRELATION, sample_identity


@pytest.fixture(scope="module")
def people(model: MorphableModel) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    drawn = [sample_identity(model, rng, keep_size=True) for _ in range(4000)]
    return np.array([shape for shape, _ in drawn]), np.array([albedo for _, albedo in drawn])


def test_every_coefficient_is_standard_normal(people: tuple[np.ndarray, np.ndarray]) -> None:
    for weights in people:
        assert np.abs(weights.mean(0)).max() < 0.08
        assert weights.std(0) == pytest.approx(np.ones(weights.shape[1]), abs=0.06)


def test_the_colours_of_a_face_follow_the_sex_of_its_shape(
    model: MorphableModel, people: tuple[np.ndarray, np.ndarray]
) -> None:
    shape, albedo = people
    together = np.corrcoef(shape @ model.sex_shape, albedo @ model.sex_albedo)[0, 1]
    assert together == pytest.approx(SEX_CORRELATION, abs=0.03)


def test_head_size_is_left_out_unless_asked_for(model: MorphableModel) -> None:
    shape, _ = sample_identity(model, np.random.default_rng(0))
    kept, _ = sample_identity(model, np.random.default_rng(0), keep_size=True)
    assert shape[model.size_mode] == 0
    assert kept[model.size_mode] != 0
    np.testing.assert_array_equal(np.delete(shape, model.size_mode), np.delete(kept, model.size_mode))


def test_the_same_seed_gives_the_same_person(model: MorphableModel) -> None:
    first, second = (sample_identity(model, np.random.default_rng(7)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nobody_has_blue_green_or_overexposed_skin(model: MorphableModel) -> None:
    coarse = model.at_level(2_500)
    skin = coarse.parts == coarse.part_names.index("skin")
    rng = np.random.default_rng(1)
    for _ in range(300):
        _, weights = sample_identity(coarse, rng)
        red, green, blue = coarse.albedos(weights[None])[0][skin].mean(0)
        assert red > green > blue
        assert red < 0.95


def test_the_fairest_skin_stays_below_a_lightness_of_72(model: MorphableModel) -> None:
    skin = model.albedo_basis[(model.parts == model.part_names.index("skin")) & (model.mean[:, 2] > 40)]
    fairer = skin.sum((0, 1), dtype=np.float64)
    fairest = model.albedos(2.5 * fairer[None] / np.linalg.norm(fairer))[0]
    cheek = fairest[model.landmarks["cheek_left"]]
    linear = ((cheek + 0.055) / 1.055) ** 2.4
    assert 60 < 116 * np.cbrt(linear @ (0.2126, 0.7152, 0.0722)) - 16 <= 72


def test_hair_never_stands_out_like_a_fin_behind_the_ears(model: MorphableModel) -> None:
    coarse = model.at_level(2_500)
    _, y, z = coarse.mean.T
    behind = (z < -15) & (y < -40) & (y > -110) & (coarse.parts == coarse.part_names.index("hair"))
    rng = np.random.default_rng(3)
    faces = coarse.shapes(np.array([sample_identity(coarse, rng)[0] for _ in range(500)]))
    ears = faces[:, coarse.parts == coarse.part_names.index("ear"), 0].max(1)
    assert behind.sum() > 20
    assert (np.abs(faces[:, behind, 0]).max(1) < ears).mean() > 0.99


def test_iris_is_darker_than_sclera_and_lips_redder_than_skin(model: MorphableModel) -> None:
    coarse = model.at_level(5_000)
    part = {name: coarse.parts == index for index, name in enumerate(coarse.part_names)}
    rng = np.random.default_rng(2)
    for _ in range(100):
        albedo = coarse.albedos(sample_identity(coarse, rng)[1][None])[0]
        mean = {name: albedo[inside].mean(0) for name, inside in part.items()}
        assert mean["iris"].mean() < 0.75 * mean["sclera"].mean()
        assert mean["lip"][0] / mean["lip"][1] > mean["skin"][0] / mean["skin"][1]
        assert mean["brow"].mean() < 0.9 * mean["skin"].mean()
